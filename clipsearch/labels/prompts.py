"""Labels and prompt templates as users give them, and the classifier that a model makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from clipsearch.errors import UsageError
from clipsearch.labels.classifier import Classifier, Link
from clipsearch.query.mixing import Vector, unit
from clipsearch.types import Encoder, Tell, Vectors

_ANYTHING = "something"
"""What a label is weighed against where it does not exclude the others, in the same templates."""


def read_labels(given: str) -> tuple[str, ...]:
    """Labels from a text file with one a line, where there is a file so named, else from a list with commas.

    Raises:
        UsageError: a file cannot be read, or there is no label in it.
    """
    file = Path(given).expanduser()
    named = "," not in given and (file.suffix == ".txt" or file.is_file())
    labels = _lines(file) if named else [label.strip() for label in given.split(",")]
    found = tuple(dict.fromkeys(label for label in labels if label))
    if not found:
        raise UsageError(f"{given!r} has no labels; give some with commas between them, or a file with one a line.")
    return found


def read_templates(given: str) -> tuple[str, ...]:
    """Templates by the name of a set that open_clip ships (`openai`, `simple`), or from a text file with one a line.

    Raises:
        UsageError: it is neither, or a line has no `{}`.
    """
    from clipsearch.models.imagenet_templates import TEMPLATE_SETS, imagenet_templates

    for name in TEMPLATE_SETS:
        if given == name:
            return imagenet_templates(name)
    file = Path(given).expanduser()
    if not file.is_file():
        raise UsageError(
            f"{given!r} is no file of templates; choose {', '.join(TEMPLATE_SETS)}, or a file that is there."
        )
    return tuple(line for line in _lines(file) if line)


def require_usable(labels: Sequence[str], templates: Sequence[str], *, multi: bool) -> None:
    """Refuse what no classifier can be made of.

    Raises:
        UsageError: there are too few labels, or a template has no `{}`.
    """
    if len(labels) < 2 and not multi:
        raise UsageError("One label leaves nothing to tell apart; give two or more, or --multi for yes or no.")
    if not templates or not all("{}" in template for template in templates):
        raise UsageError("Every template needs a {} where the label goes; write them as in: a photo of a {}.")


def zero_shot(
    encoder: Encoder, labels: Sequence[str], templates: Sequence[str], *, multi: bool, each: bool, tell: Tell
) -> Classifier:
    """The classifier that a model makes of labels put into templates.

    A label's vector is the normalised mean of the vectors of its sentences (Radford et al. 2021, section 3.1.4). Logits
    are the cosines times the model's logit scale. Models trained with a softmax tell labels apart by one over all of
    them; with `multi`, where labels do not exclude each other, by one over the label and "something", put into the same
    templates. Models trained with a sigmoid (Zhai et al. 2023) judge each label by itself in either case.
    """
    scale, bias = encoder.logit_scale, encoder.logit_bias
    weights = label_vectors(encoder, labels, templates, tell)
    if multi and bias is None:
        weights = weights - label_vectors(encoder, [_ANYTHING], templates, tell)
    link: Link = "sigmoid" if multi or bias is not None else "softmax"
    biases = np.full(len(labels), bias or 0.0, np.float32)
    return Classifier(tuple(labels), np.float32(scale) * weights, biases, link, multi, each or multi, "texts")


def label_vectors(encoder: Encoder, labels: Sequence[str], templates: Sequence[str], tell: Tell) -> Vectors:
    """The normalised mean over the templates for each label, float32 [labels, dim]."""
    vectors = np.empty((len(labels), encoder.dim), np.float32)
    for row, vector in enumerate(embedded(encoder, labels, templates)):
        tell("embedding labels", row, len(labels))
        vectors[row] = vector
    return vectors


def embedded(encoder: Encoder, labels: Iterable[str], templates: Sequence[str]) -> Iterator[Vector]:
    """The vector of each label in turn, float32 [dim], as many embedded at a time as the encoder takes."""
    waiting = iter(labels)
    while some := list(islice(waiting, max(encoder.batch_size // len(templates), 1))):
        sentences = [template.replace("{}", label) for label in some for template in templates]
        for of_label in np.split(encoder.encode_texts(sentences), len(some)):
            yield unit(of_label.mean(axis=0))


def _lines(file: Path) -> list[str]:
    try:
        return [line.strip() for line in file.read_text("utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise UsageError(f"{file} cannot be read ({why}); name a text file with one a line.") from None
