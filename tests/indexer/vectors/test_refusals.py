"""What cannot be imported is said in a sentence, and leaves nothing behind."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from toy import ToyEncoder
from vector_files import DIM, lists, put, random_vectors, table

from clipsearch.errors import ModelMismatch, SourceError, UsageError


def test_a_new_index_needs_the_name_of_the_model(tmp_path):
    with pytest.raises(UsageError, match="--model"):
        put(table(tmp_path, random_vectors(2)), tmp_path / "i.index", encoder=None)
    assert not (tmp_path / "i.index").exists()


def test_another_model_is_refused(tmp_path):
    put(table(tmp_path, random_vectors(2)), tmp_path / "i.index")
    with pytest.raises(ModelMismatch):
        put(table(tmp_path, random_vectors(2)), tmp_path / "i.index", encoder=ToyEncoder("other"))


def test_the_length_of_the_vectors_has_to_be_the_models(tmp_path):
    with pytest.raises(SourceError, match=f"vectors of 12 numbers, and those of toy have {DIM}"):
        put(table(tmp_path, random_vectors(2)[:, :12].copy()), tmp_path / "i.index")
    table(tmp_path / "two", random_vectors(2), "a.parquet")
    table(tmp_path / "two", random_vectors(2)[:, :12].copy(), "b.parquet")
    with pytest.raises(SourceError, match="different models"):
        put(tmp_path / "two", tmp_path / "i.index")
    assert not (tmp_path / "i.index").exists()


def test_columns_that_are_not_there_or_not_clear(tmp_path):
    source = table(tmp_path, random_vectors(2))
    with pytest.raises(SourceError, match="no column 'x'; --vector-column takes one of path, vector"):
        put(source, tmp_path / "i.index", vector_column="x")
    pq.write_table(pa.table({"path": ["a"], "one": lists(random_vectors(1)), "two": lists(random_vectors(1))}), source)
    with pytest.raises(SourceError, match=r"several columns could be the vectors; .*\(one, two\)"):
        put(source, tmp_path / "i.index")
    assert put(source, tmp_path / "i.index", vector_column="two").imported == 1
    pq.write_table(pa.table({"path": ["a"]}), source)
    with pytest.raises(SourceError, match="no column holds lists of floats"):
        put(source, tmp_path / "i.index")
    with pytest.raises(SourceError, match="is not there"):
        put(tmp_path / "nothing", tmp_path / "i.index")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="neither Parquet files nor"):
        put(tmp_path / "empty", tmp_path / "i.index")
