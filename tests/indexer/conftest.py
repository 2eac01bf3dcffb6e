"""What tests of indexing share: decoders with bugs, slow ones and impatient ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from clipsearch.pictures import isolated


def processes_with(folder: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have processes that decode started with `folder/sitecustomize.py`."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent / folder))
    monkeypatch.setattr(isolated, "_SPARE", [])
    yield
    isolated._end_spare()


@pytest.fixture
def bad_decoder(monkeypatch):
    """Processes that decode with bugs, and may take a second for a picture."""
    monkeypatch.setattr(isolated, "TIME_LIMIT", 1.0)
    yield from processes_with("bad_decoder", monkeypatch)


@pytest.fixture
def slow_disk(monkeypatch):
    """Processes that read from a slow disk."""
    yield from processes_with("slow_disk", monkeypatch)


@pytest.fixture
def impatient_decoder(monkeypatch):
    """Processes that end as soon as nothing is wanted of them for a moment."""
    yield from processes_with("impatient", monkeypatch)
