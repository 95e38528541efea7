"""One page of an archived response: its text, its kind, and its requisites."""
