"""`clipsearch bench gpu`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from clipsearch.cli.options import JsonOption

if TYPE_CHECKING:
    from clipsearch.models.gpu.benchmark import GpuRate


def bench_gpu(
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ARCHITECTURE",
            help="An architecture of open_clip; repeatable.",
            show_default="ViT-B-32, ViT-L-14, ViT-B-16-SigLIP2",
        ),
    ] = None,
    seconds: Annotated[float, typer.Option(metavar="S", min=0.1, help="To measure each way of feeding for.")] = 10.0,
    peak: Annotated[
        float | None,
        typer.Option(
            metavar="TFLOPS", min=1, help="Of one GPU, bfloat16, dense matrices.", show_default="known for some chips"
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Embed made pictures on this machine's CUDA GPUs, fed with arrays and with JPEGs, with random weights."""
    from dataclasses import asdict

    from clipsearch.cli.progress import shown_steps
    from clipsearch.cli.render import json_text
    from clipsearch.models.gpu.benchmark import ARCHITECTURES, bench_gpu

    with shown_steps() as tell:
        rates = bench_gpu(model or ARCHITECTURES, seconds=seconds, peak=peak, tell=tell)
    if json:
        print(json_text({"rates": [asdict(rate) for rate in rates]}))
    else:
        _print(rates)


def _print(rates: list[GpuRate]) -> None:
    from clipsearch.cli.render import plural, print_table

    columns = ("model", "GFLOP", "batch", "form", "fed arrays", "share of peak", "fed JPEGs", "nvJPEG alone")
    cells = [
        (
            rate.model,
            f"{rate.gigaflops:.1f}",
            rate.batch,
            rate.form,
            f"{rate.tensors:,.0f}",
            "unknown" if rate.share is None else f"{rate.share:.0%}",
            f"{rate.jpegs:,.0f}",
            "none" if rate.nvjpeg is None else f"{rate.nvjpeg:,.0f}",
        )
        for rate in rates
    ]
    print_table(columns, cells, right=[column for column in columns if column not in ("model", "form")])
    print()
    where = f"{plural(rates[0].gpus, 'GPU')}, {rates[0].gpu}; {plural(rates[0].processes, 'decoder')}"
    print(f"Images a second on {where}.")
