"""A picture from the web, for whoever asks for it: nothing here is called by anything that was not switched on."""

from clipsearch.web.fetch import fetch_picture
from clipsearch.web.internet import on_the_web

__all__ = ["fetch_picture", "on_the_web"]
