"""The list of spaces: what is read when there is none, what is refused, and what spaces are called."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipsearch.errors import IndexDamaged, IndexNotFound, QueryError
from clipsearch.store.spaces import Space, Spaces, main_folder, path_of, read_spaces, space_name, whole_of, write_spaces

HERE = Space("toy", "pictures", ".")
OTHER = Space("other", "pictures", "spaces/other")
TEXTS = Space("captions", "captions", "spaces/captions")


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("mini", "mini"),
        ("ViT-B-32:openai", "ViT-B-32-openai"),
        ("ViT-B-32/laion2b_s34b_b79k", "ViT-B-32-laion2b_s34b_b79k"),
        ("hf-hub:timm/ViT-B-16-SigLIP", "hf-hub-timm-ViT-B-16-SigLIP"),
        ("/home/me/runs/7/model", "model"),
        ("ViT-B-32:/home/me/epoch_3.pt", "ViT-B-32-epoch_3.pt"),
        ("captions", "captions-model"),
        ("../..", "model"),
    ],
)
def test_names_of_models(model, name):
    assert space_name(model) == name


@given(st.text(min_size=1))
def test_any_name_is_one_folder_and_stays_as_it_is(model):
    name = space_name(model)
    assert name
    assert not set(name) & set('/\\:*?"<>|~\0\n ')
    assert name not in (".", "..", "captions")
    assert space_name(name) == name


def test_an_index_without_a_list_is_its_own_only_space(store):
    with store.writer() as writer:
        store.add(writer, 2)
        writer.publish()
    found = read_spaces(store.path)
    assert found == Spaces((HERE,), (("toy", 1.0),))
    assert path_of(store.path, found.main) == main_folder(store.path) == store.path


def test_what_is_written_is_read(tmp_path):
    spaces = Spaces((HERE, OTHER, TEXTS), (("other", 1.0), ("toy", 0.25)))
    write_spaces(tmp_path, spaces)
    assert read_spaces(tmp_path) == spaces
    assert spaces.main == OTHER
    assert main_folder(tmp_path) == tmp_path / "spaces/other"
    assert whole_of(tmp_path / "spaces/other") == whole_of(tmp_path) == tmp_path
    assert spaces.named("captions") == TEXTS
    with pytest.raises(QueryError, match="those it has are: toy, other, captions"):
        spaces.named("third")


def test_no_index(tmp_path):
    with pytest.raises(IndexNotFound):
        read_spaces(tmp_path / "nowhere")


SOUND = {"spaces": [{"name": "toy", "of": "pictures", "folder": "."}], "answering": [["toy", 1.0]]}


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "[]",
        {"answering": []},
        {"answering": [["other", 1.0]]},
        {"answering": [["toy", 0.0]]},
        {"answering": [["toy", 1.0], ["toy", 1.0]]},
        {"spaces": [{"name": "toy", "of": "captions", "folder": "."}]},
        {"spaces": [{"name": "toy", "of": "pictures", "folder": "../elsewhere"}]},
        {"spaces": [{"name": "toy", "of": "pictures", "folder": "spaces/.."}]},
        {"spaces": [{"name": "toy", "of": "pictures", "folder": "spaces/a/b"}]},
        {"spaces": SOUND["spaces"] * 2},
    ],
)
def test_a_damaged_list_is_said_to_be_so(tmp_path, wrong):
    (tmp_path / "spaces.json").write_text(wrong if isinstance(wrong, str) else json.dumps(SOUND | wrong))
    with pytest.raises(IndexDamaged, match="clipsearch repair"):
        read_spaces(tmp_path)
