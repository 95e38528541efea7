"""The life of one run in its process: its frame, its hours, its limits, how it ends, and what is kept of it."""
