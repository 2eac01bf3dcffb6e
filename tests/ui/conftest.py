from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

import clipsearch
from clipsearch.models import load_encoder
from clipsearch.types import Encoder
from clipsearch_ui.engine import close_engines

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

COLOURS = ("red", "green", "blue", "yellow", "orange", "purple", "white", "black", "brown")
CAPTION = "A <b>teal</b> square & nothing *else*"

Build = Callable[[Path, Path], object]


def draw(file: Path, colour: str, size: tuple[int, int] = (96, 64), mtime: int | None = None, **save: object) -> bytes:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(file, **save)
    if mtime is not None:
        os.utime(file, (mtime, mtime))
    return file.read_bytes()


SERVE = """
import sys
from pathlib import Path

sys.path[:0] = sys.argv[4:]
from clipsearch_ui.engine import Engine
from clipsearch_ui.launch import launch

Engine.load_ahead = lambda _: None  # most of what is tested needs no model, and each server would load one
sys.exit(launch(Path(sys.argv[1]), port=int(sys.argv[2]), token=sys.argv[3] or None, open_browser=False))
"""


@contextmanager
def served(index: Path, log: Path, token: str = "") -> Iterator[str]:
    """The address of a server of the page, a process of its own; stopped and looked over at the end."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-c", SERVE, str(index), str(port), token, *(entry for entry in sys.path if entry)]
    with log.open("w") as output:
        server = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield _ready(f"http://127.0.0.1:{port}", server, log)
    finally:
        server.terminate()
        assert server.wait(60) == 0, log.read_text()
    assert "Traceback" not in log.read_text()


def _ready(address: str, server: subprocess.Popen[bytes], log: Path) -> str:
    for _ in range(300):
        assert server.poll() is None, log.read_text()
        try:
            urlopen(f"{address}/_stcore/health", timeout=5).close()
        except HTTPError:  # it answers, though not to us
            return address
        except URLError:
            time.sleep(0.1)
        else:
            return address
    raise TimeoutError(log.read_text())


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("needs chromium")
    playwright.expect.set_options(timeout=40_000)  # the first search loads the model
    with playwright.sync_playwright() as play:
        launched = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def visitor(browser: Browser) -> BrowserContext:
    """Somebody who has seen pages of the servers before."""
    return browser.new_context()


@pytest.fixture
def open_page(browser: Browser, visitor: BrowserContext) -> Iterator[Callable[..., Page]]:
    """Opens an address (`width`, `height`, and what `Browser.new_context` takes for one of its own); at the end nothing
    may have been asked of any other machine, nor gone wrong in a page."""
    asked: list[tuple[str, str]] = []
    broken: list[str] = []
    opened: list[Page | BrowserContext] = []

    def visit(address: str, width: int = 1280, height: int = 800, **options: object) -> Page:
        size = {"width": width, "height": height}
        if options:
            context = browser.new_context(viewport=size, **options)
            opened.append(context)
            page = context.new_page()
        else:  # what a server sent before need not be sent and read again
            page = visitor.new_page()
            page.set_viewport_size(size)
            opened.append(page)
        server = "/".join(address.split("/")[:3])
        page.set_default_timeout(20_000)
        page.on("request", lambda request: asked.append((server, request.url)))
        page.on("websocket", lambda socket: asked.append((server, socket.url.replace("ws://", "http://"))))
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.goto(address)
        return page

    yield visit
    for one in opened:
        one.close()
    visitor.clear_cookies()
    assert [url for server, url in asked if not url.startswith((server, "data:", "blob:"))] == []
    assert broken == []


@pytest.fixture(scope="session", autouse=True)
def _closed_engines() -> Iterator[None]:
    yield
    close_engines()


@pytest.fixture(scope="session")
def mini() -> Encoder:
    return load_encoder("mini", device="cpu", offline=True)


@pytest.fixture(scope="session")
def build(mini: Encoder) -> Build:
    return lambda source, index: clipsearch.build(source, index, encoder=mini)


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory, build: Build) -> Path:
    """An index of 70 pictures, the newest called `newest.jpg`, one of them in Parquet with a caption."""
    folder = tmp_path_factory.mktemp("photos")
    for number in range(68):
        colour = COLOURS[number % len(COLOURS)]
        draw(folder / "by colour" / f"{colour} {number}.png", colour, (60 + 5 * number, 80), mtime=1_000_000 + number)
    sideways = Image.Exif()
    sideways[0x0112] = 6
    draw(folder / "newest.jpg", "red", (120, 60), mtime=2_000_000, exif=sideways)
    teal = draw(folder.with_name("teal.png"), "teal")
    pq.write_table(pa.table({"image": [teal], "caption": [CAPTION]}), folder / "shard.parquet")
    os.utime(folder / "shard.parquet", (500_000, 500_000))
    index = folder.with_name("photos.index")
    build(folder, index)
    return index


def _page(index: str) -> None:
    from pathlib import Path

    from clipsearch_ui.app import show
    from clipsearch_ui.serving import Serving

    show(Serving(Path(index)))


@pytest.fixture
def visit() -> Callable[..., AppTest]:
    """Opens the page of an index at an address."""

    def open_page(index: Path, **address: str) -> AppTest:
        page = AppTest.from_function(_page, kwargs={"index": str(index)}, default_timeout=60)
        for name, value in address.items():
            page.query_params[name] = value
        return page.run()

    return open_page
