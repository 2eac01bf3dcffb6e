"""From what is asked on the page to the pictures shown."""

from __future__ import annotations

from clipsearch import Filter
from clipsearch.query import terms
from clipsearch.query.options import NEWEST
from clipsearch_ui.engine import Engine
from clipsearch_ui.filters.address import Shown
from clipsearch_ui.search.query import Query, Term
from clipsearch_ui.search.tiles import Found, Tile

_ALL, _AS_THEY_COME = Filter(), Shown()


def find(
    engine: Engine,
    query: Query,
    limit: int,
    wanted: Filter = _ALL,
    shown: Shown = _AS_THEY_COME,
    space: str | None = None,
) -> Found:
    """The best `limit` pictures for a query, of those that are relevant to it unless it asks for all; the newest where
    nothing is asked. Only pictures that pass the filter are found. The embedding space asked is `space`, or those that
    answer by default.

    Raises:
        QueryError: something asked cannot be used.
        ModelError: the index's model cannot be loaded.
    """
    if query.is_empty:
        sort = shown.sort or NEWEST
        page = engine.index.browse(k=limit, where=wanted, unique=shown.unique, group_by=shown.group_by, sort=sort)
        return Found(tuple(Tile.of(row, engine.key) for row in page.rows.to_pylist()))
    if query.needs_model:
        engine.load_model()
    unless = [term.value for term in query.terms if term.kind == "not"]
    asked = terms.Query(*(_term(engine, term) for term in query.terms if term.kind != "not"), unless=unless)
    # Pictures asked with are not what is looked for.
    hits = engine.index.search(
        asked,
        k=limit + len(query.likes),
        where=wanted,
        unique=shown.unique,
        group_by=shown.group_by,
        sort=shown.sort,
        spaces=space,
    )
    # What is near a picture is shown whatever it is; words may well ask for something that is not there.
    fitting = hits.relevant if query.has_text and not query.everything else hits
    tiles = tuple(Tile.of(hit.metadata, engine.key, hit.score, hit.relevance) for hit in fitting)
    kept = tuple(tile for tile in tiles if tile.id not in query.likes)
    return Found(kept[:limit], len(hits) - len(fitting))


def _term(engine: Engine, term: Term) -> terms.Term:
    match term.kind:
        case "image":
            return terms.image(engine.query_picture(term.value), term.weight)
        case "like":
            return terms.stored(int(term.value), term.weight)
        case _:
            return terms.text(term.value, term.weight)
