"""One page as an archived response shows it: its text, what kind of page it is, and what else it needs."""
