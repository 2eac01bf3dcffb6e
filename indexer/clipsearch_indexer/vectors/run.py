"""`clipsearch.import_vectors`: vectors that others made with a model, as an index to search."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from clipsearch.errors import SourceError, UsageError
from clipsearch.models.towers.engine import processors
from clipsearch.store.writer import open_for_writing
from clipsearch.types import Encoder, ImportReport
from clipsearch_indexer.build import folder_for
from clipsearch_indexer.interrupt import stop_on_interrupt
from clipsearch_indexer.model import ModelOptions, RunModel, choose_model, published_model
from clipsearch_indexer.progress import Listener, Progress, ignore
from clipsearch_indexer.vectors.columns import Named
from clipsearch_indexer.vectors.steps import Import
from clipsearch_indexer.vectors.tables import VectorTable, find_tables


def import_vectors(
    sources: str | Path | Sequence[str | Path],
    index: str | Path,
    *,
    model: str | None = None,
    encoder: Encoder | None = None,
    device: str = "auto",
    engine: str = "auto",
    offline: bool = False,
    pictures: str | Path | None = None,
    vector_column: str | None = None,
    path_column: str | None = None,
    caption_column: str | None = None,
    workers: int | None = None,
    progress: Listener = ignore,
    stop: Callable[[], bool] = lambda: False,
) -> ImportReport:
    """Put vectors that were made elsewhere into an index, of which only those are imported whose path is new to it.

    They are brought to length one and stored as float16. One that has a number which is infinite or none, or nothing
    but zeros, or another length than the rest, is listed as a failure with the reason "bad vector".

    Args:
        sources: Parquet files with a column of vectors (lists or fixed-size lists of float16, float32 or float64),
            folders of them, or folders that clip-retrieval wrote (`img_emb` and `metadata`; `text_emb` is not looked
            at).
        index: the index directory, made if need be.
        model: the model the vectors were made with, as for `build`; by this texts and pictures are embedded to search
            among them. A new index needs it, an existing one has its own.
        encoder: a ready encoder instead of a model's name.
        device: `auto`, `cuda`, `mps` or `cpu`.
        engine: `auto`, `torch` or `onnx` (on a CPU), see `clipsearch.models.load_encoder`.
        offline: never touch the network, even for weights missing here.
        pictures: the folder that paths of pictures are relative to; by default that of the first source. A picture
            that is not there is marked as `absent`, and found by its vector all the same.
        vector_column: the column with the vectors, where the detected one is wrong.
        path_column: the column that says where each picture is, likewise.
        caption_column: the column with the captions, likewise.
        workers: threads that read pictures; by default one a core.
        progress: is called with the state of the run, a few times a second.
        stop: is asked between batches; once it says True the run publishes what is done and ends.

    Raises:
        SourceError: a source is not there, has no vectors, or they have another length than the model's.
        UsageError: a new index is to be made and no model is named.
        ModelError: the model cannot be found, downloaded or loaded.
        ModelMismatch: the index was made with another model.
        IndexBusy: another process is writing to the index.
        IndexDamaged: the index cannot be read.
    """
    listed = [sources] if isinstance(sources, (str, Path)) else list(sources)
    if not listed:
        raise UsageError("Name at least one folder or Parquet file to import.")
    found = [Path(source).expanduser().absolute() for source in listed]
    tables = find_tables(found, Named(vector_column, path_column, caption_column))
    path = Path(index).expanduser().absolute()
    if model is None and encoder is None and published_model(path) is None:
        raise UsageError("Say which model made these vectors with --model, as in --model ViT-B-32/laion2b_s34b_b79k.")
    progress(Progress("loading the model"))
    with folder_for(path):
        run_model, _ = choose_model(path, model, encoder, ModelOptions(device, engine, offline))
        _require_dimension(tables, run_model)
    first = found[0] if found[0].is_dir() else found[0].parent
    base = Path(pictures).expanduser().absolute() if pictures is not None else first
    with open_for_writing(path, run_model.ref) as writer, stop_on_interrupt(stop) as stopping:
        report = Import(writer, run_model, tables, base, workers or processors(), progress, stopping).run()
    return replace(report, index=path)


def _require_dimension(tables: Sequence[VectorTable], model: RunModel) -> None:
    for table in tables:
        if table.rows and table.dim != model.ref.dim:
            raise SourceError(
                f"{table.vectors or table.file} has vectors of {table.dim} numbers, and those of {model.ref.name} have "
                f"{model.ref.dim}; name the model they were made with after --model."
            )
