from pathlib import Path

import pytest
import torch

from clipsearch.training.batch import Batch
from clipsearch.training.distillation import make_head
from clipsearch.training.learner import make_learner
from clipsearch.training.loop import train_step
from clipsearch.training.settings import Loss, Recipe
from tests.training.tiny_clip import tiny_batch, tiny_clip

CASES: list[tuple[Loss, int | None]] = [("clip", None), ("siglip", None), ("clip", 3), ("siglip", 3)]


def step_on(rows: slice, loss: Loss, chunk: int | None) -> dict[str, torch.Tensor]:
    """Loss, and every gradient after it was summed, of a step on some rows of a batch of eight."""
    recipe = Recipe(loss=loss, chunk=chunk, clip_norm=1e9)
    torch.manual_seed(4)
    learner = make_learner(tiny_clip(), recipe, 0.0, make_head(16, 6))
    whole = tiny_batch(8, columns=2, teacher=6)
    assert whole.teacher is not None
    batch = Batch(whole.images[rows], tuple(column[rows] for column in whole.captions), whole.teacher[rows])
    value = train_step(learner, batch, recipe)
    named = [pair for module in learner.modules for pair in module.named_parameters()]
    return {"loss": torch.tensor(value)} | {name: p.grad.clone() for name, p in named if p.grad is not None}


def _worker(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    torch.save([step_on(slice(4 * rank, 4 * rank + 4), *case) for case in CASES], f"{folder}/{rank}.pt")
    torch.distributed.destroy_process_group()


def test_two_processes_have_the_loss_and_the_gradients_of_one(tmp_path: Path) -> None:
    processes = torch.multiprocessing.get_context("fork")
    workers = [processes.Process(target=_worker, args=(rank, str(tmp_path))) for rank in (0, 1)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    found = [torch.load(tmp_path / f"{rank}.pt") for rank in (0, 1)]
    for case, *both in zip(CASES, *found, strict=True):
        alone = step_on(slice(0, 8), *case)
        assert len(alone) > 20
        for got in both:
            assert got.keys() == alone.keys()
            for name, wanted in alone.items():
                assert torch.allclose(got[name], wanted, atol=1e-5, rtol=1e-4), (case, name)


@pytest.mark.parametrize("loss", ["clip", "siglip"])
def test_half_of_a_batch_alone_has_another_loss(loss: Loss) -> None:
    assert not torch.allclose(step_on(slice(0, 4), loss, None)["loss"], step_on(slice(0, 8), loss, None)["loss"])
