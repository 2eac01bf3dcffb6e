"""`clipsearch train`."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clipsearch.cli.options import Device, DeviceOption, JsonOption, OfflineOption, ProgressKind, ProgressOption

if TYPE_CHECKING:
    from clipsearch.training import TrainingReport


class LossKind(StrEnum):
    """Loss to train with."""

    clip = "clip"
    siglip = "siglip"


class TowerKind(StrEnum):
    """One of a model's two towers."""

    image = "image"
    text = "text"


class PrecisionKind(StrEnum):
    """What the towers compute in."""

    auto = "auto"
    float32 = "float32"
    bfloat16 = "bfloat16"
    float16 = "float16"


class AugmentKind(StrEnum):
    """How pictures are varied."""

    none = "none"
    light = "light"
    strong = "strong"


def train(
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="SOURCE...",
            help="Folders with a .txt beside each picture or with a captions.jsonl or .csv, such lists, or Parquet.",
        ),
    ],
    out: Annotated[
        Path,
        typer.Option("--out", metavar="DIR", help="The model folder to write; where a run ended early, it goes on."),
    ],
    model: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="The model to go on from, as for `clipsearch index`.", show_default=False),
    ] = None,
    architecture: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="What to train from nothing instead: an architecture of open_clip, a JSON file with a `model_cfg`, or "
            "a model, whose weights are left aside.",
            show_default=False,
        ),
    ] = None,
    validation: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="SOURCE",
            help="Pairs to measure with; repeatable. Else the sources' own split, else one picture in twenty.",
        ),
    ] = None,
    epochs: Annotated[int, typer.Option(metavar="N", help="Times every picture is shown.")] = 10,
    batch_size: Annotated[int, typer.Option(metavar="N", help="Pairs a step, all processes together.")] = 256,
    chunk: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Pairs that go through the model at a time: less memory, same gradients (GradCache).",
            show_default="the batch",
        ),
    ] = None,
    lr: Annotated[
        float | None, typer.Option(metavar="RATE", help="Peak rate.", show_default="1e-5, from nothing 5e-4")
    ] = None,
    weight_decay: Annotated[float, typer.Option(metavar="W", help="Of weight matrices, not norms and biases.")] = 0.1,
    warmup: Annotated[float, typer.Option(metavar="0..1", help="Share of the steps in which the rate rises.")] = 0.05,
    loss: Annotated[LossKind, typer.Option(help="CLIP's softmax or SigLIP's sigmoid.")] = LossKind.clip,
    lock: Annotated[TowerKind | None, typer.Option(help="Leave this tower as it is (LiT).", show_default=False)] = None,
    augment: Annotated[AugmentKind, typer.Option(help="How pictures are varied.")] = AugmentKind.light,
    ema: Annotated[
        float | None,
        typer.Option(metavar="0..1", help="Write the weights' moving average, of this decay.", show_default=False),
    ] = None,
    precision: Annotated[
        PrecisionKind, typer.Option(help="What the model computes in; auto is bfloat16 on CUDA, else float32.")
    ] = PrecisionKind.auto,
    teacher: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Another model's vectors of the pictures to learn from: Parquet (path, vector), or .npy with names "
            "in a .txt beside it.",
            show_default=False,
        ),
    ] = None,
    teacher_weight: Annotated[float, typer.Option(metavar="W", help="Of the teacher beside the captions.")] = 1.0,
    image_column: Annotated[
        str | None, typer.Option(metavar="NAME", help="Parquet column with the pictures.", show_default="detected")
    ] = None,
    caption_column: Annotated[
        str | None, typer.Option(metavar="NAME", help="Parquet column with the captions.", show_default="detected")
    ] = None,
    save_every: Annotated[int, typer.Option(metavar="N", min=1, help="Steps that a crash loses at most.")] = 500,
    workers: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Threads that read and decode.", show_default="one a core")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Of everything random.")] = 0,
    device: DeviceOption = Device.auto,
    offline: OfflineOption = False,
    progress: ProgressOption = ProgressKind.auto,
    json: JsonOption = False,
) -> None:
    """Train or fine-tune a model on pictures with captions; `torchrun -m clipsearch train ...` uses several GPUs."""
    from clipsearch.cli.training_progress import shown_training
    from clipsearch.training import Recipe
    from clipsearch.training import train as train_model

    recipe = Recipe(
        epochs=epochs,
        batch_size=batch_size,
        chunk=chunk,
        lr=lr,
        weight_decay=weight_decay,
        warmup=warmup,
        loss=loss.value,
        lock=lock.value if lock else None,
        precision=precision.value,
        ema=ema,
        augment=augment.value,
        teacher_weight=teacher_weight,
        seed=seed,
    )
    with shown_training(progress) as listen:
        report = train_model(
            sources,
            out,
            model=model,
            architecture=architecture,
            recipe=recipe,
            validation=validation or (),
            teacher=teacher,
            image_column=image_column,
            caption_column=caption_column,
            device=device.value,
            workers=workers,
            save_every=save_every,
            offline=offline,
            progress=listen,
        )
    if os.environ.get("RANK", "0") == "0":  # of the processes of torchrun one speaks
        print_report(report, as_json=json)


def print_report(report: TrainingReport, *, as_json: bool) -> None:
    """What a run did, for people or as JSON; ends the program with 130 where it was interrupted."""
    from dataclasses import asdict

    from clipsearch.cli.render import json_text, plural

    print(json_text(asdict(report)) if as_json else "\n".join(_lines(report)))
    if report.unreadable:
        where = report.out / "training" / "unreadable.jsonl"
        print(f"\nPlease note: {plural(report.unreadable, 'picture')} not readable; {where} says why.", file=sys.stderr)
    if report.interrupted:
        raise typer.Exit(130)


def _lines(report: TrainingReport) -> list[str]:
    from clipsearch.cli.render import one_line, plural

    aside = f", {report.validated:,} kept aside" if report.validated else ""
    gone_on = f", gone on from step {report.resumed:,}" if report.resumed else ""
    loss = "" if report.loss is None else f"; loss {report.loss:.3f}"
    lines = [
        f"{plural(report.pairs, 'picture')} to train on{aside}.",
        f"{report.steps:,} of {report.of:,} steps done{gone_on} ({report.seconds:.0f} s){loss}.",
    ]
    for way, name in (("text_to_image", "Text to picture"), ("image_to_text", "Picture to text")):
        if report.recall:
            lines.append(f"{name}:  " + "  ".join(f"R@{k} {report.recall[f'{way}_r{k}']:.3f}" for k in (1, 5, 10)))
    if report.interrupted:
        return [*lines, "Interrupted; the same command goes on from here."]
    return [
        *lines,
        f"Model: {one_line(report.out)}",
        f"Use it: clipsearch index PICTURES --model {one_line(report.out)}",
    ]
