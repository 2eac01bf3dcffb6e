"""`clipsearch.evaluate`: all that can be measured of an index."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from clipsearch.errors import QueryError, UsageError
from clipsearch.evaluation.collection import collection_of
from clipsearch.evaluation.judgments import Truth, judgments_of
from clipsearch.evaluation.neighbours import neighbours
from clipsearch.evaluation.probes import probes
from clipsearch.evaluation.retrieval import retrieval
from clipsearch.evaluation.robustness import robustness
from clipsearch.evaluation.subject import Subject
from clipsearch.evaluation.types import PARTS, Evaluation, Part, ZeroShot
from clipsearch.evaluation.wordings import wordings
from clipsearch.evaluation.zero_shot import class_folders, labelled, zero_shot
from clipsearch.query.index import Index
from clipsearch.store.derive import quietly
from clipsearch.store.snapshot import Snapshot
from clipsearch.types import Tell

_FROM_TEXTS: tuple[Part, ...] = ("retrieval", "wordings", "probes")


def evaluate(
    index: Index, truth: Truth | None = None, *, parts: Sequence[str] | None = None, tell: Tell = quietly
) -> Evaluation:
    """Measure an index; see `clipsearch.evaluation.types` for what is measured.

    An interrupt (Ctrl-C) ends it early: what was measured until then is returned, and `interrupted` says so.

    Args:
        index: an open index; nothing in it is changed.
        truth: where to take from what is right; by default the column `caption`.
        parts: what to measure, of `PARTS`; by default all that can be.
        tell: hears of the work.

    Raises:
        UsageError: a part is asked for that is none, or whose truth is not given.
        QueryError: the truth cannot be read, or a part is asked for that nothing is known for.
        ModelError: the index's model cannot be loaded.
    """
    truth = truth or Truth()
    _check(truth, parts)
    if (space := index.spaces.main).of != "pictures":
        raise UsageError(f"The space {space.name} has vectors of {space.of}; measure one of pictures.")
    snapshot = Snapshot(index.path, index.space)
    try:
        collection = collection_of(index, snapshot)
        if not len(collection.ids):
            raise QueryError(f"{index.path} holds no pictures; index some first with `clipsearch index`.")
        judgments = judgments_of(collection, truth)
        if judgments is None and (wanted := [part for part in parts or () if part in _FROM_TEXTS]):
            raise QueryError(f"There is nothing to measure {wanted[0]} with: {_no_texts(truth)}")
        notes = judgments.notes if judgments else () if parts else (_no_texts(truth),)
        empty = Evaluation(str(index.path), index.model, len(collection.ids), notes=notes)
        return _measured(empty, Subject(collection, index.encoder, judgments, tell), truth, parts or PARTS)
    finally:
        snapshot.close()


def _check(truth: Truth, parts: Sequence[str] | None) -> None:
    unknown = [part for part in parts or () if part not in PARTS]
    if unknown:
        raise UsageError(f"{unknown[0]!r} is no part of an evaluation; choose from {', '.join(PARTS)}.")
    if "classes" in (parts or ()) and truth.classes is None:
        raise UsageError("For classes, say with --classes DIR where the folders of the classes are.")
    if truth.sample < 1:
        raise UsageError(f"A sample of {truth.sample} pictures is none; give 1 or more.")
    if truth.classes is not None:
        class_folders(truth.classes)


def _no_texts(truth: Truth) -> str:
    return (
        f"No picture has a text in column {truth.captions!r}; name another with --captions, or a file with --judgments."
    )


def _measured(found: Evaluation, subject: Subject, truth: Truth, parts: Sequence[str]) -> Evaluation:
    steps: dict[Part, Callable[[Subject], Any]] = {
        "retrieval": retrieval,
        "classes": partial(_classes, truth=truth),
        "neighbours": neighbours,
        "robustness": robustness,
        "wordings": wordings,
        "probes": probes,
    }
    try:
        for part in PARTS:
            if (
                part in parts
                and (subject.judgments or part not in _FROM_TEXTS)
                and (truth.classes or part != "classes")
            ):
                found = replace(found, **{part: steps[part](subject)})
                if part == "robustness" and not found.robustness:
                    found = replace(found, notes=(*found.notes, "No picture's file is there now, so none was spoilt."))
    except KeyboardInterrupt:
        return replace(found, interrupted=True)
    return found


def _classes(subject: Subject, truth: Truth) -> ZeroShot:
    assert truth.classes is not None
    return zero_shot(subject, labelled(subject, truth.classes, truth.sample))
