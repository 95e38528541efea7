"""Vietnamese as it is printed on Party sites: pure functions, no Scrapy, no clock, no network.

    charset      the text of a page, by its bytes first and by what it declares then (`decode`)
    timestamps   the publication stamp in a date line, or None (`parse`)
    text         what an item stores (`clean`), what is hashed and searched (`canonical`), what is searched without
                 marks (`fold`), Unicode from the charsets of before (`decode_legacy`)
    dating       which of the dates on a page is the article's (`choose`)
    documents    numbers of Party and State documents in a text (`find`)
    provinces    units of before and after 1 July 2025 by code, day and any spelling (`lookup`, `find`)
    bodies       kinds of Party body, in the same way

Other programs may import these modules; docs/public-api.md lists the functions whose names and meanings stay.
"""
