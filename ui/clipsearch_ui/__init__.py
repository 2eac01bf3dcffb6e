"""The web page: search an index by text, by picture or both, in a browser.

    launch -> page -> search_bar -> engine -> grid

`clipsearch_ui.launch.launch` serves it; `clipsearch_ui.page.show` is the page itself.
"""
