"""The state of a run on the disk: whole or absent, and only for the run that it belongs to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from clipsearch.errors import UsageError
from clipsearch.training.files import whole
from clipsearch.training.learner import Learner
from clipsearch.training.pairs import Pair
from clipsearch.training.settings import Recipe

STATE_FILE = "state.pt"
RUN_FILE = "run.json"


def describe_run(recipe: Recipe, begun_with: str, teacher: Path | None, pairs: Sequence[Pair]) -> dict[str, Any]:
    """Everything that decides which weights come out, to know a run by."""
    digest = hashlib.blake2b(digest_size=16)
    for pair in pairs:
        digest.update(json.dumps([pair.name, pair.captions]).encode())
    facts = {"model": begun_with, "teacher": str(teacher) if teacher else None, "pairs": digest.hexdigest()}
    return {**asdict(recipe), **facts}


def claim(folder: Path, run: Mapping[str, Any]) -> None:
    """Make a folder that of a run, or find it to be.

    Raises:
        UsageError: It is that of a run with other settings.
    """
    file = folder / RUN_FILE
    if not file.exists():
        with whole(file) as draft:
            draft.write_text(json.dumps(run, indent=2) + "\n", encoding="utf-8")
        return
    before = json.loads(file.read_text(encoding="utf-8"))
    other = [name for name in run if before.get(name) != run[name]]
    if other:
        what = ", ".join(f"{name} {_shown(before.get(name))}, now {_shown(run[name])}" for name in other)
        raise UsageError(
            f"{folder.parent} holds a training that was begun otherwise ({what}): give the same again to go on with "
            "it, or another folder to begin anew."
        )


def _shown(value: object) -> str:
    text = str(value)
    return text if len(text) < 60 else f"{text[:57]}..."


def save_state(folder: Path, learner: Learner, step: int) -> None:
    """Write the state after `step` steps over the one before, in one move."""
    with whole(folder / STATE_FILE) as draft:
        torch.save({"step": step, **learner.state()}, draft)


def load_state(folder: Path, learner: Learner, device: torch.device) -> int:
    """Go on from the last state, if there is one; returns how many steps are done.

    Raises:
        UsageError: The file is damaged.
    """
    file = folder / STATE_FILE
    if not file.exists():
        return 0
    try:
        state = torch.load(file, map_location=device, weights_only=True)
        learner.restore(state)
    except Exception as error:  # damaged files make torch raise nearly anything
        raise UsageError(f"{file} is damaged ({error}): delete {folder.parent} and train again.") from error
    return int(state["step"])
