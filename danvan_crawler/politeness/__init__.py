"""How a server is treated: which addresses may be contacted, what robots.txt allows, how often a server is asked,
and when it is not contacted."""
