"""Ratings that somebody gave pictures, and the head that is learnt from them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clipsearch.errors import SourceError
from clipsearch.labels.folds import FOLDS, CrossValidated
from clipsearch.labels.heads import Head
from clipsearch.names import to_stored
from clipsearch.store.snapshot import Snapshot
from clipsearch.store.sql import literal
from clipsearch.types import Ids, Vectors

FEWEST = 10
"""Ratings to learn anything from."""

_PENALTIES = 10.0 ** np.arange(0, -6, -1)

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Ratings:
    """Rated pictures of an index: `ids`, int64 [n], and their `ratings`, float64 [n]; `unknown` more are not in it."""

    ids: Ids
    ratings: Array
    unknown: int


def read_ratings(path: Path, snapshot: Snapshot) -> Ratings:
    """Ratings from a `.csv`, `.tsv` or `.jsonl` file with `path` (as a search prints it, or within its root) or `id`,
    and `rating`, a number. Of a picture rated twice the last counts.

    Raises:
        SourceError: the file cannot be read, or a line is no rating.
    """
    rated: dict[str | int, float] = {}
    for number, row in enumerate(_rows(path), 1):
        try:
            name = int(row["id"]) if row.get("id") not in (None, "") else str(row["path"])
            rated[name] = float(row["rating"])
            if not np.isfinite(rated[name]):
                raise ValueError
        except (AttributeError, KeyError, TypeError, ValueError):
            raise SourceError(
                f"Rating {number} of {path} is none; each needs a `path` or an `id`, and a `rating` that is a number."
            ) from None
    known = _known(snapshot, rated)
    by_id = {known[name]: rating for name, rating in rated.items() if name in known}
    ids = np.array(sorted(by_id), np.int64)
    return Ratings(ids, np.array([by_id[i] for i in ids.tolist()]), len(rated) - len(known))


def _rows(path: Path) -> list[Mapping[str, Any]]:
    delimiter = {".csv": ",", ".tsv": "\t", ".jsonl": None}.get(path.suffix.lower(), "")
    if delimiter == "":
        raise SourceError(f"{path} is neither .csv, .tsv nor .jsonl; write the ratings in one of these formats.")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            if delimiter is None:
                return [json.loads(line) for line in file if line.strip()]
            return list(csv.DictReader(file, delimiter=delimiter))
    except (OSError, ValueError, csv.Error) as error:
        raise SourceError(f"The ratings in {path} cannot be read ({error}); give a UTF-8 text file.") from None


def _known(snapshot: Snapshot, names: Iterable[str | int]) -> dict[str | int, int]:
    """The ids of those names that are pictures of the index."""
    roots = {alias: to_stored(str(place)).rstrip("/") + "/" for alias, place in snapshot.roots().items()}
    wanted: dict[str, str | int] = {}
    ids = [name for name in names if isinstance(name, int)]
    for name in (to_stored(name) for name in names if isinstance(name, str)):
        wanted[name] = name
        wanted |= {name.removeprefix(root): name for root in roots.values() if name.startswith(root)}
    listed = ", ".join(map(literal, wanted)) or "NULL"
    numbers = ", ".join(map(str, ids)) or "NULL"
    rows = snapshot.catalog.fetch(f"SELECT id, path FROM images WHERE path IN ({listed}) OR id IN ({numbers})")
    found: dict[str | int, int] = {wanted[path]: number for number, path in rows if path in wanted}
    there = {number for number, _ in rows}
    return found | {number: number for number in ids if number in there}


def learn(vectors: Vectors, ratings: Array) -> tuple[Head, CrossValidated]:
    """A head by ridge regression (Hoerl and Kennard 1970), its penalty that of a few with the least squared error in
    cross-validation of 5 folds, and how well it ranks what it had not seen there.

    Args:
        vectors: of the rated pictures, float32 [n, dim] of norm 1.
        ratings: float64 [n].

    Raises:
        SourceError: there are too few ratings, or all are the same.
    """
    if len(ratings) < FEWEST or np.ptp(ratings) == 0:
        raise SourceError(
            f"{len(ratings)} ratings of pictures in the index, {len(np.unique(ratings))} of them different, are too "
            f"few to learn from; rate at least {FEWEST} pictures, some better than others."
        )
    x = vectors.astype(np.float64)
    fold_of = np.random.default_rng(0).permutation(len(x)) % FOLDS
    errors, ranks = np.empty((FOLDS, len(_PENALTIES))), np.empty((FOLDS, len(_PENALTIES)))
    for fold in range(FOLDS):
        seen, unseen = fold_of != fold, fold_of == fold
        for number, (weights, bias) in enumerate(_ridge(x[seen], ratings[seen])):
            guessed = x[unseen] @ weights + bias
            errors[fold, number] = ((guessed - ratings[unseen]) ** 2).mean()
            ranks[fold, number] = spearman(guessed, ratings[unseen])
    best = int(errors.mean(axis=0).argmin())
    weights, bias = _ridge(x, ratings)[best]
    agreement = CrossValidated(tuple(ranks[:, best].tolist()), float(_PENALTIES[best]))
    return Head(weights.astype(np.float32), bias), agreement


def _ridge(x: Array, y: Array) -> list[tuple[Array, float]]:
    """Weights and bias at each penalty: the minimum of mean squared error + penalty * squared weights."""
    centre, middle = x.mean(axis=0), float(y.mean())
    values, axes = np.linalg.eigh((x - centre).T @ (x - centre) / len(x))
    target = axes.T @ ((x - centre).T @ (y - middle) / len(x))
    found = (axes @ (target / (np.maximum(values, 0) + penalty)) for penalty in _PENALTIES)
    return [(weights, middle - float(centre @ weights)) for weights in found]


def spearman(one: Array, other: Array) -> float:
    """Spearman's rank correlation, equal values with the mean of their ranks; 0 where either does not vary."""
    a, b = _ranks(one), _ranks(other)
    spread = a.std() * b.std()
    return float(((a - a.mean()) * (b - b.mean())).mean() / spread) if spread else 0.0


def _ranks(values: Array) -> Array:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Array = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return ranks
