"""Health of the sites: problems of a run, alone and compared with the site's past; reports and notifications."""
