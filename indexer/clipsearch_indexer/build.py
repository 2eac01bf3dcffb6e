"""`clipsearch.build`: one indexing run, from sources to a published version."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from clipsearch.errors import UsageError
from clipsearch.models.towers.engine import processors
from clipsearch.pictures import DEFAULT_MAX_PIXELS
from clipsearch.pictures.isolated import prestart
from clipsearch.store.layout import looks_like_index, make_folder
from clipsearch.store.spaces import read_spaces, whole_of
from clipsearch.store.writer import open_for_writing
from clipsearch.types import Encoder, IndexReport
from clipsearch_indexer.interrupt import stop_on_interrupt
from clipsearch_indexer.model import ModelOptions
from clipsearch_indexer.progress import Listener, Progress, ignore, preparing
from clipsearch_indexer.roots import refuse_missing
from clipsearch_indexer.run import Run
from clipsearch_indexer.settings import Settings
from clipsearch_indexer.sources.resolve import resolve_sources
from clipsearch_indexer.spaces.add import level_all, make_spaces
from clipsearch_indexer.spaces.level import Following
from clipsearch_indexer.spaces.models import Loading, choose_models
from clipsearch_indexer.timing import profiled

Given = TypeVar("Given")


@contextmanager
def folder_for(index: Path) -> Iterator[None]:
    """Make the index folder, before a model is downloaded for it; an error leaves no empty folder behind."""
    is_new = not index.exists()
    make_folder(index)
    try:
        yield
    except BaseException:
        if is_new:
            index.rmdir()
        raise


def build(
    sources: str | Path | Sequence[str | Path],
    index: str | Path,
    *,
    model: str | Sequence[str] | None = None,
    encoder: Encoder | Sequence[Encoder] | None = None,
    embed_captions: bool = False,
    device: str = "auto",
    engine: str = "auto",
    offline: bool = False,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    image_column: str | None = None,
    caption_column: str | None = None,
    keep_missing: bool = False,
    retry_failures: bool = False,
    workers: int | None = None,
    batch_size: int | None = None,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    thumbnails: bool = False,
    publish_every: float = 30.0,
    recall: float | None = None,
    memory: int | None = None,
    profile: str | Path | None = None,
    progress: Listener = ignore,
    stop: Callable[[], bool] = lambda: False,
) -> IndexReport:
    """Index pictures: only what is new or changed is embedded, what is gone leaves the results.

    Args:
        sources: picture folders, Parquet files, folders of shards, or globs.
        index: the index directory, made if need be.
        model: a preset, `architecture/tag`, `architecture:checkpoint`, `hf-hub:org/name` or a model folder. A new
            index without one gets the default preset, or `mini` where its weights cannot be had; an existing index
            keeps its own. Of several the pictures are embedded with each, in a space of its own, and all answer.
        encoder: a ready encoder, or several, instead of models' names.
        embed_captions: embed captions, too, in a space called `captions`, with the main model. Later runs keep it.
        device: `auto`, `cuda`, `mps` or `cpu`.
        engine: `auto`, `torch` or `onnx` (on a CPU), see `clipsearch.models.load_encoder`.
        offline: never touch the network, even for weights missing here.
        include: gitignore-style patterns of what to index; everything without.
        exclude: gitignore-style patterns of what to leave out.
        image_column: the Parquet column with the pictures, where the detected one is wrong.
        caption_column: the Parquet column with the captions, likewise.
        keep_missing: keep pictures in the results whose files are gone.
        retry_failures: look again at unchanged files that could not be read before.
        workers: processes that decode; by default one a core. Few pictures need fewer.
        batch_size: pictures a batch; by default what suits the device. A crash loses at most one batch.
        max_pixels: pictures with more pixels are not decoded.
        thumbnails: make small pictures for the page, too, from the same decode.
        publish_every: seconds between publications while the run goes on (more where publishing itself takes long).
        recall: share of the ten nearest that a search has to find (0..1) where the collection is so large that not
            every vector is looked at; by default what the index has, 0.98 for a new one.
        memory: bytes that searching may keep in memory; it picks the kind of search index. By default what the index
            has, no limit for a new one.
        profile: a new file to write a trace of the run to, in Chrome's format, which https://ui.perfetto.dev opens.
        progress: is called with the state of the run, a few times a second.
        stop: is asked between batches; once it says True the run publishes what is done and ends.

    Raises:
        SourceError: a source is not there, or cannot be indexed at all.
        ModelError: the model cannot be found, downloaded or loaded.
        ModelMismatch: the index was made with another model.
        IndexBusy: another process is writing to the index.
        IndexDamaged: the index cannot be read.
        UsageError: arguments that make no sense, or an index directory that cannot be written.
    """
    listed = [sources] if isinstance(sources, (str, Path)) else list(sources)
    if not listed:
        raise UsageError("Name at least one folder or Parquet file to index.")
    if (batch_size is not None and batch_size < 1) or (workers is not None and workers < 1):
        raise UsageError("Workers and batch size must be at least 1.")
    resolved = resolve_sources([os.fspath(source) for source in listed])
    path = Path(index).expanduser().absolute()
    if not looks_like_index(path):
        refuse_missing(resolved)
        prestart()  # it is there when the model is, which a new index loads first
    if whole_of(path) != path:
        raise UsageError(f"{path} is a space of {whole_of(path)}; index into that.")
    progress(Progress("loading the model"))
    encoders = _listed(encoder)
    options = ModelOptions(device, engine, offline, preparing(progress))
    with folder_for(path):
        models = choose_models(path, encoders or _listed(model), Loading(tuple(encoders), options))
    if models.notice:
        progress(Progress("loading the model", note=models.notice))
    settings = Settings(
        include=tuple(include),
        exclude=tuple(exclude),
        image_column=image_column,
        caption_column=caption_column,
        keep_missing=keep_missing,
        retry_failures=retry_failures,
        workers=workers or processors(),
        batch_size=batch_size,
        max_pixels=max_pixels,
        thumbnails=thumbnails,
        publish_every=publish_every,
    )
    with (
        profiled(profile) as timing,
        open_for_writing(path, models.main.ref) as writer,
        stop_on_interrupt(stop) as stopping,
    ):
        writer.tuning = writer.tuning.changed(recall, memory)
        make_spaces(path, writer, models.new, captions=embed_captions)
        notes = (models.notice,) if models.notice else ()
        report = Run(writer, models.main, settings, timing, progress, stopping).index(resolved, notes=notes)
        following = Following(settings.workers, batch_size, max_pixels, publish_every, progress, stopping)
        spaces = level_all(path, writer, models.for_others(), following)
        left = len(read_spaces(path).spaces) - 1 - len(spaces)
    interrupted = report.interrupted or left > 0 or any(space.interrupted for space in spaces)
    return replace(report, index=path, spaces=spaces, interrupted=interrupted)


def _listed(given: Given | Sequence[Given] | None) -> Sequence[Given]:
    """What was given once, several times, or not at all."""
    if given is None:
        return ()
    return given if isinstance(given, Sequence) and not isinstance(given, str) else (given,)
