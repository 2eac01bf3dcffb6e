"""`clipsearch.open`: an index to ask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clipsearch.errors import QueryError
from clipsearch.names import from_stored
from clipsearch.query import terms
from clipsearch.query.encoders import Encoders
from clipsearch.query.filters import survivors
from clipsearch.query.opened import OpenSpaces
from clipsearch.query.options import NEWEST, Options, ids_of
from clipsearch.query.results import Results
from clipsearch.query.search import search
from clipsearch.query.terms import Askable, Query
from clipsearch.query.vectors import require
from clipsearch.store.snapshot import Snapshot
from clipsearch.store.spaces import Spaces
from clipsearch.types import DuplicateGroup, Encoder, Tell

if TYPE_CHECKING:
    import pyarrow as pa

    from clipsearch.query.browse import Page
    from clipsearch.query.duplicates import Level, Progress
    from clipsearch.query.export import ExportReport, FloatType
    from clipsearch.query.facets import Facets
    from clipsearch.query.filters import Filter
    from clipsearch.query.folder_tree import FolderTree
    from clipsearch.query.info import IndexInfo
    from clipsearch.query.map import MapPoints
    from clipsearch.query.terms import Picture


class Index:
    """A published version of an index, opened for searching; `refresh` moves to the newest.

    An index may hold several embedding spaces: one of them is the main one, which everything but a search reads.

    Args:
        path: the index directory.
        encoder: a ready encoder, or one for each model; by default the index's own models are loaded at the first
            text or picture query.
        device: `auto`, `cuda`, `mps` or `cpu`, for the index's own models.
        engine: what runs them, `torch`, `onnx` (on a CPU) or `auto`; see `clipsearch.models.load_encoder`.
        offline: never touch the network, even for weights missing here.
        space: the name of one of its spaces, to be looked at as if it were the only one.

    Raises:
        IndexNotFound: there is no index at `path`.
        IndexDamaged: it cannot be read.
        ModelMismatch: no given encoder is of a model that it was made with.
        QueryError: there is no such space.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        encoder: Encoder | Sequence[Encoder] | None = None,
        device: str = "auto",
        engine: str = "auto",
        offline: bool = False,
        space: str | None = None,
    ) -> None:
        self.path, self.space = Path(path).expanduser().absolute(), space
        given = encoder if isinstance(encoder, Sequence) else [] if encoder is None else [encoder]
        self._opened = OpenSpaces(self.path, Encoders(self.path, given, device, engine, offline), space)
        if given:
            self._opened.require_used()

    @property
    def _snapshot(self) -> Snapshot:
        """The main space, which everything but a search reads."""
        return self._opened.main

    @property
    def spaces(self) -> Spaces:
        """The embedding spaces there are, and which of them answer with which weight."""
        return self._opened.listed

    @property
    def encoder(self) -> Encoder:
        """The model of the main space.

        Raises:
            ModelError: it cannot be loaded.
            ModelMismatch: what its name stands for has changed since the index was made.
        """
        return self._opened.encoder()

    def load_models(self) -> None:
        """Load the models that a query is answered with, ahead of the first.

        Raises:
            ModelError: one cannot be loaded.
        """
        self._opened.load_models()

    def __len__(self) -> int:
        return self._snapshot.manifest.rows

    @property
    def version(self) -> int:
        """The published version that is open."""
        return self._snapshot.manifest.version

    @property
    def model(self) -> str:
        """The name of the model it was made with."""
        return self._snapshot.manifest.model.name

    @property
    def computed(self) -> Mapping[str, tuple[str, ...]]:
        """The columns of `images` that were computed after indexing, such as labels, by the name of their set."""
        return {ref.name: ref.columns for ref in self._snapshot.manifest.computed}

    def search(
        self,
        query: Askable | None = None,
        *,
        k: int = 10,
        image: Picture | None = None,
        vector: ArrayLike | None = None,
        like: int | Sequence[int] | None = None,
        unlike: int | Sequence[int] | None = None,
        where: str | Filter | None = None,
        unique: bool = False,
        group_by: str | None = None,
        sort: str | None = None,
        diversity: float = 0.0,
        templates: bool = True,
        cursor: str | None = None,
        spaces: str | Mapping[str, float] | None = None,
    ) -> Results:
        """The `k` pictures nearest to what is asked, best first; fewer only where fewer qualify.

        Args:
            query: what the picture shows, in words; or weighted terms, see `Query`.
            k: how many pictures to return.
            image: one more term: a file, encoded bytes, a PIL image or a uint8 array [h, w, 3].
            vector: one more term: `dim` numbers of any length in the model's own space.
            like: ids of indexed pictures to move the query towards (or to ask for, where there is no other query).
                They are left out of the results.
            unlike: ids of indexed pictures to move the query away from, also left out.
            where: an SQL condition on the columns of `images`, or a `Filter`; only pictures that pass are returned.
            unique: of several copies of one picture, resized or compressed again, return the best only.
            group_by: return the best of each `folder` (or Parquet file), `day`, or value of a column of `images` only.
            sort: `COLUMN`, `COLUMN:asc` or `COLUMN:desc` (the default): the relevant pictures in the order of that
                column of `images`, then the others by score. `newest` is by when a picture was taken or, where it
                does not say, its file was changed.
            diversity: from 0, the order of the scores, to 1, where each next picture is as unlike those before as can
                be; the first stays the best.
            templates: whether a bare concept (one to three words) is asked for as captions would put it.
            cursor: `Results.cursor` of the page before, with otherwise the same call.
            spaces: the name of the space to ask, or several with their weights (see `clipsearch.query.fusion`); by
                default those that `Index.spaces` says answer.

        Raises:
            QueryError: nothing is asked, or something asked cannot be used.
            ModelError: the index's model cannot be loaded.
        """
        more = [terms.image(image)] if image is not None else []
        more += [terms.vector(vector)] if vector is not None else []
        asked = Query(*(() if query is None else (query,)), *more)
        opened = self._opened  # one version for the whole query, also where another thread refreshes meanwhile
        weights = opened.weights(spaces)
        liked, unliked = ids_of(like), ids_of(unlike)
        options = Options(k, liked, unliked, where, unique, group_by, sort, diversity, templates, weights)
        [results] = search(opened.searchable(weights), [asked], options, cursor)
        return results

    def search_many(
        self,
        queries: Sequence[Askable] | NDArray[np.floating],
        *,
        k: int = 10,
        where: str | Filter | None = None,
        unique: bool = False,
        group_by: str | None = None,
        sort: str | None = None,
        diversity: float = 0.0,
        templates: bool = True,
        spaces: str | Mapping[str, float] | None = None,
    ) -> list[Results]:
        """The results of each of many queries, in their order; several times quicker than one by one.

        Args:
            queries: what `search` takes, or an array of vectors [n, dim].
            k: how many pictures to return for each.
            where, unique, group_by, sort, diversity, templates, spaces: as for `search`.

        Raises:
            QueryError: one asks nothing, or something that cannot be used.
            ModelError: the index's model cannot be loaded.
        """
        if isinstance(queries, np.ndarray):
            if queries.ndim != 2:
                raise QueryError(f"Query vectors come as an array [n, dim]; this one is {list(queries.shape)}.")
            queries = [terms.vector(row) for row in queries]
        asked = [Query(query) for query in queries]
        opened = self._opened
        weights = opened.weights(spaces)
        options = Options(k, (), (), where, unique, group_by, sort, diversity, templates, weights)
        return search(opened.searchable(weights), asked, options)

    def browse(
        self,
        *,
        k: int = 10,
        where: str | Filter | None = None,
        unique: bool = False,
        group_by: str | None = None,
        sort: str = NEWEST,
        cursor: str | None = None,
    ) -> Page:
        """The first `k` pictures in the order of a column, without a query; fewer only where fewer qualify.

        Args:
            k: how many pictures to return.
            where: an SQL condition on the columns of `images`, or a `Filter`; only pictures that pass are returned.
            unique: of several copies of one picture, resized or compressed again, return the first only.
            group_by: return the first of each `folder` (or Parquet file), `day`, or value of a column of `images` only.
            sort: `COLUMN`, `COLUMN:asc` or `COLUMN:desc` (the default) of `images`, empty values last; or `newest`,
                by when a picture was taken or, where it does not say, its file was changed.
            cursor: `Page.cursor` of the page before, with otherwise the same call.

        Raises:
            QueryError: something asked cannot be used.
        """
        from clipsearch.query.browse import browse

        options = Options(k, where=where, unique=unique, group_by=group_by, sort=sort)
        return browse(self._snapshot, options, cursor)

    def count(self, where: str | Filter | None = None) -> int:
        """How many pictures pass an SQL condition or a `Filter`.

        Raises:
            QueryError: it cannot be used.
        """
        snapshot = self._snapshot
        among = survivors(snapshot, where)
        return snapshot.manifest.rows if among is None else len(among)

    def facets(self) -> Facets:
        """What there is to filter by: dates, sizes and values, with how many pictures have each. Looks at every
        picture, so keep it for as long as `version` is the same."""
        from clipsearch.query.facets import facets

        return facets(self._snapshot)

    def folders(self) -> FolderTree:
        """The folders of the index, with how many pictures are in each. Looks at every picture, as `facets` does."""
        from clipsearch.query.folder_tree import folder_tree

        return folder_tree(self._snapshot)

    def duplicates(
        self,
        level: Level = "bytes",
        *,
        threshold: float | None = None,
        where: str | Filter | None = None,
        progress: Progress | None = None,
    ) -> Iterator[DuplicateGroup]:
        """Pictures that are there more than once, group by group; see `clipsearch.query.duplicates`."""
        from clipsearch.query.duplicates import duplicates

        return duplicates(self._snapshot, level, threshold=threshold, where=where, progress=progress)

    def map(self, tell: Tell | None = None) -> MapPoints:
        """Every picture as a point on a plane, those that resemble one another side by side; see
        `clipsearch.query.map`.

        Made at the first call, which takes about a minute for a million pictures, and kept in the index directory.

        Args:
            tell: hears of the work: what is done, how much of how much.
        """
        from clipsearch.query.map import map_of
        from clipsearch.store.derive import quietly

        return map_of(self._snapshot, tell or quietly)

    def get(self, picture_id: int) -> Mapping[str, Any]:
        """Metadata of one picture, the columns of the `images` view.

        Raises:
            QueryError: there is no such id.
        """
        snapshot = self._snapshot
        require(snapshot, [picture_id])
        [row] = snapshot.records.of([picture_id]).to_pylist()
        return dict(row)

    def file(self, picture_id: int) -> Path:
        """Where the file of one picture is, or the Parquet file it lies in; it may have gone since it was indexed.

        Raises:
            QueryError: there is no such id.
        """
        snapshot = self._snapshot
        require(snapshot, [picture_id])
        [row] = snapshot.records.of([picture_id]).to_pylist()
        return snapshot.roots()[row["root"]] / from_stored(row["file"] or row["shard"])

    def picture(self, picture_id: int) -> bytes:
        """The encoded bytes of one picture, from its file or out of its Parquet shard.

        Raises:
            QueryError: there is no such id.
            PictureError: the file is not there any more.
        """
        from clipsearch.pictures.fetch import picture_bytes

        snapshot = self._snapshot
        [row] = _rows(snapshot, [picture_id])
        return picture_bytes(
            snapshot.roots()[row["root"]],
            file=row["file"],
            shard=None if row["file"] else row["shard"],
            row_group=row["row_group"] or 0,
            row=row["row"] or 0,
            image_column=row["image_column"],
        )

    def vectors(self, ids: Sequence[int]) -> NDArray[np.float16]:
        """Stored vectors, float16 [n, dim], in the order of `ids`.

        Raises:
            QueryError: an id does not exist.
        """
        snapshot = self._snapshot
        _rows(snapshot, ids)
        return snapshot.vectors_of(ids)

    def export(
        self,
        target: str | Path,
        *,
        where: str | Filter | None = None,
        columns: Sequence[str] = (),
        dtype: FloatType = "float16",
        progress: Progress | None = None,
    ) -> ExportReport:
        """Write vectors for other programs, in the order of ids, a block at a time: id, path, `columns`, vector.

        Args:
            target: a new `FILE.parquet` or `FILE.arrow`, whose column `vector` has fixed-size lists; or a new folder
                for clip-retrieval's layout, `img_emb/img_emb_N.npy` [n, dim] and `metadata/metadata_N.parquet`.
            where: an SQL condition on the columns of `images`, or a `Filter`; only pictures that pass are written.
            columns: columns of `images` to write as well; `"*"` among them stands for every one. The `path` among
                those becomes `relative_path`.
            dtype: float16 as the index has them, or float32.
            progress: hears of how many pictures are written, and of how many.

        Raises:
            UsageError: the target is there already, its folder is not, or its ending is none that is written.
            QueryError: the filter or a column cannot be used.
        """
        from clipsearch.query.export import export

        return export(self._snapshot, target, where=where, columns=columns, dtype=dtype, progress=progress)

    def sql(self, statement: str) -> pa.Table:
        """Run one SELECT on the catalog, whose main view is `images`; returns an Arrow table.

        Raises:
            QueryError: the statement is wrong or does more than read the catalog.
        """
        snapshot = self._snapshot  # held to the end, also where another thread refreshes meanwhile
        return snapshot.catalog.query(statement)

    def failures(self) -> list[dict[str, Any]]:
        """Pictures that could not be read: root, path, reason, message, bytes, mtime_ns, failed_at."""
        snapshot = self._snapshot
        return snapshot.catalog.failures()

    def info(self) -> IndexInfo:
        """What this index is and where its pictures are."""
        from clipsearch.query.info import info_of

        return info_of(self._snapshot)

    def refresh(self) -> bool:
        """Move to the newest published version, and to the spaces that answer now. Returns whether anything was newer.

        Queries under way in other threads end on the version they began with, which is let go of after them.
        """
        if self._opened.is_current():
            return False
        self._opened = self._opened.renewed()
        return True

    def close(self) -> None:
        """Let go of the index's files."""
        self._opened.close()

    def __enter__(self) -> Index:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _rows(snapshot: Snapshot, ids: Sequence[int]) -> list[dict[str, Any]]:
    """Stored rows in the order of `ids`; raises QueryError for an id that does not exist."""
    rows = snapshot.catalog.stored(list(ids))
    missing = [i for i in ids if i not in rows]
    if missing:
        raise QueryError(f"There is no picture with id {missing[0]} in this index.")
    return [rows[i] for i in ids]
