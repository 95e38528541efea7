"""One module per CMS platform. Each holds one class derived from `danvan_crawler.families.Family`."""
