"""Vectors that are as hard to search as CLIP's, at any number of rows, and queries to go with them.

A `World` is a tree of concepts whose branches differ in popularity as Zipf has it. A picture is the sum of its
modality's mean, an offset for each concept on its way down the tree, and detail of its own; all follow a power-law
spectrum, and how much detail there is varies from concept to concept, so that some are crowded with near copies and
some are loose. A text has another mean (the modality gap), names the upper concepts better than the lower ones, and
varies in ways that pictures do not. `calibration.py` compares all that with a real model over real photos.

Rows are made in blocks, each from a seed of its own: any block can be made again, and memory holds one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Steps = NDArray[np.int64]
"""int64 [n, levels]: the branch that each row takes on each level of the tree."""

Shelves = NDArray[np.float64]
"""float64 [n], uniform in 0..1: pictures in the order of the tree, so that a short interval holds similar ones."""

BLOCK = 8192
BRANCHES, TABLE = 12, 1 << 14
_TREE, _ROWS, _PICTURES, _TEXTS, _PROBES = range(5)  # what a random stream is for


@dataclass(frozen=True, slots=True)
class Shape:
    """What was fitted to real embeddings. Shares are parts of a residual's variance; what is left is detail."""

    picture_cone: float = 0.45  # |mean picture|^2: the mean cosine of two random pictures
    text_cone: float = 0.40
    gap: float = 0.16  # mean cosine of a random text and a random picture
    spectrum: float = 1.0  # eigenvalues fall as rank^-spectrum
    shares: tuple[float, ...] = (0.1, 0.1, 0.1, 0.1, 0.1, 0.1)
    looseness: float = 0.7  # sigma of the log-normal scale of a concept's detail
    aligned: tuple[float, ...] = (1.0, 1.0, 0.95, 0.9, 0.7, 0.5)  # cosine of a text's offset with its pictures'
    private: float = 0.75  # part of a text's variance that lies where pictures hardly vary


@dataclass(frozen=True)
class World:
    """A distribution of pictures and texts with `dim` dimensions."""

    dim: int = 512
    seed: int = 0
    shape: Shape = field(default_factory=Shape)

    def blocks(self, rows: int) -> Iterator[tuple[Floats, Shelves]]:
        """The first `rows` pictures in blocks: float32 [n, dim] of norm 1, and their shelves. Always the same."""
        for number, start in enumerate(range(0, rows, BLOCK)):
            rng = self._stream(_ROWS, number)
            vectors, steps = self._pictures(BLOCK, rng)
            yield vectors[: rows - start], _shelves(steps, rng)[: rows - start]

    def picture_queries(self, count: int) -> Floats:
        """Pictures that are not among the rows, float32 [count, dim] of norm 1."""
        return self._pictures(count, self._stream(_PICTURES))[0]

    def text_queries(self, count: int) -> Floats:
        """Texts, float32 [count, dim] of norm 1."""
        return self._texts(count, self._stream(_TEXTS))

    def probes(self, count: int) -> Floats:
        """Other texts, as an indexing run embeds some to tune by, float32 [count, dim] of norm 1."""
        return self._texts(count, self._stream(_PROBES))

    def _texts(self, count: int, rng: np.random.Generator) -> Floats:
        shape = self.shape
        concepts = _concepts(_descend(count, len(shape.shares), rng))
        meant = np.zeros((count, self.dim), np.float32)
        own = np.full((count, 1), 1 - sum(shape.shares), np.float32)
        for level, (share, aligned) in enumerate(zip(shape.shares, shape.aligned, strict=True)):
            meant += np.float32(np.sqrt(share) * aligned) * self._offsets(concepts[:, level], level)
            own += share * (1 - aligned**2)
        shared = meant + np.sqrt(own) * (self._normal((count, self.dim), rng) @ self._basis)
        quiet = self._basis[-self.dim // 4 :]
        private = self._normal((count, len(quiet)), rng) @ quiet
        private /= np.linalg.norm(quiet)
        residuals = np.sqrt(1 - shape.private) * shared + np.sqrt(shape.private) * private
        return self._around(self._means[1], shape.text_cone, residuals)

    def _pictures(self, count: int, rng: np.random.Generator) -> tuple[Floats, Steps]:
        shape = self.shape
        steps = _descend(count, len(shape.shares), rng)
        concepts = _concepts(steps)
        residual = np.zeros((count, self.dim), np.float32)
        for level, share in enumerate(shape.shares):
            residual += np.float32(np.sqrt(share)) * self._offsets(concepts[:, level], level)
        detail = self._normal((count, self.dim), rng) @ self._basis
        spread = np.sqrt(1 - sum(shape.shares)) * self._looseness[concepts[:, -1] % TABLE]
        return self._around(self._means[0], shape.picture_cone, residual + spread[:, None] * detail), steps

    def _around(self, mean: Floats, cone: float, residuals: Floats) -> Floats:
        vectors = np.sqrt(np.float32(cone)) * mean + np.sqrt(np.float32(1 - cone)) * residuals
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors.astype(np.float32)

    def _offsets(self, concepts: Steps, level: int) -> Floats:
        table = self._tables[level]
        return table[concepts * 7919 % len(table)]

    @cached_property
    def _basis(self) -> Floats:
        """Principal axes of pictures times their standard deviations, float32 [dim, dim]; variances sum to 1."""
        axes, _ = np.linalg.qr(self._stream(_TREE, 0).standard_normal((self.dim, self.dim)))
        variances = np.arange(1.0, self.dim + 1) ** -self.shape.spectrum
        return (np.sqrt(variances / variances.sum())[:, None] * axes).astype(np.float32)

    @cached_property
    def _means(self) -> tuple[Floats, Floats]:
        """Directions of the two modalities' means, with the cosine that makes `gap` what it is."""
        a, b = np.linalg.qr(self._stream(_TREE, 1).standard_normal((self.dim, 2)))[0].T.astype(np.float32)
        cosine = self.shape.gap / np.sqrt(self.shape.picture_cone * self.shape.text_cone)
        return a, np.float32(cosine) * a + np.float32(np.sqrt(1 - cosine**2)) * b

    @cached_property
    def _tables(self) -> list[Floats]:
        """Offsets of each level's concepts; where a level has more than `TABLE`, several concepts share a row."""
        sizes = [min(BRANCHES ** (level + 1), TABLE) for level in range(len(self.shape.shares))]
        return [
            self._normal((size, self.dim), self._stream(_TREE, 2, level)) @ self._basis
            for level, size in enumerate(sizes)
        ]

    @cached_property
    def _looseness(self) -> Floats:
        drawn = self._stream(_TREE, 3).lognormal(0, self.shape.looseness, TABLE)
        return (drawn / np.sqrt(np.mean(drawn**2))).astype(np.float32)

    def _stream(self, *key: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, *key])

    @staticmethod
    def _normal(size: tuple[int, int], rng: np.random.Generator) -> Floats:
        return rng.standard_normal(size, dtype=np.float32)


_POPULARITY = 1 / np.arange(1, BRANCHES + 1) / np.sum(1 / np.arange(1, BRANCHES + 1))


def _descend(count: int, levels: int, rng: np.random.Generator) -> Steps:
    """Random ways down the tree; branch i of a node is taken in proportion to 1/(i+1)."""
    return rng.choice(BRANCHES, (count, levels), p=_POPULARITY)


def _concepts(steps: Steps) -> Steps:
    """The number of the concept that is reached on each level, int64 [n, levels]."""
    concepts = steps.copy()
    for level in range(1, steps.shape[1]):
        concepts[:, level] += BRANCHES * concepts[:, level - 1]
    return concepts


def _shelves(steps: Steps, rng: np.random.Generator) -> Shelves:
    """Where each row stands when branches are laid side by side, each as wide as it is popular."""
    left = np.cumsum(_POPULARITY) - _POPULARITY
    shelves, width = np.zeros(len(steps)), np.ones(len(steps))
    for level in steps.T:
        shelves += width * left[level]
        width *= _POPULARITY[level]
    return shelves + width * rng.random(len(steps))
