"""Site profiles: their keys and checks, and the folders from which they are read."""
