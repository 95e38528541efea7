"""The archive in a browser: pywb as a separate process, and the files that it reads."""
