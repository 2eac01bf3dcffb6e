"""Addresses as users type them."""

from __future__ import annotations

import pytest

from clipsearch.errors import QueryError
from clipsearch.web.url import place_of


@pytest.mark.parametrize(
    ("url", "host_and_port", "target"),
    [
        ("http://example.org", "example.org", "/"),
        (" https://example.org/a/b.jpg \n", "example.org", "/a/b.jpg"),
        ("https://EXAMPLE.org:443/a?b=c&d=%20e#f", "example.org", "/a?b=c&d=%20e"),
        ("https://example.org:80/", "example.org:80", "/"),
        ("http://example.org:8080/", "example.org:8080", "/"),
        ("http://example.org/ein Bild/Grüße.jpg", "example.org", "/ein%20Bild/Gr%C3%BC%C3%9Fe.jpg"),
        ("http://münchen.example/x", "xn--mnchen-3ya.example", "/x"),
        ("http://[2606:4700::1111]:8080/x", "[2606:4700::1111]:8080", "/x"),
        ("https://[2606:4700::1111]/x", "[2606:4700::1111]", "/x"),
        # Names are made plain before they are looked up, so these are what they look like.
        ("http://127。0。0。1/", "127.0.0.1", "/"),
        ("http://ⓛocalhost/", "localhost", "/"),
    ],
)
def test_an_address_is_read(url: str, host_and_port: str, target: str) -> None:
    place = place_of(url)
    assert (place.host_and_port, place.target) == (host_and_port, target)
    assert place.secure == url.strip().startswith("https")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org/x.jpg",
        "file:///etc/passwd",
        "ftp://example.org/x",
        "gopher://example.org:70/_x",
        "data:,x",
        "javascript:alert(1)",
        "http://",
        "http:///x",
        "http:x",
        "//example.org/x",
        "http://:80/",
        "http://[::1/x",
        "http://example.org:port/",
        "http://example.org:99999/",
        "http://example.org:-1/",
        "http://a..b/",
        "http://.x/",
        "http://exa mple.org/",
        "http://example.org\\@evil.example/",
        "http://example.org/\r\nHost: evil.example",
        "http://example.org/a\nb",
        "http://exam\tple.org/",
        "http://example.org/\x00",
        "http://example.org/\x7f",
        "http://" + "a" * 64 + ".example/",
        "http://evil.example\uff0fx/",
        "http://example.org/\ud800",
    ],
)
def test_what_is_none_is_refused(url: str) -> None:
    with pytest.raises(QueryError, match="no address of the web"):
        place_of(url)


@pytest.mark.parametrize("user", ["me:secret@", "me@", ":@", "@", "example.org:80@"])
def test_a_password_is_not_taken_along(user: str) -> None:
    with pytest.raises(QueryError, match="user name"):
        place_of(f"https://{user}example.org/x.jpg")
