"""Contrastive training: pairs of a picture and its captions in, a model folder out.

    clipsearch.train("photos/", "my-model", model="mini", epochs=5)
    clipsearch.build("~/Pictures", model="my-model")

The way of a step: `order` says which pairs, `batches` reads them, `gradients` takes the towers' features to one of the
`losses` and back, `workers` does so across processes, `loop` moves the weights. `run` goes through all steps, and keeps
what `checkpoint`, `folder`, `log` and `curves` write.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from clipsearch.training.settings import Recipe, TrainingProgress, TrainingReport

__all__ = ["Recipe", "TrainingProgress", "TrainingReport", "train"]


def train(
    sources: str | Path | Sequence[str | Path],
    out: str | Path,
    *,
    model: str | None = None,
    architecture: str | None = None,
    recipe: Recipe | None = None,
    validation: str | Path | Sequence[str | Path] = (),
    teacher: str | Path | None = None,
    image_column: str | None = None,
    caption_column: str | None = None,
    device: str = "auto",
    workers: int | None = None,
    save_every: int = 500,
    offline: bool = False,
    progress: Callable[[TrainingProgress], None] | None = None,
) -> TrainingReport:
    """Train a model on pictures with captions, and write it as a folder that `model=` takes anywhere.

    A run that ended early goes on from its last checkpoint when it is called again with the same arguments, to the
    same weights as if nothing had happened. Under `torchrun` every process calls this alike; together they make the
    steps that one process would.

    Args:
        sources: Folders or files of pairs, see `clipsearch.training.pairs.read_pairs`.
        out: The model folder; training keeps its state in `training/` in there.
        model: A model to go on from, in any spelling of `clipsearch.models.names`.
        architecture: What to train from nothing instead: see `clipsearch.models.weights.blueprint`.
        recipe: How to train.
        validation: More sources, never trained on; else what the sources themselves set aside, else one picture in
            twenty.
        teacher: Vectors to distil from, see `clipsearch.training.teacher.read_teacher`.
        image_column: Parquet column with the pictures; detected if not given.
        caption_column: Parquet column with the captions; detected if not given.
        device: auto, cuda, mps or cpu.
        workers: Threads that read and decode; one a core if not given.
        save_every: Steps between checkpoints; there is one after every epoch, too.
        offline: Never touch the network.
        progress: Hears of every step.

    Returns:
        What was done, and how well the model finds the validation's pictures and captions.

    Raises:
        UsageError: Arguments that contradict each other or what `out` was begun with.
        SourceError: Sources without pairs, or of which nothing can be read.
        ModelError: The model cannot be found, built or loaded.
    """
    from clipsearch.training.prepare import Job
    from clipsearch.training.run import run

    return run(
        Job(
            sources=_several(sources),
            out=Path(out).expanduser().absolute(),
            model=model,
            architecture=architecture,
            recipe=recipe or Recipe(),
            validation=_several(validation),
            teacher=None if teacher is None else Path(teacher).expanduser().absolute(),
            image_column=image_column,
            caption_column=caption_column,
            device=device,
            workers=workers,
            save_every=save_every,
            offline=offline,
        ),
        progress or (lambda _: None),
    )


def _several(sources: str | Path | Sequence[str | Path]) -> tuple[Path, ...]:
    given = [sources] if isinstance(sources, str | Path) else sources
    return tuple(Path(source).expanduser().absolute() for source in given)
