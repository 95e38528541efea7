"""Replay of the archive in a browser: runs pywb as a separate process and writes the files that it reads."""
