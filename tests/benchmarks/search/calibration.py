"""The benchmark's vectors against those of a real model: mini over a folder of captioned photos.

What is published of CLIP and went into `Shape` where mini differs from it: each modality fills a narrow cone, in which
random vectors have a mean cosine of about 0.5, and the cones lie apart (Liang et al., "Mind the Gap", NeurIPS 2022);
cosines of ViT-B/32's pictures and texts run from about 0 to about 0.4 (Hessel et al., "CLIPScore", EMNLP 2021), and
LAION-400M took a caption to fit from 0.3 on; texts are much harder queries than pictures, their neighbours lying far
from one another (Chen et al., "RoarGraph", VLDB 2024; Jaiswal et al., "OOD-DiskANN", 2022).
"""

from __future__ import annotations

import json
from pathlib import Path

import faiss
import numpy as np

from clipsearch.models import load_encoder
from clipsearch.pictures import fit, read_picture

from .difficulty import PROBED, Difficulty, difficulty, spectrum
from .measure import table
from .vectors import Floats, World

BATCH = 64


def embedded(photos: Path) -> tuple[Floats, Floats, Floats]:
    """mini's vectors of a folder's photos: base pictures ("train"), and the others with their first captions."""
    records = [json.loads(line) for line in (photos / "captions.jsonl").read_text().splitlines()]
    base = [r["split"] == "train" for r in records]
    encoder = load_encoder("mini", device="cpu", offline=True)

    def pictures(names: list[str]) -> Floats:
        files = [photos / "images" / name for name in names]
        return encoder.encode_images(np.stack([fit(read_picture(f).image, encoder.preprocessing) for f in files]))

    names = [record["file"] for record in records]
    images = np.concatenate([pictures(names[i : i + BATCH]) for i in range(0, len(names), BATCH)])
    chosen = np.array(base)
    captions = [r["captions"][0] for r, kept in zip(records, base, strict=True) if not kept]
    return images[chosen], images[~chosen], encoder.encode_texts(captions)


def report(photos: Path) -> str:
    """Both spaces side by side, at the number of photos there are."""
    faiss.omp_set_num_threads(2)
    real = embedded(photos)
    world = World()
    rows, queries = len(real[0]), len(real[1])
    base = np.concatenate([vectors for vectors, _ in world.blocks(rows)])
    ours = (base, world.picture_queries(queries), world.text_queries(queries))
    return compare({"mini": real, "benchmark": ours})


def compare(spaces: dict[str, tuple[Floats, Floats, Floats]]) -> str:
    """Table of spaces, each given by its base, picture queries and text queries."""
    columns = [_column(*space) for space in spaces.values()]
    names = list(columns[0])
    return table(["", *spaces], [[name, *(column[name] for column in columns)] for name in names])


def _column(base: Floats, pictures: Floats, texts: Floats) -> dict[str, str]:
    lists = max(8, round(0.83 * len(base) ** 0.5))
    ratio, shares = spectrum(base)
    cells = {
        "dimensions, pictures": f"{base.shape[1]}, {len(base):,}",
        "participation ratio of the covariance": f"{ratio:.0f}",
        "variance in the first 1 / 10 / 50 / 100 axes": _joined(shares),
    }
    for kind, queries in (("pictures", pictures), ("texts", texts)):
        cells |= {f"{kind}: {name}": value for name, value in _cells(difficulty(base, queries, lists), lists)}
    return cells


def _cells(found: Difficulty, lists: int) -> list[tuple[str, str]]:
    probed = " / ".join(f"{100 * part:.0f} %" for part in PROBED)
    return [
        ("mean cosine", f"{found.mean:.2f}"),
        ("cosine of the nearest, 10th / 50th / 90th percentile", _joined(found.top1)),
        ("cosine of the tenth nearest", _joined(found.top10)),
        ("the nearest above the mean, in standard deviations", f"{found.lead:.1f}"),
        ("local intrinsic dimension", f"{found.dimension:.0f}"),
        (f"lists of {lists} that hold the ten nearest", f"{found.scanned:.1f}"),
        (f"recall@10 with {probed} of the lists probed", _joined(found.recall)),
    ]


def _joined(values: tuple[float, ...]) -> str:
    return " / ".join(f"{value:.2f}" for value in values)
