"""`clipsearch eval`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clipsearch.cli.options import Device, DeviceOption, Engine, EngineOption, IndexOption, JsonOption, OfflineOption
from clipsearch.errors import UsageError

if TYPE_CHECKING:
    from clipsearch.evaluation import ModelMeasures, Truth
    from clipsearch.query.index import Index


def evaluate(
    captions: Annotated[
        str, typer.Option("--captions", metavar="COLUMN", help="Column of captions: text, or lists of text.")
    ] = "caption",
    judgments: Annotated[
        Path | None,
        typer.Option(
            "--judgments",
            metavar="FILE",
            help="Which pictures answer which texts, instead of captions: .tsv (query, picture, grade) or .jsonl.",
            show_default=False,
        ),
    ] = None,
    classes: Annotated[
        Path | None,
        typer.Option(
            "--classes", metavar="DIR", help="A folder with a folder of pictures for each class.", show_default=False
        ),
    ] = None,
    parts: Annotated[
        str | None,
        typer.Option(
            "--parts",
            metavar="PART,...",
            help="Of retrieval, classes, neighbours, robustness, wordings, probes.",
            show_default="all that can be measured",
        ),
    ] = None,
    models: Annotated[
        str | None,
        typer.Option(
            "--models",
            metavar="MODEL,...",
            help="Compare these models instead, on a sample of the index's pictures.",
            show_default=False,
        ),
    ] = None,
    space: Annotated[
        str | None,
        typer.Option(
            "--in",
            metavar="SPACE",
            help="The embedding space to measure, of those `clipsearch spaces` lists.",
            show_default="the main one",
        ),
    ] = None,
    sample: Annotated[int, typer.Option("--sample", metavar="N", help="Draw at most so many pictures.")] = 1000,
    fail_under: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-under",
            metavar="FIGURE=VALUE",
            help="Exit with 1 where a figure is lower, e.g. R@5=0.4; may be repeated.",
            show_default=False,
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report", metavar="FILE.html", help="Write one HTML page, failures as pictures.", show_default=False
        ),
    ] = None,
    index: IndexOption = None,
    device: DeviceOption = Device.auto,
    engine: EngineOption = Engine.auto,
    offline: OfflineOption = False,
    json: JsonOption = False,
) -> None:
    """Measure how well an index finds its own pictures, or compare models on them. Changes nothing."""
    from clipsearch.cli.locate import find_index
    from clipsearch.evaluation import Truth
    from clipsearch.query.index import Index

    truth = Truth(captions, judgments, classes, sample)
    if models and (classes or parts or fail_under or space):
        raise UsageError("--models compares by texts alone; leave --classes, --parts, --in and --fail-under out.")
    if report is not None and not report.expanduser().absolute().parent.is_dir():
        raise UsageError(f"The folder of {report} is not there; make it first.")
    with Index(find_index(index), device=device.value, engine=engine.value, offline=offline, space=space) as opened:
        if models:
            _compare(
                opened,
                _listed(models),
                truth,
                report,
                device=device.value,
                engine=engine.value,
                offline=offline,
                as_json=json,
            )
        else:
            _evaluate(opened, truth, _listed(parts), fail_under or [], report, as_json=json)


def _listed(text: str | None) -> list[str]:
    return [name for part in (text or "").split(",") if (name := part.strip())]


def _evaluate(
    index: Index, truth: Truth, parts: list[str], fail_under: list[str], report: Path | None, *, as_json: bool
) -> None:
    from clipsearch.cli.measures import print_evaluation
    from clipsearch.cli.progress import shown_steps
    from clipsearch.evaluation import below, bounds, evaluate, write_report

    least = bounds(fail_under)
    with shown_steps() as tell:
        found = evaluate(index, truth, parts=parts or None, tell=tell)
    print_evaluation(found, as_json=as_json)
    if report is not None:
        write_report(index, found, report)
    if found.interrupted:
        print("clipsearch: Interrupted; what was measured until then is printed.", file=sys.stderr)
        raise typer.Exit(130)
    if error := below(found, least):
        raise error


def _compare(
    index: Index,
    names: list[str],
    truth: Truth,
    report: Path | None,
    *,
    device: str,
    engine: str,
    offline: bool,
    as_json: bool,
) -> None:
    from clipsearch.cli.measures import print_models
    from clipsearch.cli.progress import shown_steps
    from clipsearch.evaluation import compare_models, write_report

    found: list[ModelMeasures] = []
    try:
        with shown_steps() as tell:
            for one in compare_models(index, names, truth, device=device, engine=engine, offline=offline, tell=tell):
                found.append(one)  # what is there stays, whatever becomes of the next
    finally:
        if found:
            print_models(found, as_json=as_json)
            if report is not None:
                write_report(index, None, report, found)
