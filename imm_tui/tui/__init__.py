"""The screen: drawn from the history and from nothing else."""
