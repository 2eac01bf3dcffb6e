"""How quickly each engine indexes the same pictures with the same weights."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import numpy as np
import open_clip
import torch
from PIL import Image

from clipsearch_indexer.bench import bench_index

from .engines import Engine, Run, Vectors
from .workspace import Workspace, side_of

COMPARED = 32
COLUMNS = [
    "model",
    "engine",
    "images/s, whole process",
    "clipsearch is quicker by",
    "images/s at work",
    "clipsearch is quicker by",
    "memory, MB",
    "cosine, worst / median",
]


@dataclass
class Found:
    """What was measured of one engine."""

    runs: list[Run] = field(default_factory=list)
    cosines: list[float] = field(default_factory=list)


def prepare(place: Workspace, architectures: Sequence[str], engines: Sequence[Engine]) -> None:
    """Make pictures and models, and let every engine do once what it does once: exports, caches."""
    place.make_pictures()
    for architecture in architectures:
        place.rclip_files(architecture)
        for engine in engines:
            out = place.folder / "warm" / f"{architecture}-{engine.name}"
            if not (out / "done").exists():
                shutil.rmtree(out, ignore_errors=True)
                run = engine.run(place, architecture, place.few, out)
                (out / "done").touch()
                print(f"{architecture}: {engine.name} is ready ({run.seconds:.0f} s)", flush=True)


def report(place: Workspace, architectures: Sequence[str], engines: Sequence[Engine], rounds: int) -> None:
    """Run every engine so many times, another one first each round, and print Markdown tables."""
    print(f"{place.count:,} pictures, {rounds} rounds; medians\n\n| {' | '.join(COLUMNS)} |")
    print(f"|{'---|' * len(COLUMNS)}", flush=True)
    for architecture in architectures:
        wanted = reference(place, architecture)
        found = {engine.name: Found() for engine in engines}
        for number in range(rounds):
            turn = number % len(engines)
            for engine in [*engines[turn:], *engines[:turn]]:
                out = place.folder / "run"
                shutil.rmtree(out, ignore_errors=True)
                run = engine.run(place, architecture, place.pictures, out)
                found[engine.name].runs.append(run)
                found[engine.name].cosines = cosines(engine.vectors(out), wanted, place.count)
        for name, one in found.items():
            _print(architecture, name, one, found[engines[0].name], place.count)
    _print_shares(place, architectures)


def reference(place: Workspace, architecture: str) -> Vectors:
    """Vectors of some pictures, by open_clip alone in float32."""
    network, side = place.network(architecture), side_of(architecture)
    transform = open_clip.image_transform(side, is_train=False)
    files = sorted(place.pictures.glob("*.jpg"))
    with torch.inference_mode():
        return {
            file.name: network.encode_image(transform(Image.open(file))[None], normalize=True)[0].numpy()
            for file in files[:: -(-len(files) // COMPARED)]
        }


def cosines(found: Vectors, wanted: Vectors, count: int) -> list[float]:
    """Of the stored vectors to the reference's; every picture must have a vector."""
    if len(found) != count:
        raise SystemExit(f"{len(found)} of {count} pictures have a vector.")
    return [float(found[name] @ vector / np.linalg.norm(found[name])) for name, vector in wanted.items()]


def _print(architecture: str, name: str, one: Found, ours: Found, count: int) -> None:
    whole, work = (median(getattr(run, what) for run in one.runs) for what in ("seconds", "work"))
    our_whole, our_work = (median(getattr(run, what) for run in ours.runs) for what in ("seconds", "work"))
    cells = (
        architecture,
        name,
        f"{count / whole:.1f}",
        f"{whole / our_whole:.2f}",
        f"{count / work:.1f}",
        f"{work / our_work:.2f}",
        f"{max(run.memory for run in one.runs) / 1e6:,.0f}",
        f"{min(one.cosines):.5f} / {median(one.cosines):.5f}",
    )
    print(f"| {' | '.join(cells)} |", flush=True)


def _print_shares(place: Workspace, architectures: Sequence[str]) -> None:
    """How near clipsearch comes to what its encoder alone does with arrays."""
    print("\n| model | fed arrays, images/s | end to end | share |\n|---|---|---|---|")
    models = [str(place.model(architecture)) for architecture in architectures]
    for row in bench_index(Path(place.pictures), models=models, engines=["auto"], device="cpu", offline=True):
        print(f"| {Path(row.model).name} | {row.fed:.1f} | {row.images_per_second:.1f} | {row.share:.0%} |")
        print(f"\n{row.timing.bottleneck}\n")
