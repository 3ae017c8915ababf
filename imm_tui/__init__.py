"""imm-tui: submit a document conversion to Alibaba Cloud IMM and watch it finish."""

__version__ = "0.1.0"
