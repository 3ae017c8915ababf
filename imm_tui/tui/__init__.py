"""The screen: drawn from the history and from nothing else."""

import os

# Textual draws at most so many frames in a second, and reads this once, when it is imported. With its own 60 a key that
# is pressed just after a frame waits for its own 16 ms, or 33; nothing is drawn more often while no key is pressed.
os.environ.setdefault("TEXTUAL_FPS", "600")
