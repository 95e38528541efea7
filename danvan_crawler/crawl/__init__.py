"""The life of one run in its process: start and end, hours, limits, and which files are kept."""
