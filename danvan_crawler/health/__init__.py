"""How the sites are: what is wrong with a run, judged by itself and by the site's past, and who is told of it."""
