"""The shipped gallery, indexed with the shipped model, and rows to filter by."""

from __future__ import annotations

import pytest

import clipsearch
from clipsearch.models import load_encoder
from clipsearch.store.snapshot import Snapshot
from tests.query.filtered_rows import write_rows


@pytest.fixture(scope="session")
def mini():
    return load_encoder("mini", device="cpu", offline=True)


@pytest.fixture(scope="session")
def gallery(mini, demo):
    with clipsearch.open(demo[0], encoder=mini) as index:
        yield index


@pytest.fixture(scope="session")
def snapshot(tmp_path_factory):
    """An index of `filtered_rows`."""
    opened = Snapshot(write_rows(tmp_path_factory.mktemp("filters")))
    yield opened
    opened.close()
