"""From a key to a working profile: what there is already, what has to be made, and its making and taking away.

MNS gives each message of a queue to one consumer, but each message of a topic to every queue that is subscribed to it.
So every viewer gets a queue of its own on the project's topic: several people watch one project, and each of them sees
every event.

What is made is written down beside the histories before it is made, so that it can be taken away again, and nothing
else with it, however a run ended.
"""
