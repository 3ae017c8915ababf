"""The commands without a screen: they stand where the screen stands, and draw from the same history."""
