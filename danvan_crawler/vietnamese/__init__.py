"""Vietnamese as it is printed on Party sites: pure functions, no Scrapy, no clock, no network.

    charset      the text of a page: its bytes decide first, then its declarations (`decode`)
    timestamps   the publication stamp in a date line, or None (`parse`)
    text         text for items (`clean`), for hashing and search (`canonical`), for search without marks (`fold`);
                 legacy charsets to Unicode (`decode_legacy`)
    dating       the publication date of an article, chosen from all dates on its page (`choose`)
    documents    numbers of Party and State documents in a text (`find`)
    provinces    provinces before and after 1 July 2025, by code, day and any spelling (`lookup`, `find`)
    bodies       kinds of Party body, in the same way

Other programs may import these modules; docs/public-api.md lists the functions whose names and meanings stay.
"""
