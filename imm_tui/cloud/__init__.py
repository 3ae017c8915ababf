"""The only rooms that import a vendor's SDK."""
