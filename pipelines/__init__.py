"""Pipeline stages of an article, in the order of `danvan_crawler/settings.py`.

    text 100         clean printed text
    timestamps 200   parse the date line
    places 300       province and body on the day of publication
    documents 400    cited Party and State documents
    identity 500     canonical address, item id, content hash
    validate 600     warnings about missing or implausible fields
    store 900        write to the database

Items of other spiders pass unchanged.
"""
