"""Take the documents' pictures of every page: `python docs/make_screenshots.py` (needs Chromium and playwright).

The gallery, with copies of a few of its pictures, is indexed with mini in a folder of its own; the page is served from
it, and a real browser looks at each page in light and dark, on a desk and on a phone. `python docs/make_screenshots.py
--into DIR NAME...` takes some of them, elsewhere.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

import clipsearch

IMAGES = Path(__file__).parent / "images" / "ui"
GALLERY = Path(clipsearch.__file__).parent / "gallery"
QUERY = "a rocket in space"
# Pictures further down are fetched when they come into view.
PAINTED = """() => [...document.images].filter(image => {
    const box = image.getBoundingClientRect();
    return image.checkVisibility() && box.width && box.bottom > 0 && box.top < innerHeight && box.left < innerWidth;
}).every(image => image.complete && image.naturalWidth > 0)"""
SETTLED = """() => document.querySelector('[data-testid=stApp][data-test-script-state=notRunning]')
    && !document.querySelector('[data-testid=stSkeleton]')"""

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
SIZES = {"desktop": (1280, 800), "phone": (390, 800)}


@dataclass(frozen=True, slots=True)
class Scene:
    """A page to look at: its address, and what to wait for there."""

    address: str
    until: str


SCENES = {
    "search": Scene("/?q=" + QUERY.replace(" ", "+"), ".grid img"),
    "newest": Scene("/", ".grid img"),
    "terms": Scene("/?q=a+sailboat&also=at+night%3A0.7&like=5%3A-0.5&not=a+car&all=1", ".grid img"),
    "nothing": Scene("/?q=a+steam+engine+in+a+dentist%27s+office", "h3"),
    "filters": Scene("/?q=a+rainbow&min=400&format=JPEG", ".grid img"),
    "refused": Scene("/?where=colour+%3D+1", "[data-testid=stAlert]"),
    "picture": Scene("/?picture=24", "[role=dialog] img"),
    "map": Scene("/map", "canvas"),
    "duplicates": Scene("/duplicates?level=near", "[data-testid=stMain] img"),
    "library": Scene("/library", "[data-testid=stMain] button"),
}


@contextmanager
def own_folder() -> Iterator[Path]:
    """A folder under a name that may stand in a picture, and nothing of this user's around it."""
    folder = Path(tempfile.gettempdir()) / "pictures"
    folder.mkdir()  # it is nobody else's
    os.environ["XDG_DATA_HOME"] = str(folder / "data")
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def gallery_in(folder: Path) -> Path:
    """The index of a copy of the gallery in which some pictures are there twice."""
    gallery, index = folder / "gallery", folder / "gallery.index"
    shutil.copytree(GALLERY, gallery)
    twice = sorted((gallery / "beach").glob("*.jp*g"))[:4]
    for number, file in enumerate(twice):
        with Image.open(file) as picture:
            small = picture.resize((picture.width * 3 // 4, picture.height * 3 // 4))
            small.save(gallery / "travel" / f"smaller {file.name}", quality=85 - 5 * number)
    shutil.copy(twice[0], gallery / "travel")
    command = [sys.executable, "-m", "clipsearch", "index", str(gallery), "--index", str(index), "--model", "mini"]
    subprocess.run(command, check=True)
    return index


@contextmanager
def served(index: Path) -> Iterator[str]:
    """The address of the page, served as users serve it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "clipsearch", "ui", "--index", str(index), "--port", str(port), "--no-browser"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def _wait_for(port: int) -> None:
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    sys.exit("The page did not start.")


def take(browser: Browser, address: str, scene: Scene, scheme: Scheme, size: tuple[int, int]) -> Image.Image:
    """Look at a scene once all of it is painted."""
    width, height = size
    phone = width < 600
    page = browser.new_page(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        has_touch=phone,
        is_mobile=phone,
        device_scale_factor=2 if phone else 1,
    )
    page.goto(address + scene.address)
    page.wait_for_selector(scene.until, timeout=120_000)
    page.wait_for_function(SETTLED, timeout=60_000)
    page.wait_for_function(PAINTED, timeout=60_000)
    page.wait_for_timeout(1500)  # things fade in
    shot = page.screenshot()
    page.close()
    return Image.open(BytesIO(shot)).convert("RGB")


def main() -> None:
    """Write docs/images/ui/SCENE-SIZE-SCHEME.webp."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("scenes", nargs="*", metavar="NAME", help=f"{', '.join(SCENES)}; all by default")
    asked.add_argument("--into", type=Path, default=IMAGES)
    given = asked.parse_args()
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("Chromium is not installed.")
    given.into.mkdir(parents=True, exist_ok=True)
    with own_folder() as folder:
        index = gallery_in(folder)
        with served(index) as address, sync_playwright() as play:
            browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            for name in given.scenes or SCENES:
                for size, pixels in SIZES.items():
                    for scheme in SCHEMES:
                        picture = take(browser, address, SCENES[name], scheme, pixels)
                        picture.save(given.into / f"{name}-{size}-{scheme}.webp", quality=82, method=6)
                print(name)
            browser.close()


if __name__ == "__main__":
    main()
