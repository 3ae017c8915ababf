"""The screen: drawn from the history and from nothing else."""

import os

# Textual draws at most so many frames in a second, and reads this once, when it is imported. With its own 60 a key that
# is pressed just after a frame waits 16 ms for its own; nothing is drawn more often for it while no key is pressed.
os.environ.setdefault("TEXTUAL_FPS", "120")
