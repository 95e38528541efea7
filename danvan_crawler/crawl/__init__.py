"""One run in its process: start and end, hours, limits, and retention of its files."""
