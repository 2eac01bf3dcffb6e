"""How well and how fast near-duplicates are told.

`python tests/benchmarks/duplicates.py PHOTOS...` makes copies of the photos in some folders, no two of which should be
the same picture, and prints how many copies are taken for their originals, and how many for other pictures.

`python tests/benchmarks/duplicates.py --rows 1000000` writes an index of made-up vectors with planted duplicates, and
prints what finding them takes.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from many_duplicates import scale
from PIL import Image, ImageEnhance

from clipsearch.pictures import appearance, fit, perceptual, read_picture
from clipsearch.query.sameness import LEAST_COSINE, differing_bits, same_picture


def resized(image: Image.Image, factor: float) -> Image.Image:
    """The picture in another size."""
    size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    return image.resize(size, Image.Resampling.LANCZOS)


def trimmed(image: Image.Image, part: float, left: float, top: float) -> Image.Image:
    """Less of the picture: `part` of width and height goes, of which `left` and `top` on these sides."""
    width, height = round(image.width * (1 - part)), round(image.height * (1 - part))
    x, y = round((image.width - width) * left), round((image.height - height) * top)
    return image.crop((x, y, x + width, y + height))


def brighter(image: Image.Image, factor: float) -> Image.Image:
    """All levels times a factor."""
    return ImageEnhance.Brightness(image).enhance(factor)


COPIES: dict[str, tuple[Callable[[Image.Image], Image.Image], int]] = {
    "a quarter of the size": (lambda i: resized(i, 0.25), 90),
    "half the size": (lambda i: resized(i, 0.5), 90),
    "twice the size": (lambda i: resized(i, 2), 90),
    "JPEG quality 30": (lambda i: i, 30),
    "JPEG quality 60": (lambda i: i, 60),
    "JPEG quality 90": (lambda i: i, 90),
    "2 % trimmed all round": (lambda i: trimmed(i, 0.02, 0.5, 0.5), 90),
    "5 % trimmed all round": (lambda i: trimmed(i, 0.05, 0.5, 0.5), 90),
    "5 % trimmed at one corner": (lambda i: trimmed(i, 0.05, 0, 1), 90),
    "darker by 30 %": (lambda i: brighter(i, 0.7), 90),
    "brighter by 30 %": (lambda i: brighter(i, 1.3), 90),
    "contrast up by 30 %": (lambda i: ImageEnhance.Contrast(i).enhance(1.3), 90),
    "some of each": (lambda i: resized(trimmed(brighter(i, 1.15), 0.03, 0.3, 0.7), 0.6), 50),
}
"""What is done to a picture, and the JPEG quality it is then saved with."""


def saved(image: Image.Image, quality: int) -> bytes:
    """A JPEG's bytes."""
    buffer = io.BytesIO()
    image.save(buffer, "jpeg", quality=quality)
    return buffer.getvalue()


def zauner(image: Image.Image) -> int:
    """The hash as Zauner (2010) has it: coefficients 1..8 x 1..8 against their median; to compare with."""
    small = np.asarray(image.convert("L").resize((32, 32), Image.Resampling.BOX), dtype=np.float32)
    coefficients = (perceptual._COSINES @ small @ perceptual._COSINES.T)[1:9, 1:9]
    return int(np.packbits(coefficients > np.median(coefficients)).view(">i8")[0])


class Seen:
    """Embeddings float32 [n, dim] and two perceptual hashes int64 [n] of encoded pictures."""

    def __init__(self, encoder, pictures: Iterator[bytes]) -> None:
        wanted = encoder.preprocessing
        vectors, pixels, hashes, zauners = [], [], [], []
        for data in pictures:
            image = read_picture(data, draft=(wanted.width, wanted.height)).image
            pixels.append(fit(image, wanted))
            hashes.append(appearance(image).perceptual_hash)
            zauners.append(zauner(image))
            if len(pixels) == 64:
                vectors.append(encoder.encode_images(np.stack(pixels)))
                pixels = []
        if pixels:
            vectors.append(encoder.encode_images(np.stack(pixels)))
        self.vectors = np.concatenate(vectors).astype(np.float16).astype(np.float32)
        self.hashes, self.zauners = np.array(hashes, np.int64), np.array(zauners, np.int64)


Rule = Callable[[Seen, Seen], np.ndarray]
RULES: dict[str, Rule] = {
    "embedding and hash (what clipsearch does)": lambda a, b: same_picture(
        a.vectors @ b.vectors.T, a.hashes[:, None], b.hashes[None]
    ),
    "the same with Zauner's hash": lambda a, b: same_picture(
        a.vectors @ b.vectors.T, a.zauners[:, None], b.zauners[None]
    ),
    "embedding alone, cosine >= 0.97": lambda a, b: a.vectors @ b.vectors.T >= 0.97,
    "hash alone, <= 10 bits": lambda a, b: differing_bits(a.hashes[:, None], b.hashes[None]) <= 10,
    "hash alone, <= 16 bits": lambda a, b: differing_bits(a.hashes[:, None], b.hashes[None]) <= 16,
}


def quality(folders: list[Path], sample: int, at_most: int) -> None:
    """Print the tables of recall and precision."""
    from clipsearch.models import load_encoder

    encoder = load_encoder("mini", device="cpu", offline=True)
    rng = np.random.default_rng(0)
    files, copied, parts = [], [], {}
    for folder in folders:
        found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
        rng.shuffle(found)  # type: ignore[arg-type]
        parts[folder.name] = slice(len(copied), len(copied) + min(sample, len(found)))
        copied += range(len(files), len(files) + min(sample, len(found)))
        files += found[:at_most]
    originals = Seen(encoder, (path.read_bytes() for path in files))
    kinds = {}
    for kind, (change, level) in COPIES.items():
        opened = (Image.open(files[i]).convert("RGB") for i in copied)
        kinds[kind] = Seen(encoder, (saved(change(image), level) for image in opened))
        print(f"made: {kind}", file=sys.stderr, flush=True)
    print(f"{len(files):,} photos, {len(copied):,} of them copied in {len(COPIES)} ways, least cosine {LEAST_COSINE}\n")
    _print_kinds(originals, kinds, np.array(copied), parts)
    _print_rules(originals, kinds, np.array(copied), files)


def _counts(rule: Rule, originals: Seen, copies: Seen, copied: np.ndarray) -> tuple[int, int]:
    """Copies taken for their originals, and for other pictures."""
    same = rule(copies, originals)
    right = int(same[np.arange(len(copied)), copied].sum())
    return right, int(same.sum()) - right


def _print_kinds(originals: Seen, kinds: dict[str, Seen], copied: np.ndarray, parts: dict[str, slice]) -> None:
    recalls = " | ".join(f"recall, {name}" for name in parts)
    print(f"| the copy is | {recalls} | precision | cosine, 1st percentile | bits, 99th percentile |")
    print("|---" * (len(parts) + 4) + "|")
    for kind, copies in kinds.items():
        right, wrong = _counts(next(iter(RULES.values())), originals, copies, copied)
        cosines = (copies.vectors * originals.vectors[copied]).sum(axis=1)
        bits = differing_bits(copies.hashes, originals.hashes[copied])
        same = same_picture(cosines, copies.hashes, originals.hashes[copied])
        recalls = " | ".join(f"{same[part].mean():.3f}" for part in parts.values())
        print(
            f"| {kind} | {recalls} | {right / max(right + wrong, 1):.3f} | {np.percentile(cosines, 1):.3f} | "
            f"{np.percentile(bits, 99):.0f} |"
        )


def _print_rules(originals: Seen, kinds: dict[str, Seen], copied: np.ndarray, files: list[Path]) -> None:
    pairs = len(files) * (len(files) - 1) // 2
    print(f"\n| rule | recall | precision | of {pairs:,} pairs of different photos taken for the same |")
    print("|---|---|---|---|")
    for name, rule in RULES.items():
        counts = np.array([_counts(rule, originals, copies, copied) for copies in kinds.values()])
        right, wrong = counts.sum(axis=0)
        confused = np.argwhere(np.triu(rule(originals, originals), 1))
        recall = right / (len(copied) * len(kinds))
        print(f"| {name} | {recall:.4f} | {right / (right + wrong):.4f} | {len(confused):,} |")
        if len(confused) < 10:
            for one, other in confused:
                print(f"taken for the same: {files[one].name} {files[other].name}", file=sys.stderr)


def main() -> None:
    """Print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="*", type=Path, help="folders of photos")
    parser.add_argument("--sample", type=int, default=300, help="photos to copy, of each folder")
    parser.add_argument("--at-most", type=int, default=4000, help="photos to read, of each folder")
    parser.add_argument("--rows", type=int, help="pictures of the made-up index")
    given = parser.parse_args()
    if given.rows:
        scale(given.rows)
    elif given.photos:
        quality(given.photos, given.sample, given.at_most)
    else:
        parser.error("name folders of photos, or give --rows")


if __name__ == "__main__":
    main()
