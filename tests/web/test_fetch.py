"""Pictures fetched from real servers, most of which mean no good."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path

import pytest

from clipsearch import __version__
from clipsearch.errors import PictureError, QueryError
from clipsearch.web import fetch_picture
from clipsearch.web.internet import Address, is_public

from .conftest import Serve, reply

PICTURE = bytes(range(256)) * 1000
LIMIT = 1 << 20
HERE = ip_address("127.0.0.1")


def here(address: Address, _port: int) -> bool:
    """The one address of this machine that tests may connect to."""
    return address == HERE


def public_at_any_port(address: Address, _port: int) -> bool:
    return is_public(address)


def fetch(url: str, **options: object) -> bytes:
    return fetch_picture(url, **{"limit": LIMIT, "seconds": 5.0, "allowed": here} | options)


@pytest.fixture
def resolves(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Makes every name stand for these addresses at its first look-up, and for the last one later; the names looked up
    are in the list that comes back."""
    asked: list[str] = []
    resolve = socket.getaddrinfo

    def stand_for(*addresses: str, later: str = "127.0.0.2") -> list[str]:
        def resolved(host: str, port: int, **options: object) -> list[object]:
            found = (later,) if asked else addresses
            asked.append(host)
            return [one for address in found for one in resolve(address, port, **options)]

        monkeypatch.setattr(socket, "getaddrinfo", resolved)
        return asked

    return stand_for


def test_a_picture_comes_with_nothing_told_that_need_not_be(serve: Serve) -> None:
    server = serve(reply(PICTURE, "Content-Type: image/png", "Set-Cookie: a=b"))
    assert fetch(server.url("/Grüße aus/x.png?size=large#top")) == PICTURE
    [request] = server.requests
    assert request.split("\r\n") == [
        "GET /Gr%C3%BC%C3%9Fe%20aus/x.png?size=large HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}",
        f"User-Agent: clipsearch/{__version__}",
        "Accept: image/*, */*;q=0.5",
        "Accept-Encoding: identity",
        "Connection: close",
        "",
        "",
    ]


def test_a_picture_of_unknown_length_and_one_in_chunks(serve: Serve) -> None:
    unknown = serve(b"HTTP/1.0 200 OK\r\n\r\n" + PICTURE)
    assert fetch(unknown.url()) == PICTURE
    chunk = b"%x\r\n%s\r\n" % (len(PICTURE), PICTURE)
    chunked = serve(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 3 + b"0\r\n\r\n")
    assert fetch(chunked.url()) == PICTURE * 3


# --- where it may not go


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "0x7f000001", "0177.0.0.1", "127.1", "0", "0.0.0.0"]  # noqa: RUF005
    + ["[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::1]", "[::]", "127。0。0。1", "LOCALHOST", "①②⑦.0.0.1"],
)
def test_no_way_to_write_this_machine_leads_to_it(serve: Serve, host: str) -> None:
    server = serve(reply(PICTURE))
    assert fetch(server.url()) == PICTURE
    with pytest.raises(QueryError, match="not on the public web"):
        fetch(server.url(host=host), allowed=public_at_any_port)
    assert server.connections == 1


def test_public_addresses_are_reached_at_the_usual_ports_only(resolves: Callable[..., list[str]]) -> None:
    asked = resolves("93.184.216.34")
    with pytest.raises(QueryError, match=r"example\.org:6379 is not on the public web"):
        fetch_picture("http://example.org:6379/", limit=LIMIT)
    assert asked == ["example.org"]


@pytest.mark.parametrize("private", ["10.0.0.1", "::1", "169.254.169.254", "fe80::1", "64:ff9b::a00:1"])
def test_one_private_address_among_public_ones_is_enough_to_refuse(
    resolves: Callable[..., list[str]], private: str
) -> None:
    resolves("8.8.8.8", private, "1.1.1.1")
    with pytest.raises(QueryError, match="not on the public web"):
        fetch_picture("https://example.org/x.jpg", limit=LIMIT)


def test_a_name_that_changes_its_meaning_after_it_was_looked_at_gains_nothing(
    serve: Serve, resolves: Callable[..., list[str]]
) -> None:
    server, secret = serve(reply(PICTURE)), serve(reply(b"secret"), "127.0.0.2")
    asked = resolves("127.0.0.1", later="127.0.0.2")
    assert fetch(server.url("/x.png", "münchen.example")) == PICTURE
    assert asked == ["xn--mnchen-3ya.example"]
    assert f"Host: xn--mnchen-3ya.example:{server.port}\r\n" in server.requests[0]
    with pytest.raises(QueryError, match="not on the public web"):
        fetch(server.url("/x.png", "münchen.example"))
    assert secret.connections == 0


def test_the_next_address_is_tried_where_one_is_silent(serve: Serve, resolves: Callable[..., list[str]]) -> None:
    server = serve(reply(PICTURE), "127.0.0.3")
    resolves("127.0.0.1", "127.0.0.3")
    assert fetch(server.url(host="example.org"), allowed=lambda *_: True) == PICTURE


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_it_is_sent_on(serve: Serve, status: str) -> None:
    there = serve(reply(PICTURE))
    here_first = serve(reply(b"not here", f"Location: {there.url('/b.png')}", status=status))
    assert fetch(here_first.url()) == PICTURE
    assert there.requests[0].startswith("GET /b.png ")


def test_it_is_sent_on_five_times_at_most(serve: Serve) -> None:
    def counting(connection: socket.socket, request: str) -> None:
        left = int(request.split()[1].rpartition("/")[2])
        connection.sendall(reply(b"", f"Location: {left - 1}", status="302 Found") if left else reply(PICTURE))

    server = serve(counting)
    assert fetch(server.url("/a/5")) == PICTURE
    assert [request.split()[1] for request in server.requests] == [f"/a/{left}" for left in (5, 4, 3, 2, 1, 0)]
    with pytest.raises(PictureError, match="sends on"):
        fetch(server.url("/a/6"))
    assert server.connections == 12


@pytest.mark.parametrize(
    "onward",
    ["http://127.0.0.2:PORT/", "//127.0.0.2:PORT/", "http://2130706434:PORT/", "http://[::ffff:127.0.0.2]:PORT/"],
)
def test_it_is_not_sent_where_it_may_not_go(serve: Serve, onward: str) -> None:
    secret = serve(reply(b"secret"), "127.0.0.2")
    server = serve(reply(b"", "Location: " + onward.replace("PORT", str(secret.port)), status="302 Found"))
    with pytest.raises(QueryError, match="not on the public web"):
        fetch(server.url())
    assert (server.connections, secret.connections) == (1, 0)


@pytest.mark.parametrize(
    "onward", ["file:///etc/passwd", "ftp://127.0.0.1/x", "http://me:secret@127.0.0.1/", "http://[x/"]
)
def test_it_is_sent_to_the_web_only(serve: Serve, onward: str) -> None:
    server = serve(reply(b"", f"Location: {onward}", status="302 Found"))
    with pytest.raises((QueryError, PictureError), match="address"):
        fetch(server.url())


# --- too much, too slow


def test_what_says_that_it_is_too_large_is_not_read(serve: Serve) -> None:
    server = serve(reply(b"x" * 100, length=LIMIT + 1))
    with pytest.raises(PictureError, match="more than 1 MB") as refused:
        fetch(server.url())
    assert refused.value.reason == "too large"
    just = bytes(LIMIT)
    assert fetch(serve(reply(just)).url()) == just


@pytest.mark.parametrize("chunked", [False, True])
def test_what_never_ends_is_left_at_the_limit(serve: Serve, chunked: bool) -> None:
    sent = 0

    def endless(connection: socket.socket, _request: str) -> None:
        nonlocal sent
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + (b"Transfer-Encoding: chunked\r\n" if chunked else b"") + b"\r\n")
        while True:
            sent += connection.send(b"1000\r\n" + bytes(4096) + b"\r\n" if chunked else bytes(4096))

    with pytest.raises(PictureError, match="more than 1 MB"):
        fetch(serve(endless).url())
    assert sent < 32 * LIMIT


@pytest.mark.parametrize(
    ("before", "drop"),
    [
        (b"", b""),
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"),
        (b"HTTP/1.1 200 OK\r\n", b"a"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    ],
    ids=["silence", "status", "headers", "a header", "continue", "body", "body of a length", "chunk size", "chunks"],
)
def test_what_drips_is_left_when_the_time_is_over(serve: Serve, before: bytes, drop: bytes) -> None:
    def drip(connection: socket.socket, _request: str) -> None:
        connection.sendall(before)
        for _ in range(60):
            time.sleep(0.05)
            connection.sendall(drop)

    started = time.monotonic()
    with pytest.raises(PictureError, match=r"did not come within 0\.5 seconds"):
        fetch(serve(drip).url(), seconds=0.5)
    assert 0.4 < time.monotonic() - started < 2


def test_the_time_is_that_of_all_redirects_together(serve: Serve) -> None:
    def slow(connection: socket.socket, _request: str) -> None:
        time.sleep(0.2)
        connection.sendall(reply(b"", "Location: /", status="302 Found"))

    with pytest.raises(PictureError, match="did not come within"):
        fetch(serve(slow).url(), seconds=0.5)


def test_a_resolver_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(3))
    started = time.monotonic()
    with pytest.raises(PictureError, match="did not come within"):
        fetch("http://example.org/", seconds=0.3)
    assert time.monotonic() - started < 2


# --- what is no picture


@pytest.mark.parametrize(
    ("answer", "reason", "says"),
    [
        (reply(b"x", "Content-Encoding: gzip"), "unreadable", "packed"),
        (reply(b"x", "Content-Encoding: br"), "unreadable", "packed"),
        (reply(b"<html>", "Content-Type: text/html; charset=utf-8"), "not a picture", "web page"),
        (reply(b"x", status="404 Not Found"), "missing", "404 Not Found"),
        (reply(b"x", status="403 Forbidden"), "unreadable", "403 Forbidden"),
        (reply(b"x", status="500 Oh"), "unreadable", "500 Oh"),
        (reply(b"x", status="302 Found"), "unreadable", "302 Found"),
        (reply(b"x", status="500 " + "Oh " * 1000), "unreadable", r"500 Oh .*\[\.\.\.\]"),
        (reply(b"x", length=5), "truncated", "broke off"),
        (b"SSH-2.0-OpenSSH\r\n", "unreadable", "SSH"),
        (b"", "unreadable", "closed connection"),
        (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 1000, "unreadable", "headers"),
        (b"HTTP/1.1 200 OK\r\na: " + b"b" * 100_000, "unreadable", "header line"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "truncated", "broke off"),
    ],
)
def test_an_answer_without_a_picture_is_one_sentence(serve: Serve, answer: bytes, reason: str, says: str) -> None:
    with pytest.raises(PictureError, match=says) as refused:
        fetch(serve(answer).url())
    assert refused.value.reason == reason
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 250


def test_a_host_that_is_not_there_and_one_that_does_not_listen() -> None:
    with pytest.raises(PictureError, match="check the address"):
        fetch("http://nowhere.invalid/")
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(PictureError, match="refused"):
        fetch(f"http://127.0.0.1:{port}/")


# --- certificates


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for `pictures.example` and its key, in one file."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    folder = tmp_path_factory.mktemp("tls")
    names = "subjectAltName=DNS:pictures.example"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=pictures.example"]  # noqa: RUF005
        + ["-addext", names, "-keyout", folder / "key", "-out", folder / "certificate"],
        check=True,
        capture_output=True,
    )
    both = folder / "both.pem"
    both.write_bytes((folder / "key").read_bytes() + (folder / "certificate").read_bytes())
    return both


@pytest.fixture
def secured(serve: Serve, certificate: Path, resolves: Callable[..., list[str]]) -> Callable[[str], str]:
    """Addresses of a server with that certificate, under any name."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    server = serve(reply(PICTURE), tls=tls)
    resolves("127.0.0.1", later="127.0.0.1")
    return lambda name: f"https://{name}:{server.port}/x.png"


def test_a_certificate_is_verified_for_the_name_that_was_asked(
    secured: Callable[[str], str], certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PictureError, match="cannot prove"):
        fetch(secured("pictures.example"))
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert fetch(secured("pictures.example")) == PICTURE
    with pytest.raises(PictureError, match=r"cannot prove.*other\.example"):
        fetch(secured("other.example"))


def test_a_server_that_does_not_shake_hands_is_left_when_the_time_is_over() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(PictureError, match="did not come within"):
        fetch(f"https://127.0.0.1:{silent.getsockname()[1]}/", seconds=0.5)
