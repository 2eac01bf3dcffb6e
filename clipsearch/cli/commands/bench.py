"""`clipsearch bench`: how quick this machine is."""

from __future__ import annotations

import typer

from clipsearch.cli.commands import bench_gpu, bench_index

bench = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, context_settings={"help_option_names": ["-h", "--help"]}
)
bench.command("index", epilog="Example: clipsearch bench index --model mini --size 640x480")(bench_index.bench_index)
bench.command("gpu", epilog="Example: clipsearch bench gpu --model ViT-L-14")(bench_gpu.bench_gpu)


@bench.callback()
def measured() -> None:
    """Measure how quick this machine is, with pictures that are made for it or your own."""
