"""The archive in a browser: pywb as a process of its own, and what it is given to read."""
