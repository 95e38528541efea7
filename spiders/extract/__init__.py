"""How any page is read, whatever its platform: lines, listings, date lines, feeds, selectors of a profile."""
