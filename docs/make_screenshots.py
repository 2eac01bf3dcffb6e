"""Take the documents' pictures of the page: `python docs/make_screenshots.py` (needs Chromium and playwright).

The demo's index is made if need be, the page is served from it, and a real browser looks at it.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

IMAGES = Path(__file__).parent / "images"
QUERY = "a rocket in space"
# Pictures further down are fetched when they come into view.
PAINTED = """() => document.images.length > 8 && [...document.images]
    .filter(image => image.getBoundingClientRect().top < innerHeight)
    .every(image => image.complete && image.naturalWidth > 0)"""
SERVE = (
    "import sys; from pathlib import Path; from clipsearch_ui.launch import launch; "
    "sys.exit(launch(Path(sys.argv[1]), port=int(sys.argv[2]), open_browser=False))"
)


def wait_for(port: int) -> None:
    """Return once somebody listens at the port of this machine."""
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    sys.exit("The page did not start.")


def main() -> None:
    """Write docs/images/page.png."""
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("Chromium is not installed.")
    IMAGES.mkdir(exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        index = Path(folder) / "gallery.index"
        subprocess.run([sys.executable, "-m", "clipsearch", "demo", "--index", str(index)], check=True)
        server = subprocess.Popen([sys.executable, "-c", SERVE, str(index), str(port)])
        try:
            wait_for(port)
            with sync_playwright() as play:
                browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
                page = browser.new_page(viewport={"width": 1280, "height": 800})
                page.goto(f"http://127.0.0.1:{port}/?q={QUERY.replace(' ', '+')}")
                page.wait_for_function(PAINTED, timeout=120_000)
                page.wait_for_timeout(1000)  # pictures fade in
                page.screenshot(path=IMAGES / "page.png")
                browser.close()
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
