"""How quick the page is: `python tests/benchmarks/page.py [--rows N] [--sessions 10]` (needs Chromium and playwright).

The gallery is indexed with mini; `--rows N` makes a collection of N pictures of it, each a picture of the gallery under
an id of its own with a little noise in its vector, so that every thumbnail is a real one. The page is served as users
serve it and looked at with a real browser on the same machine, which takes its share of the processors.

- first page: from going to the address to the first pictures painted, the server just started;
- search: from Enter to every picture on the screen painted, for captions of the gallery that were not asked before;
- sessions: the same with so many pages open that search at once, all in that one browser, which needs most of the time.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from playwright.async_api import Browser, Page, async_playwright

import clipsearch
from clipsearch import Filter
from clipsearch.store.manifest import ModelRef
from clipsearch.store.probes import PROBES
from clipsearch.store.schema import ROW_SCHEMA
from clipsearch.store.snapshot import Snapshot
from clipsearch.store.writer import open_for_writing
from clipsearch_ui.engine import Engine
from clipsearch_ui.filters.address import Shown
from clipsearch_ui.search.find import find
from clipsearch_ui.search.query import Query, Term

SEGMENT = 131_072
NOISE = 0.25  # the length of what is added to a vector of length 1

PAINTED = """what => new Promise(done => {
    const painted = () => {
        const grid = document.querySelector(".grid");
        const seen = grid && (what === null || grid.dataset.what.includes(what))
            ? [...grid.querySelectorAll("img")].filter(one => one.getBoundingClientRect().top < innerHeight) : [];
        seen.length && seen.every(one => one.complete && one.naturalWidth) ? done(performance.now())
            : requestAnimationFrame(painted);
    };
    painted();
})"""


def enlarged(small: Path, large: Path, rows: int) -> None:
    """Write an index of `rows` pictures, those of a small index over and over."""
    rng = np.random.default_rng(0)
    snapshot = Snapshot(small)
    manifest = snapshot.manifest
    model = ModelRef(manifest.model.name, manifest.model.fingerprint, manifest.model.dim)
    ids = [i for (i,) in snapshot.catalog.fetch("SELECT id FROM pictures ORDER BY id")]
    stored = snapshot.catalog.query("SELECT * FROM pictures ORDER BY id")
    vectors = snapshot.vectors_of(ids).astype(np.float32)
    shutil.rmtree(large, ignore_errors=True)
    large.mkdir(parents=True)
    shutil.copy(small / PROBES, large / PROBES)
    with open_for_writing(large, model) as writer:
        for root in manifest.roots:
            writer.roots[root.alias] = root
        for start in range(0, rows, SEGMENT):
            count = min(SEGMENT, rows - start)
            chosen = (start + np.arange(count)) % len(ids)
            noise = rng.normal(scale=NOISE / np.sqrt(model.dim), size=(count, model.dim)).astype(np.float32)
            made = vectors[chosen] + noise
            made /= np.linalg.norm(made, axis=1, keepdims=True)
            taken = writer.take_ids(count)
            table = stored.take(chosen).select([name for name in ROW_SCHEMA.names if name in stored.column_names])
            table = table.set_column(0, "id", [np.arange(taken.start, taken.stop)]).cast(ROW_SCHEMA)
            writer.append(table, made.astype(np.float16))
        writer.publish()


@contextmanager
def served(index: Path) -> Iterator[tuple[str, int]]:
    """The page's address and its server's process id."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "clipsearch", "ui", "--index", str(index), "--port", str(port), "--no-browser"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}", server.pid
    finally:
        server.terminate()
        server.wait()


async def search(page: Page, text: str) -> float:
    """Milliseconds from Enter to the last picture on the screen."""
    field = page.get_by_label("Search", exact=True)
    await field.fill(text)
    began = await page.evaluate("performance.now()")
    await field.press("Enter")
    return await painted(page, text) - began


async def more_like(page: Page) -> float:
    """The same from a click on "More like this": sixty pictures, whatever they show."""
    asked = await page.evaluate("document.querySelectorAll('.grid .tile')[1].dataset.id")
    began = await page.evaluate("performance.now()")
    await page.evaluate("document.querySelectorAll('.grid [data-does=more]')[1].click()")
    return await painted(page, f"like={asked}:1") - began


async def painted(page: Page, text: str | None) -> float:
    """When, by the page's clock in milliseconds, every picture on the screen was there that answers a text."""
    return float(await asyncio.wait_for(page.evaluate(PAINTED, text), 60))


async def one_page(browser: Browser, address: str) -> tuple[float, Page]:
    """Milliseconds to the first pictures, and the page."""
    page = await browser.new_page(viewport={"width": 1280, "height": 800})
    await page.goto(address, wait_until="commit")
    return await painted(page, None), page


async def measured(address: str, pid: int, texts: list[str], sessions: int, queries: int) -> None:
    """Print the figures of a server."""
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        cold, page = await one_page(browser, address)
        row("first page, server and browser just started", [cold])
        warm = []
        for _ in range(5):
            took, other = await one_page(browser, address)
            warm.append(took)
            await other.close()
        row("first page, later", warm)
        row("first search", [await search(page, texts.pop())])
        row("search to grid painted", [await search(page, text) for text in texts[:queries]])
        row("more like this, sixty pictures", [await more_like(page) for _ in range(queries)])
        memory("one session", pid)
        await page.close()
        pages = [(await one_page(browser, address))[1] for _ in range(sessions)]
        shares = [texts[queries + number :: sessions] for number in range(sessions)]
        took = await asyncio.gather(*(many(page, share) for page, share in zip(pages, shares, strict=True)))
        row(f"search to grid painted, {sessions} sessions at once", [one for some in took for one in some])
        memory(f"{sessions} sessions", pid)
        await browser.close()


def answered(index: Path, texts: Sequence[str], sessions: int) -> None:
    """Print how long the server's part of a search takes while so many sessions search, without any browser."""
    engine = Engine(index)
    engine.load_model()

    def one(text: str) -> float:
        began = time.perf_counter()
        find(engine, Query((Term("q", text),)), 61, Filter(), Shown())
        return (time.perf_counter() - began) * 1000

    row("pictures found, one session, no browser", [one(text) for text in texts][5:])
    with ThreadPoolExecutor(sessions) as pool:
        row(f"pictures found, {sessions} sessions at once, no browser", list(pool.map(one, texts)))
    engine.close()


async def many(page: Page, texts: Sequence[str]) -> list[float]:
    """Search for one text after another."""
    return [await search(page, text) for text in texts]


def row(what: str, milliseconds: Sequence[float]) -> None:
    """Print a line of the table."""
    p50, p95 = np.percentile(milliseconds, [50, 95])
    print(f"| {what} | {len(milliseconds)} | {p50:.0f} | {p95:.0f} |", flush=True)


def memory(what: str, pid: int) -> None:
    """Print what the server's process holds."""
    held = dict(line.split(":") for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    own, resident = (int(held[name].split()[0]) // 1024 for name in ("RssAnon", "VmRSS"))
    print(f"| memory of the server, {what}: {own:,} MB its own, {resident:,} MB resident | | | |", flush=True)


def captions(index: clipsearch.Index) -> list[str]:
    """Short captions of the collection, each once."""
    found = index.sql("SELECT DISTINCT caption FROM images WHERE length(caption) < 60 ORDER BY caption")
    return [text for text in found["caption"].to_pylist() if text.isascii() and '"' not in text]


def main() -> None:
    """Make the collection and measure."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--rows", type=int, help="pictures of the collection; the gallery's own by default")
    asked.add_argument("--sessions", type=int, default=10)
    asked.add_argument("--queries", type=int, default=40)
    asked.add_argument("--folder", type=Path, help="where to make the collection, and find it again")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.folder or Path(scratch)
        index = folder / "gallery.index"
        if not index.exists():
            subprocess.run([sys.executable, "-m", "clipsearch", "demo", "--index", str(index)], check=True)
        if given.rows:
            small, index = index, folder / f"{given.rows}.index"
            if not index.exists():
                enlarged(small, index, given.rows)
        with clipsearch.open(index, offline=True) as opened:
            texts = [text for text in captions(opened) if len(opened.search(text, k=1).relevant)]
            print(f"{len(opened):,} pictures\n\n| what | times | p50, ms | p95, ms |\n|---|---|---|---|", flush=True)
        answered(index, texts, given.sessions)
        with served(index) as (address, pid):
            asyncio.run(measured(address, pid, texts, given.sessions, given.queries))


if __name__ == "__main__":
    main()
