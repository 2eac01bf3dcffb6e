"""An evaluation as figures with names, and bounds they must keep, for continuous integration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from clipsearch.errors import ClipsearchError, UsageError
from clipsearch.evaluation.distortions import DISTORTIONS
from clipsearch.evaluation.foils import FOILS
from clipsearch.evaluation.metrics import MEASURES
from clipsearch.evaluation.types import Evaluation
from clipsearch.evaluation.wordings import WORDINGS

FIGURES = (
    *MEASURES,
    *(f"image-to-text/{name}" for name in MEASURES),
    "top-1",
    "top-5",
    "neighbours/pictures",
    "neighbours/texts",
    *(f"robustness/{name}" for name in DISTORTIONS),
    *(f"wording/{name}" for name in WORDINGS),
    *(f"probe/{name}" for name in FOILS),
)
"""Names of all figures. Robustness is the mean cosine, a wording's figure its R@5, a probe's its accuracy."""


def figures(found: Evaluation) -> Mapping[str, float]:
    """What was measured, by the names in `FIGURES`; what was not is left out."""
    values: dict[str, float | None] = {}
    if found.retrieval:
        values |= found.retrieval.text_to_image.measures
        values |= {f"image-to-text/{name}": v for name, v in found.retrieval.image_to_text.measures.items()}
    if found.classes:
        values |= {"top-1": found.classes.top1, "top-5": found.classes.top5}
    if found.neighbours:
        values |= {f"neighbours/{kind}": recall for kind, recall in found.neighbours.recall.items()}
    values |= {f"robustness/{spoilt.name}": spoilt.cosine for spoilt in found.robustness}
    values |= {f"wording/{wording.name}": wording.recall for wording in found.wordings}
    values |= {f"probe/{probe.name}": probe.accuracy for probe in found.probes}
    return {name: value for name, value in values.items() if value is not None}


def bounds(texts: Sequence[str]) -> Mapping[str, float]:
    """Lower bounds, given as `R@5=0.4`, by name.

    Raises:
        UsageError: one is not of this form, or its name is none of `FIGURES`.
    """
    found = {}
    names = {name.lower(): name for name in FIGURES}
    for text in texts:
        name, _, value = text.rpartition("=")
        if name.strip().lower() not in names:
            raise UsageError(f"{text!r} is no bound; give one like R@5=0.4, of {', '.join(FIGURES)}.")
        try:
            found[names[name.strip().lower()]] = float(value)
        except ValueError:
            raise UsageError(f"{value!r} in {text!r} is no number; give a bound like R@5=0.4.") from None
    return found


def below(found: Evaluation, least: Mapping[str, float]) -> ClipsearchError | None:
    """An error to raise where a figure is below its bound or was not measured; None where all is well."""
    measured = figures(found)
    missing = [name for name in least if name not in measured]
    if missing:
        return ClipsearchError(f"{missing[0]} was not measured, so it cannot be held to {least[missing[0]]:g}.")
    low = [
        f"{name} is {measured[name]:.4f}, below {bound:g}"
        for name, bound in least.items()
        if not measured[name] >= bound
    ]
    return ClipsearchError(f"{'; '.join(low)}.") if low else None
