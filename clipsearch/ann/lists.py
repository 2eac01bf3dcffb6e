"""The lists of an inverted file, in a file of their own that readers map.

FAISS's fast-scan indexes hold their codes in memory, in blocks of 32 vectors. Written one list after the other, each
followed by its ids, the same blocks can be searched from a mapped file: an index of ten million vectors opens in
milliseconds, and its pages are shared by all processes.

The file begins with uint64 numbers: how many lists, bytes a vector, and for each list its vectors, the room it has for
vectors, and its offset in bytes (the layout of FAISS's `OnDiskOneList`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from clipsearch.errors import IndexDamaged
from clipsearch.types import Ids

_ID_BYTES = 8


def write_lists(target: Path, added: Any, base: Any = None) -> None:
    """Write block lists (FAISS `BlockInvertedLists`), each after the whole blocks of `base`, lists mapped before.

    What `base` has in blocks that are not full is left out; see `in_partial_blocks`.
    """
    block = added.n_per_block
    code_size = added.block_size // block
    table = np.zeros((added.nlist, 3), dtype=np.uint64)
    with target.open("wb") as file:
        file.seek(8 * (2 + table.size))
        for number in range(added.nlist):
            kept = 0 if base is None else base.list_size(number) // block * block
            new = added.list_size(number)
            room = kept + -(-new // block) * block
            table[number] = kept + new, room, file.tell()
            if room:
                ids = np.full(room, -1, dtype=np.int64)
                if kept:
                    ids[:kept] = ids_of(base, number)[:kept]
                    file.write(_bytes(base.get_codes(number), kept * code_size))
                if new:
                    ids[kept : kept + new] = ids_of(added, number)
                    file.write(_bytes(added.get_codes(number), (room - kept) * code_size))
                file.write(ids.tobytes())
        file.seek(0)
        file.write(np.array([len(table), code_size], dtype=np.uint64).tobytes())
        file.write(table.tobytes())


def _bytes(pointer: Any, count: int) -> bytes:
    codes: NDArray[np.uint8] = faiss.rev_swig_ptr(pointer, count)
    return codes.tobytes()


def map_lists(source: Path) -> Any:
    """FAISS lists (`OnDiskInvertedLists`) over a mapped file, read-only.

    Raises:
        IndexDamaged: the file is missing or shorter than its own table says.
    """
    try:
        count, code_size = (int(v) for v in np.fromfile(source, dtype=np.uint64, count=2))
        table = np.fromfile(source, dtype=np.uint64, count=3 * count, offset=16).reshape(count, 3)
        ends = table[:, 2] + table[:, 1] * np.uint64(code_size + _ID_BYTES)
        sound = int(ends.max(initial=0)) <= source.stat().st_size
    except (OSError, ValueError, OverflowError, MemoryError):
        sound = False
    if not sound:
        raise IndexDamaged(f"{source} cannot be read; run `clipsearch repair --index {source.parent}`.")
    lists = faiss.OnDiskInvertedLists(count, code_size, str(source))
    lists.read_only = True
    lists.prefetch_nthread = 0  # threads made anew for every query take longer than the search
    lists.totsize = source.stat().st_size
    lists.lists.resize(count)
    faiss.memcpy(lists.lists.data(), faiss.swig_ptr(table.reshape(-1)), table.nbytes)
    lists.do_mmap()
    return lists


def ids_of(lists: Any, number: int) -> Ids:
    """The ids in one list, int64: a view."""
    size = lists.list_size(number)
    ids: Ids = faiss.rev_swig_ptr(lists.get_ids(number), size) if size else np.empty(0, np.int64)
    return ids


def in_partial_blocks(lists: Any, block: int) -> Ids:
    """Ids, int64, of the vectors that lie in the last, not full block of their list."""
    rest = [ids_of(lists, number)[lists.list_size(number) // block * block :] for number in range(lists.nlist)]
    return np.concatenate([np.empty(0, np.int64), *rest])


def lists_by_id(lists: Any, below: int) -> NDArray[np.int32]:
    """The number of the list each id is in, int32 [below]; -1 for ids in none."""
    found = np.full(below, -1, dtype=np.int32)
    for number in range(lists.nlist):
        found[ids_of(lists, number)] = number
    return found
