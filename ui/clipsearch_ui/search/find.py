"""From what is asked on the page to the pictures shown."""

from __future__ import annotations

from clipsearch.query import terms
from clipsearch_ui.engine import Engine
from clipsearch_ui.search.query import Query, Term
from clipsearch_ui.search.tiles import Found, Tile

_NEWEST = """
SELECT id, path, caption, width, height, content_hash FROM images
ORDER BY coalesce(mtime, indexed_at) DESC, id DESC LIMIT {limit}
"""


def find(engine: Engine, query: Query, limit: int) -> Found:
    """The best `limit` pictures for a query, of those that are relevant to it unless it asks for all; the newest where
    nothing is asked.

    Raises:
        QueryError: something asked cannot be used.
        ModelError: the index's model cannot be loaded.
    """
    if query.is_empty:
        rows = engine.index.sql(_NEWEST.format(limit=limit)).to_pylist()
        return Found(tuple(Tile.of(row, engine.key) for row in rows))
    if query.needs_model:
        engine.load_model()
    unless = [term.value for term in query.terms if term.kind == "not"]
    asked = terms.Query(*(_term(engine, term) for term in query.terms if term.kind != "not"), unless=unless)
    # Pictures asked with are not what is looked for.
    hits = engine.index.search(asked, k=limit + len(query.likes))
    # What is near a picture is shown whatever it is; words may well ask for something that is not there.
    shown = hits.relevant if query.has_text and not query.everything else hits
    tiles = tuple(Tile.of(hit.metadata, engine.key, hit.score, hit.relevance) for hit in shown)
    kept = tuple(tile for tile in tiles if tile.id not in query.likes)
    return Found(kept[:limit], len(hits) - len(shown))


def _term(engine: Engine, term: Term) -> terms.Term:
    match term.kind:
        case "image":
            return terms.image(engine.query_picture(term.value), term.weight)
        case "like":
            return terms.stored(int(term.value), term.weight)
        case _:
            return terms.text(term.value, term.weight)
