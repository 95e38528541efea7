"""Stages that an article passes, one verb each, in the order that `danvan_crawler/settings.py` lists.

    text 100         printed text tidied
    timestamps 200   the date line read
    places 300       province and body as they were on the day of publication
    documents 400    Party and State documents that it cites
    identity 500     canonical address, item id, content hash
    validate 600     what a careful reader would notice, as warnings
    store 900        into the database

Each passes items of other spiders through untouched.
"""
