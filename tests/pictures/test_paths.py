from __future__ import annotations

import os

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipsearch.errors import PictureError
from clipsearch.names import from_stored, to_stored
from clipsearch.pictures.paths import read_file


@given(st.binary(max_size=40))
def test_every_name_on_disk_round_trips(raw):
    name = os.fsdecode(raw)
    stored = to_stored(name)
    assert from_stored(stored) == name
    assert pa.array([stored]).to_pylist() == [stored]


@given(st.text())
def test_usual_names_are_stored_as_they_are(name):
    if not any(letter >= "\U0010ff80" for letter in name):
        assert to_stored(name) == from_stored(name) == name


def test_private_characters_in_a_name():
    for name in ("a\U0010ff80b", "\U0010ffff", os.fsdecode(b"\xf4\x8f\xbe\x80\xff")):
        assert from_stored(to_stored(name)) == name
    assert to_stored(os.fsdecode(b"caf\xe9.jpg")) == "caf\U0010ffe9.jpg"
    assert to_stored("a\U0010ff80b") != to_stored(os.fsdecode(b"a\x80b"))


def test_neither_form_of_accents_is_touched():
    composed, decomposed = "\u00e9.jpg", "e\u0301.jpg"
    assert (to_stored(composed), to_stored(decomposed)) == (composed, decomposed)


def test_read_file(tmp_path):
    (tmp_path / "a").write_bytes(b"x")
    assert read_file(tmp_path / "a") == b"x"
    for path, reason in [
        (tmp_path / "b", "missing"),
        (tmp_path / "a" / "b", "missing"),
        (tmp_path, "unreadable"),
        (tmp_path / "\0", "unreadable"),
        (tmp_path / ("n" * 300), "unreadable"),
    ]:
        with pytest.raises(PictureError) as caught:
            read_file(path)
        assert caught.value.reason == reason


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_permissions(tmp_path):
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "a").chmod(0)
    with pytest.raises(PictureError) as caught:
        read_file(tmp_path / "a")
    assert caught.value.reason == "unreadable"
