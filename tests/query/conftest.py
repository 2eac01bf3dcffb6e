"""The shipped gallery, indexed with the shipped model."""

from __future__ import annotations

import pytest

import clipsearch
from clipsearch.cli.commands.demo import gallery_folder
from clipsearch.models import load_encoder


@pytest.fixture(scope="session")
def mini():
    return load_encoder("mini", device="cpu", offline=True)


@pytest.fixture(scope="session")
def gallery(mini, tmp_path_factory):
    place = tmp_path_factory.mktemp("gallery") / "gallery.index"
    clipsearch.build(gallery_folder(), place, model="mini", offline=True)
    with clipsearch.open(place, encoder=mini) as index:
        yield index
