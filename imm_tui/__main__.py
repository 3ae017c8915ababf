"""`python -m imm_tui`."""

from imm_tui.cli import run

if __name__ == "__main__":
    run()
