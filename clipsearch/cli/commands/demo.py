"""`clipsearch demo`: the main job on the shipped gallery with the shipped model."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from clipsearch.cli.options import IndexOption
from clipsearch.errors import ModelMismatch

if TYPE_CHECKING:
    from clipsearch.types import IndexReport

TEXTS = (
    "a rocket in space",
    "a sailboat on the sea at sunset",
    "three camels in the desert",
    "a cat in the living room",
)
PICTURES = ("awkward/turned-6.jpg",)


def demo(index: IndexOption = None) -> None:
    """Index the shipped gallery with the shipped model, ask it a few questions and print the answers."""
    from clipsearch.cli.commands.index import print_report
    from clipsearch.cli.hits import print_hits
    from clipsearch.known import remember
    from clipsearch.query.index import Index

    gallery = gallery_folder()
    place = (index or _default_place()).expanduser().absolute()
    remember(place)
    started = time.monotonic()
    print(f"Indexing {gallery} with mini, the small model that ships with clipsearch ...", flush=True)
    print_report(_build(gallery, place), as_json=False)
    with Index(place, offline=True) as opened:
        for text in TEXTS:
            print(f'\nclipsearch search "{text}"')
            print_hits(opened.search(text, k=3))
        for picture in PICTURES:
            print(f"\nclipsearch search --image {picture}")
            print_hits(opened.search(image=gallery / picture, k=3))
    print(f"\nDone in {time.monotonic() - started:.0f} s. Now:")
    print(f"  look at it            clipsearch ui --index {place}")
    print(f'  ask it yourself       clipsearch search "a birthday cake in a room" --index {place}')
    print("  index your own        clipsearch index ~/Pictures")
    print("mini is small and far from the best; `clipsearch models` lists the models made for photos.")


def gallery_folder() -> Path:
    """The gallery that ships with clipsearch."""
    return Path(__file__).parents[2] / "gallery"


def _default_place() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("clipsearch") / "demo.index"


def _build(gallery: Path, place: Path) -> IndexReport:
    """Index the gallery; a demo index that an earlier release made with another mini is made anew."""
    import shutil

    from clipsearch.cli.progress import shown_progress
    from clipsearch_indexer import build

    with shown_progress() as listen:
        try:
            return build(gallery, place, model="mini", offline=True, progress=listen)
        except ModelMismatch:
            if place != _default_place():
                raise
            shutil.rmtree(place)
            return build(gallery, place, model="mini", offline=True, progress=listen)
