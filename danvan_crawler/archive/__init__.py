"""The archive folder: its paths, who may change it just now, and what runs leave there beside records."""
