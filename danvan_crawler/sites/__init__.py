"""What is known of each site: its profile, the rules that a profile may set, and where profiles are read from."""
