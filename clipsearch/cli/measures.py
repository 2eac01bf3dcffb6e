"""What an evaluation found, for a terminal, and as JSON."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from clipsearch.cli.render import json_text, plural, print_table
from clipsearch.evaluation import Evaluation, ModelMeasures, figures

Table = tuple[str, Sequence[str], Sequence[Sequence[object]]]
"""A title, the heads of the columns, the rows."""


def print_evaluation(found: Evaluation, *, as_json: bool) -> None:
    """Print what was measured: tables with titles, or one JSON object with all figures by name under `figures`."""
    if as_json:
        print(json_text({"figures": dict(figures(found)), **asdict(found)}))
        return
    print(f"{found.index}: {plural(found.pictures, 'picture')}, model {found.model}")
    for title, heads, rows in _tables(found):
        print(f"\n{title}")
        numbers = [head for head, value in zip(heads, rows[0], strict=True) if isinstance(value, int | float)]
        print_table(heads, [[_cell(value) for value in row] for row in rows], right=numbers)
    for note in found.notes:
        print(f"\nNote: {note}", file=sys.stderr)


def print_models(models: Sequence[ModelMeasures], *, as_json: bool) -> None:
    """Print models side by side, the first of the measures text to image."""
    if as_json:
        print(json_text({"models": [asdict(model) for model in models]}))
        return
    print(f"{plural(models[0].pictures, 'picture')} with {plural(models[0].texts, 'text')}, among themselves\n")
    heads = ["model", *models[0].text_to_image, "image to text R@1", "images/s", "texts/s", "bytes/picture"]
    rows = [
        [
            m.model,
            *map(_cell, [*m.text_to_image.values(), m.image_to_text["R@1"]]),
            f"{m.images_per_second:.0f}",
            f"{m.texts_per_second:.0f}",
            m.bytes_per_picture,
        ]
        for m in models
    ]
    print_table(heads, rows, right=heads[1:])


def _tables(found: Evaluation) -> Iterator[Table]:
    if found.retrieval:
        ways = (("text to image", found.retrieval.text_to_image), ("image to text", found.retrieval.image_to_text))
        heads = ["", "queries", "among", *found.retrieval.text_to_image.measures]
        yield "Retrieval", heads, [[way, d.queries, d.candidates, *d.measures.values()] for way, d in ways]
    if found.classes:
        top5 = "" if found.classes.top5 is None else f", top-5 {found.classes.top5:.3f}"
        title = f"Classes by their names: top-1 {found.classes.top1:.3f}{top5}"
        rows = [[c.name, c.pictures, c.accuracy, c.mistaken_for] for c in found.classes.classes]
        yield title, ["class", "pictures", "accuracy", "mistaken for"], rows
        yield "One template alone", ["template", "top-1"], list(found.classes.templates.items())
    if found.neighbours:
        kind = "looks at every vector" if found.neighbours.exact else "trained index"
        title = f"Search against every vector: {kind}, {found.neighbours.milliseconds:.2f} ms a query"
        counts = found.neighbours.queries
        yield (
            title,
            ["queries by", "queries", "recall"],
            [[k, counts[k], r] for k, r in found.neighbours.recall.items()],
        )
    if found.robustness:
        heads = ["spoilt", "cosine", "5th percentile", "finds itself", "text R@5", "how"]
        rows = [[d.name, d.cosine, d.cosine_low, d.found_itself, d.text_recall, d.how] for d in found.robustness]
        yield f"Spoilt pictures ({found.robustness[0].pictures})", heads, rows
    if found.wordings:
        title = f"The same in other words ({plural(found.wordings[0].texts, 'text')})"
        yield (
            title,
            ["wording", "cosine", "same ten", "R@5"],
            [[w.name, w.cosine, w.overlap, w.recall] for w in found.wordings],
        )
    if found.probes:
        heads = ["changed", "texts", "accuracy", "cosine of both", "how"]
        rows = [[p.name, p.pairs, p.accuracy, p.similarity, p.how] for p in found.probes]
        yield "Word order and counting (to guess is right in 0.5)", heads, rows


def _cell(value: object) -> object:
    return "-" if value is None else f"{value:.3f}" if isinstance(value, float) else value
