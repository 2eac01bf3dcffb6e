"""What tests of indexing share: decoders with bugs, slow ones and impatient ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from clipsearch.pictures import isolated

HERE = Path(__file__).parent


@pytest.fixture
def bad_decoder(monkeypatch):
    """Processes that decode with the bugs of `bad_decoder/sitecustomize.py`."""
    monkeypatch.setenv("PYTHONPATH", str(HERE / "bad_decoder"))
    monkeypatch.setattr(isolated, "_SPARE", [])
    monkeypatch.setattr(isolated, "TIME_LIMIT", 1.0)
    yield
    isolated._end_spare()


@pytest.fixture
def slow_disk(monkeypatch):
    """Processes that read from the disk of `slow_disk/sitecustomize.py`."""
    monkeypatch.setenv("PYTHONPATH", str(HERE / "slow_disk"))
    monkeypatch.setattr(isolated, "_SPARE", [])
    yield
    isolated._end_spare()


@pytest.fixture
def impatient_decoder(monkeypatch):
    """Processes that end as soon as nothing is wanted of them for a moment, see `impatient/sitecustomize.py`."""
    monkeypatch.setenv("PYTHONPATH", str(HERE / "impatient"))
    monkeypatch.setattr(isolated, "_SPARE", [])
    yield
    isolated._end_spare()
