"""What imm-tui's speed is measured with: a script a row, each of which runs by itself, and `python -m benchmarks`."""
