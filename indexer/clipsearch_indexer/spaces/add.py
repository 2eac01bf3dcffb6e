"""Making further spaces, and bringing all of them level."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

from clipsearch.errors import UsageError
from clipsearch.models.towers.engine import processors
from clipsearch.pictures import DEFAULT_MAX_PIXELS
from clipsearch.store.manifest import ModelRef
from clipsearch.store.spaces import (
    CAPTIONS,
    Space,
    Spaces,
    free_folder,
    main_folder,
    path_of,
    read_spaces,
    space_name,
    write_spaces,
)
from clipsearch.store.writer import IndexWriter, locked, writer_of
from clipsearch.types import Encoder, SpaceReport
from clipsearch_indexer.interrupt import stop_on_interrupt
from clipsearch_indexer.model import ModelOptions, RunModel
from clipsearch_indexer.progress import Listener, Progress, ignore, preparing
from clipsearch_indexer.spaces.level import Following, bring_level
from clipsearch_indexer.spaces.models import Loading, model_of, name_of, refuse_taken, spaces_by_fingerprint


def add_space(
    index: str | Path,
    model: str | Encoder,
    *,
    name: str | None = None,
    device: str = "auto",
    engine: str = "auto",
    offline: bool = False,
    workers: int | None = None,
    batch_size: int | None = None,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    publish_every: float = 30.0,
    progress: Listener = ignore,
    stop: Callable[[], bool] = lambda: False,
) -> SpaceReport:
    """Embed the pictures of an index with a further model, while searches go on. The new space answers nothing until
    it is asked by name, or switched to.

    Called again after it ended early, it goes on.

    Args:
        index: the index directory.
        model: a model's name, as for `build`, or a ready encoder.
        name: of the space; by default the model's, made safe for a folder.
        device: `auto`, `cuda`, `mps` or `cpu`.
        engine: `auto`, `torch` or `onnx` (on a CPU), see `clipsearch.models.load_encoder`.
        offline: never touch the network, even for weights missing here.
        workers: processes that decode; by default one a core.
        batch_size: pictures a batch; by default what suits the device.
        max_pixels: pictures with more pixels are not decoded.
        publish_every: seconds between publications while the run goes on.
        progress: is called with the state of the run, a few times a second.
        stop: is asked between batches; once it says True the run publishes what is done and ends.

    Raises:
        IndexNotFound: there is no index.
        IndexBusy: another process is writing to it.
        ModelError: the model cannot be found, downloaded or loaded.
        UsageError: the index has a space of that model, with all it can have; or another of that name.
    """
    path = Path(index).expanduser().absolute()
    read_spaces(path)  # before a model is loaded in vain
    progress(Progress("loading the model"))
    options = ModelOptions(device, engine, offline, preparing(progress))
    loading = Loading(() if isinstance(model, str) else (model,), options)
    following = Following(workers or processors(), batch_size, max_pixels, publish_every, progress, stop)
    with locked(path), stop_on_interrupt(stop) as stopping:
        main = writer_of(main_folder(path))
        main.publish()
        known = spaces_by_fingerprint(path).get(loading.fingerprint(model))
        if known is None:
            chosen = loading.new(model)
            space = make_space(path, name or name_of(model), "pictures", chosen.ref)
        else:
            _refuse_main(path, known)
            space, chosen = known, loading.as_spelled([model]).model(model_of(path, known))
        writer = writer_of(path_of(path, space))
        report = bring_level(main, writer, space, chosen, replace(following, stop=stopping))
    if known is not None and not report.interrupted and not (report.embedded or report.reused or report.removed):
        raise UsageError(
            f"The index has a space of {name_of(model)} already, {space.name}, and it has all it can have; "
            f"`clipsearch index` keeps it so."
        )
    return report


def make_space(
    index: Path,
    name: str,
    of: Literal["pictures", "captions"],
    model: ModelRef,
    *,
    answering: bool = False,
) -> Space:
    """Make an empty space in an index whose lock is held; with `answering`, one that answers with weight 1.

    Raises:
        UsageError: its name is taken.
    """
    spaces = read_spaces(index)
    called = CAPTIONS if of == "captions" else space_name(name)
    refuse_taken(spaces, called, name)
    space = Space(called, of, free_folder(index, called))
    writer_of(path_of(index, space), model)
    answers = (*spaces.answering, (called, 1.0)) if answering else spaces.answering
    write_spaces(index, Spaces((*spaces.spaces, space), answers))
    return space


def level_all(index: Path, main: IndexWriter, loading: Loading, following: Following) -> tuple[SpaceReport, ...]:
    """Bring every further space level with the main one; once `following.stop` says so, no further one is begun."""
    spaces = read_spaces(index)
    reports: list[SpaceReport] = []
    for space in spaces.spaces:
        if space != spaces.main and not following.stop():
            model = loading.model(model_of(index, space))
            reports.append(bring_level(main, writer_of(path_of(index, space)), space, model, following))
    return tuple(reports)


def make_spaces(index: Path, main: IndexWriter, new: tuple[tuple[str, RunModel], ...], *, captions: bool) -> None:
    """Make the spaces that a run was asked for and the index has not; those of models answer beside the others."""
    for name, model in new:
        make_space(index, name, "pictures", model.ref, answering=True)
    if captions and CAPTIONS not in read_spaces(index).names:
        make_space(index, CAPTIONS, "captions", main.manifest.model)


def _refuse_main(index: Path, space: Space) -> None:
    if space == read_spaces(index).main:
        raise UsageError(f"{space.name} is the model of the index already; name another one to add.")
