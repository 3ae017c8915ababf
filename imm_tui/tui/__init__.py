"""The screen: drawn from the history and from nothing else."""

import os

# Textual draws at most so many frames in a second, and reads this once, when it is imported. With its own 60 a key that
# is pressed just after a frame waits for its own 16 ms, or 33; nothing is drawn more often while no key is pressed.
# Not faster: with 600, on a busy machine, a page that replaced another was laid out before it was filled, and stayed
# empty.
os.environ.setdefault("TEXTUAL_FPS", "240")
