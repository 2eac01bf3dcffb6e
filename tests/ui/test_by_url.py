"""The field for the address of a picture, with pictures on a real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from threading import Thread

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from clipsearch.cli.app import app
from clipsearch.pictures import content_hash
from clipsearch.web import fetch_picture
from clipsearch_ui.engine import open_engine

Visit = Callable[..., AppTest]


def _field(index: str, urls: bool) -> None:
    from pathlib import Path

    from clipsearch_ui.engine import open_engine
    from clipsearch_ui.search.by_url import by_url
    from clipsearch_ui.search.query import asked
    from clipsearch_ui.serving import Serving

    by_url(Serving(Path(index), urls=urls), open_engine(Path(index)), asked())


@pytest.fixture
def field(photos: Path) -> Visit:
    def draw(urls: bool = True, **address: str) -> AppTest:
        page = AppTest.from_function(_field, kwargs={"index": str(photos), "urls": urls}, default_timeout=60)
        for name, value in address.items():
            page.query_params[name] = value
        return page.run()

    return draw


@pytest.fixture(scope="module")
def picture() -> bytes:
    drawn = BytesIO()
    Image.new("RGB", (64, 48), "teal").save(drawn, "PNG")
    return drawn.getvalue()


@pytest.fixture(scope="module")
def site(picture: bytes) -> Iterator[str]:
    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(picture if self.path == "/teal.png" else b"no picture")

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def within_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the field fetch from this machine."""
    monkeypatch.setattr("clipsearch_ui.search.by_url.fetch_picture", partial(fetch_picture, allowed=lambda *_: True))


@pytest.mark.usefixtures("within_reach")
def test_a_picture_is_fetched_and_asked_for(field: Visit, site: str, picture: bytes, photos: Path) -> None:
    page = field(q="a wall")
    page.text_input[0].input(f" {site}/teal.png ").run()
    assert not page.exception
    assert not page.error
    known_as = content_hash(picture)
    assert page.query_params == {"q": "a wall", "image": f"{known_as}:1"}
    assert open_engine(photos).query_picture(known_as) == picture
    assert page.text_input[0].value == ""


@pytest.mark.usefixtures("within_reach")
def test_what_is_no_picture_is_said_and_the_address_stays(field: Visit, site: str) -> None:
    page = field(q="a wall")
    page.text_input[0].input(f"{site}/other").run()
    assert "not a picture" in page.error[0].value
    assert page.text_input[0].value == f"{site}/other"
    assert page.query_params == {"q": "a wall"}
    page.text_input[0].input("").run()
    assert not page.error


def test_the_page_fetches_nothing_from_this_machine(field: Visit, site: str) -> None:
    page = field()
    page.text_input[0].input(f"{site}/teal.png").run()
    assert "not on the public web" in page.error[0].value
    assert page.query_params == {}


def test_nothing_is_fetched_unless_it_was_switched_on(field: Visit) -> None:
    page = field(urls=False)
    assert not page.text_input
    assert "clipsearch ui --fetch-urls" in page.caption[0].value


@pytest.mark.parametrize(("options", "urls"), [([], False), (["--fetch-urls"], True)])
def test_the_command_switches_it_on(
    photos: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], urls: bool
) -> None:
    launched: dict[str, object] = {}
    monkeypatch.setattr("clipsearch_ui.launch.launch", lambda _, **how: launched.update(how) or 0)
    assert CliRunner().invoke(app, ["ui", "--index", str(photos), *options]).exit_code == 0
    assert launched["urls"] is urls
