"""Statistics of an index's vectors: how a query scores against pictures that have nothing to do with it.

`docs/relevance.md` has the formulae and their sources; `clipsearch.query.relevance` turns them into an answer.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import astuple, dataclass
from pathlib import Path
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from clipsearch.errors import IndexDamaged
from clipsearch.store.probes import Probes
from clipsearch.types import Ids, StoredVectors, Vectors

Vector = NDArray[np.float32]
Matrix = NDArray[np.float32]
Maxima = NDArray[np.float64]

SAMPLE = 20_000
"""Pictures looked at. Standard errors of the moments are then below 1 % of the spread."""

MIN_PICTURES = 50
"""With fewer nothing is said of what an unrelated query comes to: too few to tell."""

_CHANGED = 0.05
"""Statistics are measured anew once this share of the pictures has come or gone."""

PICTURE_PROBES = 400
"""Pictures that are asked with, to tell how pictures score that have nothing to do with a query by picture."""

_BLOCK = 1000
_SMALLER = 8
_FITTED = (0.1, 0.6)
_MIDDLE = 0.35
_LEAST_VARIANCE = 1e-12
_LEAST_SCALE = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Mean float32 [dim] and covariance float32 [dim, dim] of a set of vectors."""

    mean: Vector
    covariance: Matrix

    def standing(
        self, scores: NDArray[np.float32], vectors: Vectors, owners: NDArray[np.intp] | None = None
    ) -> NDArray[np.float32]:
        """How far inner products lie above those with the set: in standard deviations from the mean.

        `scores` [..., n] are inner products of `vectors` [n, dim], or of those that `owners` [n] picks out; the mean
        and the variance of a vector v's inner products with the set are v . mean and v^T C v, exactly.
        """
        means: NDArray[np.float32] = vectors @ self.mean
        deviations = self.deviations(vectors)
        if owners is not None:
            means, deviations = means[owners], deviations[owners]
        found: NDArray[np.float32] = (scores - means) / deviations
        return found

    def deviations(self, vectors: Vectors) -> NDArray[np.float32]:
        """The standard deviation of each of vectors' [n, dim] inner products with the set, float32 [n]."""
        variances = np.einsum("nd,nd->n", vectors @ self.covariance, vectors)
        found: NDArray[np.float32] = np.sqrt(np.maximum(variances, _LEAST_VARIANCE))
        return found


@dataclass(frozen=True, slots=True)
class Peaks:
    """How high the best of `pictures` unrelated pictures stands: a Gumbel distribution with this location and scale.

    The location moves by `growth` for each unit of `largest_normal`.
    """

    location: float
    scale: float
    growth: float
    pictures: int

    def tail(self, prominences: NDArray[np.float32], pictures: int) -> NDArray[np.float32]:
        """The chance that the best of `pictures` unrelated pictures stands at least so high, for each of [n]."""
        location = self.location + self.growth * (largest_normal(pictures) - largest_normal(self.pictures))
        reduced = np.clip((prominences.astype(np.float64) - location) / self.scale, -30.0, 700.0)
        return -np.expm1(-np.exp(-reduced)).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """Queries of one kind, texts or pictures: the moments of their vectors, and the peaks of those that fit nothing."""

    queries: Moments
    peaks: Peaks


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """What is known of an index's vectors.

    Attributes:
        pictures: moments of the pictures' vectors.
        by_text: queries with a text; None with fewer than `MIN_PICTURES`, or where no probes have been embedded.
        by_picture: queries by picture; None with fewer than `MIN_PICTURES`.
        sampled: pictures the statistics come from.
        rows, next_id: the index when it was measured.
        probes: digest of the probes used, or nothing.
    """

    pictures: Moments
    by_text: Kind | None
    by_picture: Kind | None
    sampled: int
    rows: int
    next_id: int
    probes: str

    def centre(self, vector: Vector) -> float:
        """The mean inner product of a vector [dim] with the index's vectors."""
        return float(vector @ self.pictures.mean)

    def spread(self, vector: Vector) -> float:
        """The standard deviation of a vector's inner products with the index's vectors: sqrt(v^T C v)."""
        return float(np.sqrt(max(float(vector @ self.pictures.covariance @ vector), _LEAST_VARIANCE)))


def sample(ids: Ids) -> Ids:
    """At most `SAMPLE` of the ids, drawn uniformly with a fixed seed, in their order."""
    if len(ids) <= SAMPLE:
        return ids
    chosen = np.random.default_rng(0).choice(len(ids), SAMPLE, replace=False)
    return ids[np.sort(chosen)]


def is_due(old: Background | None, probes: Probes | None, *, rows: int, next_id: int) -> bool:
    """Whether the statistics of an index that now has `rows` and `next_id` are to be measured anew."""
    if old is None or (probes is not None and probes.digest != old.probes):
        return True
    added = next_id - old.next_id
    removed = old.rows + added - rows
    return added + removed > _CHANGED * old.rows


def measure(
    vectors: StoredVectors | Vectors,
    probes: Probes | None,
    *,
    rows: int,
    next_id: int,
    as_queries: Vectors | None = None,
) -> Background:
    """The statistics of sampled vectors [n, dim], n >= 1, of an index with `rows` pictures.

    `as_queries` [n, dim] are the same pictures as they are searched by, where that is not by the stored vector.
    """
    # Not in the order of ids: pictures taken one after another are alike, and blocks have to be alike instead.
    order = np.random.default_rng(0).permutation(len(vectors))
    pictures = vectors[order].astype(np.float32)
    moments = moments_of(pictures)
    by_text = by_picture = None
    if probes is not None and len(pictures) >= MIN_PICTURES:
        by_text = _kind(probes.vectors, moments_of(probes.vectors), pictures, moments)
    if len(pictures) >= MIN_PICTURES:
        asked, about = (pictures, moments) if as_queries is None else (as_queries[order], moments_of(as_queries))
        by_picture = _kind(asked[:PICTURE_PROBES], about, pictures, moments, stored=True)
    return Background(
        moments, by_text, by_picture, len(pictures), rows, next_id, probes.digest if probes is not None else ""
    )


def moments_of(vectors: Vectors) -> Moments:
    """Mean and covariance of vectors [n, dim]."""
    mean = vectors.mean(axis=0, dtype=np.float64)
    centred = vectors - mean.astype(np.float32)
    return Moments(mean.astype(np.float32), centred.T @ centred / np.float32(len(vectors)))


def prominence(
    queries: Vectors,
    about: Moments,
    scores: NDArray[np.float32],
    pictures: Vectors,
    background: Moments,
    owners: NDArray[np.intp] | None = None,
) -> NDArray[np.float32]:
    """How far pairs of query and picture stand out, seen from both sides, float32 of the shape of `scores`.

    The mean of two standings: of the score among the query's scores with all pictures (`background`), and among the
    picture's scores with all queries (`about`). `scores` [m, n] are the inner products of `queries` [m, dim] and
    `pictures` [n, dim], or [n] those of pictures and the query that `owners` [n] names for each; without them of the
    only one.
    """
    return (background.standing(scores.T, queries, owners).T + about.standing(scores, pictures)) / np.float32(2)


def largest_normal(count: int) -> float:
    """About the expected largest of `count` standard normal numbers.

    Blom 1958, "Statistical Estimates and Transformed Beta-Variables": the quantile at (n - 3/8) / (n + 1/4).
    """
    return NormalDist().inv_cdf((count - 0.375) / (count + 0.25))


def _kind(probes: Vectors, about: Moments, pictures: Vectors, background: Moments, *, stored: bool = False) -> Kind:
    """What probes [p, dim] tell of queries like them; with `stored` they are the first p of the pictures [n, dim]."""

    def prominences(part: slice) -> NDArray[np.float32]:
        block = pictures[part]
        return prominence(probes, about, probes @ block.T, block, background)

    return Kind(about, peaks_of(prominences, len(pictures), len(probes), stored=stored))


def peaks_of(
    prominences: Callable[[slice], NDArray[np.float32]], pictures: int, probes: int, *, stored: bool = False
) -> Peaks:
    """How high the best of some pictures stands for probes that have nothing to do with them.

    Args:
        prominences: gives those of the pictures at some places for each probe, float32 [probes, places].
        pictures: how many pictures there are, in an order that has nothing to do with what they show.
        probes: how many probes there are.
        stored: whether the probes are the first of the pictures.
    """
    block = min(pictures, _BLOCK)
    small = max(block // _SMALLER, 1)
    maxima = np.empty((2, pictures // block, probes), np.float64)
    for i in range(pictures // block):
        found = prominences(slice(i * block, (i + 1) * block))
        if stored and i == 0:
            np.fill_diagonal(found, -np.inf)  # a picture is no answer to itself
        maxima[0, i] = found[:, :small].max(axis=1)
        maxima[1, i] = found.max(axis=1)
    return _peaks(maxima[0], maxima[1], small, block)


def _peaks(small_maxima: Maxima, maxima: Maxima, small: int, block: int) -> Peaks:
    """A Gumbel distribution through the lower quantiles of maxima [blocks, probes] over `block` pictures each.

    Some probes are in the collection; their maxima lie high, so only the lower part is fitted.
    """
    parts = np.linspace(*_FITTED, 11)
    scale, location = np.polyfit(-np.log(-np.log(parts)), np.quantile(maxima, parts), 1)
    steps = largest_normal(block) - largest_normal(small)
    rise = np.quantile(maxima, _MIDDLE) - np.quantile(small_maxima, _MIDDLE)
    growth = rise / steps if steps > 0 else 0.0
    return Peaks(float(location), max(float(scale), _LEAST_SCALE), max(float(growth), 0.0), block)


def write(path: Path, background: Background) -> None:
    """Store statistics as an `.npz` file; `read` gives them back as they are."""
    arrays: dict[str, NDArray[np.generic]] = {
        "mean": background.pictures.mean,
        "covariance": background.pictures.covariance,
        "counts": np.array([background.sampled, background.rows, background.next_id]),
        "probes": np.array(background.probes),
    }
    if background.by_text is not None:
        arrays["text_mean"] = background.by_text.queries.mean
        arrays["text_covariance"] = background.by_text.queries.covariance
        arrays["text_peaks"] = np.array(astuple(background.by_text.peaks))
    if background.by_picture is not None:
        arrays["picture_peaks"] = np.array(astuple(background.by_picture.peaks))
    with path.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]  # NumPy types the options among the arrays


def read(path: Path) -> Background:
    """Statistics as `write` stored them.

    Raises:
        IndexDamaged: the file is missing or unreadable.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        pictures = Moments(arrays["mean"], arrays["covariance"])
        sampled, rows, next_id = (int(count) for count in arrays["counts"])
        by_text = by_picture = None
        if "text_peaks" in arrays:
            about = Moments(arrays["text_mean"], arrays["text_covariance"])
            by_text = Kind(about, _stored_peaks(arrays["text_peaks"]))
        if "picture_peaks" in arrays:
            by_picture = Kind(pictures, _stored_peaks(arrays["picture_peaks"]))
        return Background(pictures, by_text, by_picture, sampled, rows, next_id, str(arrays["probes"]))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        raise IndexDamaged(f"{path} cannot be read; run `clipsearch repair --index {path.parent}`.") from None


def _stored_peaks(values: NDArray[np.float64]) -> Peaks:
    location, scale, growth, pictures = values.tolist()
    return Peaks(location, scale, growth, int(pictures))
