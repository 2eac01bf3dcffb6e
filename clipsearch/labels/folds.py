"""What cross-validation says of something learnt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FOLDS = 5


@dataclass(frozen=True, slots=True)
class CrossValidated:
    """How good what was learnt from the other folds was on each fold.

    Attributes:
        folds: of a probe, the share of right answers, 0..1; of a head, Spearman's rank correlation, -1..1.
        penalty: the strength of the L2 penalty that did best on the same folds, of a few.
    """

    folds: tuple[float, ...]
    penalty: float

    @property
    def mean(self) -> float:
        """The mean over the folds."""
        return float(np.mean(self.folds))

    @property
    def spread(self) -> float:
        """The standard deviation over the folds."""
        return float(np.std(self.folds))
