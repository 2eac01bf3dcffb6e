"""`clipsearch label`: what pictures show, as columns to filter, sort and count by."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clipsearch.cli.options import Device, DeviceOption, Engine, EngineOption, IndexOption, JsonOption, OfflineOption
from clipsearch.errors import UsageError

if TYPE_CHECKING:
    from clipsearch.labels import ComputedColumns, LabelReport, ScoreReport
    from clipsearch.labels.folds import CrossValidated

_BAR = 30  # letters of the longest bar


def label(
    labels: Annotated[
        str | None,
        typer.Option(
            "--labels",
            metavar="LIST|FILE",
            help='Labels to choose from: "cat,dog,bird", or a text file with one a line.',
            show_default=False,
        ),
    ] = None,
    templates: Annotated[
        str,
        typer.Option(
            metavar="simple|openai|FILE",
            help="Sentences to put a label into: 7 or 80 of open_clip, or a text file of some, {} for the label.",
        ),
    ] = "simple",
    multi: Annotated[
        bool, typer.Option("--multi", help="Several labels may apply to one picture; each has a probability by itself.")
    ] = False,
    each: Annotated[
        bool, typer.Option("--each", help="Add a column with the probability of every label, as --multi does.")
    ] = False,
    from_examples: Annotated[
        Path | None,
        typer.Option(
            "--from-examples",
            metavar="DIR|PARQUET",
            help="Learn the labels from pictures: a folder with a folder for each label, or Parquet.",
            show_default=False,
        ),
    ] = None,
    label_column: Annotated[
        str, typer.Option(metavar="COLUMN", help="The column of a Parquet file of examples that has the labels.")
    ] = "label",
    head: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Score with a linear head, as LAION's aesthetic predictors: .pth, .pt or .safetensors.",
            show_default=False,
        ),
    ] = None,
    from_ratings: Annotated[
        Path | None,
        typer.Option(
            "--from-ratings",
            metavar="FILE",
            help="Learn a score from your own ratings: .csv, .tsv or .jsonl with `path` and `rating`.",
            show_default=False,
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="What to call the columns: NAME and NAME_probability, or NAME alone for scores. By default label, "
            "aesthetic (--head) or rating (--from-ratings).",
            show_default=False,
        ),
    ] = None,
    update: Annotated[
        bool, typer.Option("--update", help="Do the pictures that came since, with all labels and scores there are.")
    ] = False,
    drop: Annotated[
        str | None, typer.Option(metavar="NAME", help="Take labels or scores out of the index.", show_default=False)
    ] = None,
    index: IndexOption = None,
    device: DeviceOption = Device.auto,
    engine: EngineOption = Engine.auto,
    offline: OfflineOption = False,
    json: JsonOption = False,
) -> None:
    """Label every picture with the best of some labels, or score it; alone, list what there is."""
    from clipsearch.cli.locate import find_index
    from clipsearch.cli.progress import shown_steps
    from clipsearch.labels import (
        ComputedColumns,
        columns_of,
        drop_labels,
        label,
        label_from_examples,
        score,
        score_from_ratings,
        update_columns,
    )
    from clipsearch.labels.prompts import read_labels

    if sum(given is not None for given in (labels, from_examples, head, from_ratings, drop)) + update > 1:
        raise UsageError(
            "--labels, --from-examples, --head, --from-ratings, --update and --drop exclude each other; choose one."
        )
    place = find_index(index)
    if drop is not None:
        drop_labels(place, drop)
        print(f"{drop} left the index.")
        return
    how: dict[str, Any] = {
        "name": name or "label",
        "each": each,
        "device": device.value,
        "engine": engine.value,
        "offline": offline,
    }
    with shown_steps() as tell:
        if labels is not None:
            chosen = read_labels(labels)
            labelled = label(place, chosen, templates=templates, multi=multi, tell=tell, **how)
            found = ComputedColumns((labelled,), ())
        elif from_examples is not None:
            labelled = label_from_examples(place, from_examples, label_column=label_column, tell=tell, **how)
            found = ComputedColumns((labelled,), ())
        elif head is not None:
            found = ComputedColumns((), (score(place, head, name=name or "aesthetic", tell=tell),))
        elif from_ratings is not None:
            scored = score_from_ratings(place, from_ratings, name=name or "rating", tell=tell)
            found = ComputedColumns((), (scored,))
        elif update:
            found = update_columns(place, tell=tell)
        else:
            found = columns_of(place)
    _print(found, as_json=json)


def _print(found: ComputedColumns, *, as_json: bool) -> None:
    from dataclasses import asdict

    from clipsearch.cli.render import json_text

    if as_json:
        print(json_text(asdict(found)))
        return
    if not found.labels and not found.scores:
        print('The index has no labels; give some, as in: clipsearch label --labels "cat,dog,bird"')
    for number, report in enumerate(found.labels):
        if number:
            print()
        _print_chart(report)
    for one in found.scores:
        _print_score(one)


def _print_score(report: ScoreReport) -> None:
    """What was done, and between what the scores lie."""
    from clipsearch.cli.render import plural

    done = plural(report.pictures - report.unscored, "picture")
    print(f"{report.name}: {done} scored, {report.scored:,} of them just now.")
    if report.least is not None and report.mean is not None and report.greatest is not None:
        print(f"From {report.least:.3g} to {report.greatest:.3g}, {report.mean:.3g} in the mean.")
    if report.unscored:
        print(_later(report.unscored, "score"))
    if report.unknown:
        print(f"{plural(report.unknown, 'rating')} of pictures that are not in the index did not count.")
    if report.agreement is not None:
        print(f"Rank correlation {_folds(report.agreement, 'with ratings', report.ratings)}")


def _folds(found: CrossValidated, tested: str, count: int) -> str:
    """What cross-validation says: mean and spread over the folds of `count` answers."""
    return f"{found.mean:.3f} ± {found.spread:.3f} {tested} left out, in {len(found.folds)} folds of {count:,}."


def _print_chart(report: LabelReport) -> None:
    """What was done, and how many pictures each label has: in a terminal with bars, each as long as its label is
    frequent."""
    from clipsearch.cli.render import plural, print_table

    done = report.pictures - report.unlabelled
    print(f"{report.name}: {plural(done, 'picture')} labelled, {report.labelled:,} of them just now.")
    if report.unlabelled:
        print(_later(report.unlabelled, "label"))
    if report.unreadable:
        print(f"{plural(report.unreadable, 'example')} could not be read and did not count.")
    if report.accuracy is not None:
        print(f"Accuracy {_folds(report.accuracy, 'on examples', report.examples)}")
    elif report.examples:
        print("No accuracy: it takes at least two examples of each label.")
    longest = max(report.counts.values(), default=0) or 1
    columns, rows = [report.name, "pictures", "share"], []
    for label, count in report.counts.items():
        rows.append([label, f"{count:,}", f"{count / max(done, 1):.1%}"])
        if sys.stdout.isatty():
            rows[-1].append("█" * round(_BAR * count / longest))
    print_table([*columns, *([""] if sys.stdout.isatty() else [])], rows, right=columns[1:])


def _later(count: int, do: str) -> str:
    from clipsearch.cli.render import plural

    return f"{plural(count, 'picture')} came later; {do} them with `clipsearch label --update`."
