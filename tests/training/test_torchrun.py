"""The training command under torchrun."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from clipsearch.cli.app import app

STEPS = ("--epochs", "1", "--batch-size", "12", "--lr", "1e-3", "--ema", "0.5", "--offline", "--device", "cpu")


@pytest.mark.slow
def test_two_processes_make_the_checkpoint_of_one(
    photos: Path, tiny: Path, tmp_path: Path, subprocess_env: dict[str, str]
) -> None:
    def command(out: str) -> list[str]:
        return ["train", str(photos), "--model", str(tiny), "--out", str(tmp_path / out), *STEPS]

    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*torchrun, "-m", "clipsearch", *command("both")],
        env=subprocess_env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("2 of 2 steps done") == 1  # one process speaks
    app(command("alone"), standalone_mode=False)
    both, alone = (torch.load(tmp_path / out / "training/state.pt") for out in ("both", "alone"))
    assert both["step"] == alone["step"] == 2
    assert (alone["network"]["visual.proj"] - alone["average"]["visual.proj"]).abs().max() > 1e-4  # it moved
    for part in ("network", "average"):
        assert both[part].keys() == alone[part].keys()
        for name, wanted in alone[part].items():
            assert torch.allclose(both[part][name], wanted, atol=1e-5, rtol=0), (part, name)
