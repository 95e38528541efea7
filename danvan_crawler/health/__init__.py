"""How the sites are: what is wrong with a run, judged alone and by the site's past, and who gets a message."""
