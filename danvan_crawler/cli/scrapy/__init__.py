"""`scrapy crawl` and `scrapy runspider` with the exit codes of the contract (setting COMMANDS_MODULE)."""
