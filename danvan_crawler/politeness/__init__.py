"""Politeness: which addresses may be contacted, what robots.txt allows, and the time between requests."""
