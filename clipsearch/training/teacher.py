"""A teacher's vectors of the pictures to train on, whatever made them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from clipsearch.errors import SourceError
from clipsearch.training.pairs import Pair
from clipsearch.types import Vectors

_NAMES = ("path", "file", "file_name", "filename", "image_path", "key", "id")
_VECTORS = ("vector", "embedding", "embeddings", "image_embedding", "emb", "features")


def read_teacher(file: Path, pairs: Sequence[Pair]) -> Vectors:
    """The teacher's vector of every pair, float32 [n, teacher dim]; a row of NaN where it has none.

    `file` is Parquet with a column of names (`path`, `file`, `key`, ...) and one of vectors (`vector`, `embedding`,
    ...), as `clipsearch export` writes it; or `.npy` [m, teacher dim] with a `.txt` of the same name beside it, a
    picture's name on each line. A name is the picture's path or the end of it; the file name alone will do where no
    two are alike.

    Raises:
        SourceError: It cannot be read, has no such columns, or knows none of the pictures.
    """
    try:
        names, vectors = _parquet(file) if file.suffix.lower() in (".parquet", ".pq") else _numpy(file)
    except SourceError:
        raise
    except Exception as error:  # NumPy and Arrow raise nearly anything for a broken file
        raise SourceError(f"{file} cannot be read as vectors ({error}); give Parquet or .npy.") from error
    if vectors.ndim != 2 or len(names) != len(vectors):
        raise SourceError(f"{file} has {len(names)} names for vectors of shape {vectors.shape}; give one name a row.")
    rows = _rows(names, pairs)
    if (rows < 0).all():
        raise SourceError(f"{file} knows none of the pictures; its names are like {names[0] if names else 'nothing'}.")
    found = vectors[np.maximum(rows, 0)].astype(np.float32)
    found[rows < 0] = np.nan
    return found


def _rows(names: Sequence[str], pairs: Sequence[Pair]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """int64 [n]: the row of each pair's vector, -1 where there is none."""
    whole = {name: row for row, name in enumerate(names)}
    times = Counter(Path(name).name for name in names)
    last = {Path(name).name: row for name, row in whole.items() if times[Path(name).name] == 1}
    ends = {len(Path(name).parts) for name in names}

    def row(pair: Pair) -> int:
        parts = Path(pair.name).parts
        if pair.name in whole:
            return whole[pair.name]
        tails = (str(Path(*parts[-count:])) for count in sorted(ends, reverse=True) if count <= len(parts))
        return next((whole[tail] for tail in tails if tail in whole), last.get(parts[-1], -1) if parts else -1)

    return np.array([row(pair) for pair in pairs], np.int64)


def _parquet(file: Path) -> tuple[list[str], Vectors]:
    import pyarrow.parquet as pq

    schema = pq.read_schema(file).names
    naming, column = (next((name for name in usual if name in schema), None) for usual in (_NAMES, _VECTORS))
    if naming is None or column is None:
        raise SourceError(f"{file} needs a column `path` and a column `vector`; it has {', '.join(schema)}.")
    table = pq.read_table(file, columns=[naming, column])
    flat = table[column].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return [str(name) for name in table[naming].to_pylist()], flat.reshape(len(table), -1)


def _numpy(file: Path) -> tuple[list[str], Vectors]:
    beside = file.with_suffix(".txt")
    if not beside.is_file():
        raise SourceError(f"{file} needs {beside.name} beside it, with a picture's name on each line.")
    return beside.read_text(encoding="utf-8").splitlines(), np.load(file, mmap_mode="r")
