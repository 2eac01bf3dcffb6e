"""`clipsearch label`: what pictures show, as columns to filter, sort and count by."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clipsearch.cli.options import Device, DeviceOption, IndexOption, JsonOption, OfflineOption
from clipsearch.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clipsearch.labels import LabelReport

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
    name: Annotated[
        str, typer.Option(metavar="NAME", help="What to call the columns: NAME and NAME_probability.")
    ] = "label",
    update: Annotated[
        bool, typer.Option("--update", help="Label the pictures that came since, with all labels the index has.")
    ] = False,
    drop: Annotated[
        str | None, typer.Option(metavar="NAME", help="Take labels out of the index.", show_default=False)
    ] = None,
    index: IndexOption = None,
    device: DeviceOption = Device.auto,
    offline: OfflineOption = False,
    json: JsonOption = False,
) -> None:
    """Label every picture with the best of some labels, by their names or from examples; alone, list the labels."""
    from clipsearch.cli.locate import find_index
    from clipsearch.cli.progress import shown_steps
    from clipsearch.labels import drop_labels, label, label_from_examples, labels_of, update_labels
    from clipsearch.labels.prompts import read_labels

    if (labels is not None) + (from_examples is not None) + update + (drop is not None) > 1:
        raise UsageError("--labels, --from-examples, --update and --drop exclude each other; choose one.")
    place = find_index(index)
    if drop is not None:
        drop_labels(place, drop)
        print(f"{drop} left the index.")
        return
    reports: tuple[LabelReport, ...]
    how: dict[str, Any] = {"name": name, "each": each, "device": device.value, "offline": offline}
    with shown_steps() as tell:
        if labels is not None:
            chosen = read_labels(labels)
            reports = (label(place, chosen, templates=templates, multi=multi, tell=tell, **how),)
        elif from_examples is not None:
            reports = (label_from_examples(place, from_examples, label_column=label_column, tell=tell, **how),)
        else:
            reports = update_labels(place, tell=tell) if update else labels_of(place)
    _print(reports, as_json=json)


def _print(reports: Sequence[LabelReport], *, as_json: bool) -> None:
    from dataclasses import asdict

    from clipsearch.cli.render import json_text

    if as_json:
        print(json_text({"labels": [asdict(report) for report in reports]}))
    elif not reports:
        print('The index has no labels; give some, as in: clipsearch label --labels "cat,dog,bird"')
    else:
        for number, report in enumerate(reports):
            if number:
                print()
            _print_chart(report)


def _print_chart(report: LabelReport) -> None:
    """What was done, and how many pictures each label has: in a terminal with bars, each as long as its label is
    frequent."""
    from clipsearch.cli.render import plural, print_table

    done = report.pictures - report.unlabelled
    print(f"{report.name}: {plural(done, 'picture')} labelled, {report.labelled:,} of them just now.")
    if report.unlabelled:
        print(f"{plural(report.unlabelled, 'picture')} came later; label them with `clipsearch label --update`.")
    if report.unreadable:
        print(f"{plural(report.unreadable, 'example')} could not be read and did not count.")
    if report.accuracy is not None:
        found = report.accuracy
        print(
            f"Accuracy {found.mean:.3f} ± {found.spread:.3f} on examples left out, in {len(found.folds)} folds of "
            f"{report.examples:,}."
        )
    elif report.examples:
        print("No accuracy: it takes at least two examples of each label.")
    longest = max(report.counts.values(), default=0) or 1
    columns, rows = [report.name, "pictures", "share"], []
    for label, count in report.counts.items():
        rows.append([label, f"{count:,}", f"{count / max(done, 1):.1%}"])
        if sys.stdout.isatty():
            rows[-1].append("█" * round(_BAR * count / longest))
    print_table([*columns, *([""] if sys.stdout.isatty() else [])], rows, right=columns[1:])
