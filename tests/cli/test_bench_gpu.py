from __future__ import annotations

import torch

from clipsearch.cli.commands.bench_gpu import _print
from clipsearch.models.gpu.benchmark import GpuRate


def test_without_a_gpu_one_sentence_says_so(run, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    done = run("bench", "gpu")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("clipsearch: torch finds no CUDA GPU on this machine")
    assert done.err.count("\n") == 1


def test_an_architecture_that_is_none_is_named(run):
    done = run("bench", "gpu", "--model", "ViT-B-33")
    assert done.code == 2
    assert "'ViT-B-33'" in done.err


def test_the_table_has_a_line_for_each_model(capsys):
    _print([GpuRate("ViT-X", 2, "NVIDIA H200", "mixed", 64, 8.8176, 12345.6, 0.116, 4321.0, 16, None)])
    out = capsys.readouterr().out
    for cell in ("ViT-X", "8.8", "64", "mixed", "12,346", "12%", "4,321", "none", "2 GPUs, NVIDIA H200; 16 decoders"):
        assert cell in out
