"""Checks that everything is there and unchanged: files, records, indexes, manifests, database, packages. And repair."""
