"""Is everything there, and as it was written: files, records, indexes, manifests, database, packages. And repair."""
