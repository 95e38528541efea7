"""The archive folder: its paths, its locks, and the heartbeat and log files of runs."""
