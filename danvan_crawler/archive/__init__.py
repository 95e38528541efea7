"""The archive folder: where things are in it, who may change it just now, and what runs leave there beside records."""
