"""A whole training: from sources to a model folder, over as many interruptions as it takes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from functools import partial

import torch
from filelock import FileLock, Timeout

from clipsearch.errors import UsageError
from clipsearch.models.forward import pick_device
from clipsearch.models.names import CONFIG_FILE
from clipsearch.models.towers.engine import processors
from clipsearch.training.batch import Batch
from clipsearch.training.checkpoint import claim, load_state, save_state
from clipsearch.training.curves import draw_curves
from clipsearch.training.files import whole
from clipsearch.training.folder import copy_text_tower, copy_tokenizer, write_model
from clipsearch.training.interrupt import asked_to_stop
from clipsearch.training.log import Log, read_log
from clipsearch.training.loop import Step, train
from clipsearch.training.prepare import Job, Prepared, prepare
from clipsearch.training.settings import TrainingProgress, TrainingReport
from clipsearch.training.validation import validate
from clipsearch.training.workers import agree, gathered, joined, rank, share_buffers

LOG_FILE, CURVES_FILE, UNREADABLE_FILE = "log.jsonl", "curves.png", "unreadable.jsonl"
Tell = Callable[[TrainingProgress], None]


def run(job: Job, tell: Tell) -> TrainingReport:
    """Train; see `clipsearch.train`."""
    if (job.out / CONFIG_FILE).exists() and not job.state.is_dir():
        raise UsageError(f"{job.out} holds a model that was not trained here: name a new folder.")
    with joined(pick_device(job.device)) as device, ThreadPoolExecutor(job.workers or processors()) as threads:
        prepared = prepare(job, device, threads)
        with _alone(job):
            if rank() == 0:
                claim(job.state, prepared.facts)
                copy_tokenizer(prepared.start.tokenizer, job.out)
                copy_text_tower(prepared.start.config, job.out)
            return _train(job, prepared, device, threads, tell)


def _train(
    job: Job, prepared: Prepared, device: torch.device, threads: ThreadPoolExecutor, tell: Tell
) -> TrainingReport:
    began, learner = time.monotonic(), prepared.learner
    done = resumed = load_state(job.state, learner, device)
    log = Log(job.state / LOG_FILE, done) if rank() == 0 else None
    epoch_steps, loss = prepared.order.steps_per_epoch, None
    if log and done % epoch_steps == 0 and not _measured(job, done):  # at step 0: what there is to improve on
        _validate(job, prepared, log, done, threads)
    with asked_to_stop() as asked:
        for step in train(
            learner,
            partial(_batch_on, device, prepared),
            job.recipe,
            prepared.lr,
            lambda made: made / prepared.steps,
            resumed,
        ):
            done, loss = step.step, step.loss
            _note(step, prepared, log, tell)
            stop = bool(agree(float(asked()), device)) and done < prepared.steps
            if stop or done % job.save_every == 0 or done % epoch_steps == 0:
                _save(job, prepared, done)
            if log and done % epoch_steps == 0:
                _validate(job, prepared, log, done, threads)
            if stop:
                break
    return TrainingReport(
        out=job.out,
        pairs=len(prepared.pairs),
        validated=len(prepared.aside),
        unreadable=_unreadable(job, prepared),
        steps=done,
        of=prepared.steps,
        resumed=resumed,
        loss=loss,
        recall=_measured(job, done),
        seconds=time.monotonic() - began,
        interrupted=done < prepared.steps,
    )


def _batch_on(device: torch.device, prepared: Prepared, step: int, progress: float) -> Batch:
    return prepared.batches(step, progress).to(device)


def _note(step: Step, prepared: Prepared, log: Log | None, tell: Tell) -> None:
    if log is None:
        return
    epoch = (step.step - 1) // prepared.order.steps_per_epoch + 1
    facts = {name: value for name, value in asdict(step).items() if value is not None}
    log.write({"epoch": epoch, **facts})
    tell(TrainingProgress(step.step, prepared.steps, epoch, step.loss, step.lr, step.pairs_per_second))


def _save(job: Job, prepared: Prepared, done: int) -> None:
    """A checkpoint, and the model as it is now."""
    share_buffers(prepared.learner.network)
    if rank() == 0:
        write_model(job.out, prepared.start.config, prepared.start.preprocessing, prepared.learner.weights())
        save_state(job.state, prepared.learner, done)


def _validate(job: Job, prepared: Prepared, log: Log, done: int, threads: ThreadPoolExecutor) -> None:
    """Measure and log the recall, and draw the curves so far."""
    found = validate(prepared.learner, prepared.aside, prepared.tokenize, prepared.start.preprocessing, threads)
    if found:
        log.write({"step": done, **found})
    draw_curves(read_log(job.state / LOG_FILE), job.state / CURVES_FILE)


def _measured(job: Job, done: int) -> dict[str, float]:
    """The recall that was logged after so many steps."""
    lines = [line for line in read_log(job.state / LOG_FILE) if line["step"] == done and "text_to_image_r1" in line]
    return {name: value for name, value in lines[-1].items() if name != "step"} if lines else {}


def _unreadable(job: Job, prepared: Prepared) -> int:
    """Add this run's pictures that could not be read to those of the runs before; returns how many they are."""
    found, file = gathered(prepared.batches.unreadable), job.state / UNREADABLE_FILE
    if rank() != 0:
        return len(found)
    before = {line["file"]: line["why"] for line in read_log(file)}
    both = before | found
    if found.keys() - before.keys():
        with whole(file) as draft:
            lines = (json.dumps({"file": name, "why": why}) for name, why in sorted(both.items()))
            draft.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return len(both)


@contextmanager
def _alone(job: Job) -> Iterator[None]:
    """One run at a time in a folder; the processes of one run are one."""
    job.state.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(job.state / "lock", timeout=0) if rank() == 0 else nullcontext():
            yield
    except Timeout:
        raise UsageError(f"Another run is training into {job.out}: wait for it, or name another folder.") from None
