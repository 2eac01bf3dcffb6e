"""The page: what was measured as tables, and the worst failures as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from clipsearch.errors import ClipsearchError
from clipsearch.evaluation.report.elements import Html, bar, element, heat_map, html, joined, table
from clipsearch.evaluation.report.thumbnails import figure
from clipsearch.evaluation.types import Confused, Evaluation, Miss, Mistake, ModelMeasures, Retrieval, ZeroShot
from clipsearch.query.index import Index

_SPOILT = (
    "Cosine to the stored vector, mean and fifth percentile; share that bring up their own original first; R@5 of "
    "their texts with the spoilt picture in its place."
)
_NEARER = (
    "Share of pictures nearer to their own text than to one changed in a way that changes what it says. To guess is "
    "right in 0.5. Models of this kind read a text much like a bag of words, and count badly."
)


def write_report(index: Index, found: Evaluation | None, target: Path, models: Sequence[ModelMeasures] = ()) -> None:
    """Write one HTML file that refers to nothing outside itself, in place of any file of that name.

    Args:
        index: the index, from which the pictures of failures are read.
        found: what was measured of it, if anything.
        target: the file.
        models: models that were compared.

    Raises:
        ClipsearchError: the file cannot be written.
    """
    page = _page(index, found, models)
    try:
        target.expanduser().write_text(page, encoding="utf-8")
    except OSError as error:
        raise ClipsearchError(
            f"The report cannot be written to {target}: {error.strerror}; name another file."
        ) from None


def _page(index: Index, found: Evaluation | None, models: Sequence[ModelMeasures]) -> str:
    style = Html(Path(__file__).with_name("style.css").read_text(encoding="utf-8"))
    body = joined(
        element("h1", f"Evaluation of {index.path.name}"),
        element("p", f"{len(index):,} pictures, model {index.model}, version {index.version} of {index.path}"),
        *([_compared(models)] if models else []),
        *(_sections(index, found) if found else []),
    )
    head = joined(
        Html('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        element("title", f"Evaluation of {index.path.name}"),
        element("style", style),
    )
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>{body}</body></html>\n'


def _sections(index: Index, found: Evaluation) -> list[Html]:
    sections = [element("p", note) for note in found.notes]
    if found.interrupted:
        sections.append(element("p", "Interrupted: what follows is what was measured until then."))
    sections += [_retrieval(index, found.retrieval)] if found.retrieval else []
    sections += [_classes(index, found.classes)] if found.classes else []
    sections += [_neighbours(found)] if found.neighbours else []
    sections += [_robustness(found)] if found.robustness else []
    sections += [_wordings(found)] if found.wordings else []
    sections += [_probes(index, found)] if found.probes else []
    return sections


def _retrieval(index: Index, found: Retrieval) -> Html:
    ways = {"text to image": found.text_to_image, "image to text": found.image_to_text}
    names = list(found.text_to_image.measures)
    rows = [[way, d.queries, d.candidates, *d.measures.values()] for way, d in ways.items()]
    return joined(
        element("h2", "Retrieval"),
        element("p", "R@k: share of queries with a right answer among the best k. Ties count against."),
        table(["", "queries", "among", *names], rows),
        _failures("Texts whose pictures came late", [_miss(index, m) for m in found.text_to_image.worst]),
        _failures("Pictures whose texts came late", [_miss(index, m) for m in found.image_to_text.worst]),
    )


def _miss(index: Index, miss: Miss) -> Html:
    right, first = (f"right answer, rank {miss.rank:,}", miss.wanted), ("came first", miss.first)
    if isinstance(miss.query, str):
        answers = [figure(index, caption, shown) for caption, shown in (right, first)]
        return joined(element("div", miss.query, css="said"), element("div", *answers, css="pair"))
    return _beside(figure(index, "asked", miss.query), [right, first])


def _beside(picture: Html, said: Sequence[tuple[str, object]]) -> Html:
    """A picture with texts at its side, each under a word that says what it is."""
    texts = joined(*(joined(element("b", caption), element("span", text)) for caption, text in said))
    return element("div", picture, element("figure", element("figcaption", texts)), css="pair")


def _failures(title: str, cards: Sequence[Html]) -> Html:
    if not cards:
        return html("")
    grid = element("div", *(element("div", card, css="failure") for card in cards), css="failures")
    return joined(element("h3", title), grid)


def _classes(index: Index, found: ZeroShot) -> Html:
    rows = [[c.name, c.pictures, c.accuracy, bar(c.accuracy), c.mistaken_for] for c in found.classes]
    top5 = "" if found.top5 is None else f", top-5 {found.top5:.3f}"
    return joined(
        element("h2", "Classes by their names"),
        element("p", f"{found.pictures:,} pictures: top-1 {found.top1:.3f}{top5}. {_unreadable(found)}"),
        table(["class", "pictures", "accuracy", "", "mistaken for"], rows),
        element("h3", "What was taken for what"),
        element("p", "A row is a class, a column what its pictures were taken for."),
        heat_map([c.name for c in found.classes], found.confusion),
        element("h3", "One prompt template alone"),
        table(["template", "top-1"], list(found.templates.items())),
        _failures("Furthest off", [_mistake(index, mistake) for mistake in found.worst]),
    )


def _unreadable(found: ZeroShot) -> str:
    return f"{found.unreadable:,} files could not be read and are left out." if found.unreadable else ""


def _mistake(index: Index, mistake: Mistake) -> Html:
    said = f"{mistake.wanted}, taken for {mistake.predicted}"
    return joined(
        element("div", said, css="said"), figure(index, f"by {mistake.margin:.3f} in cosine", mistake.picture)
    )


def _neighbours(found: Evaluation) -> Html:
    assert found.neighbours is not None
    rows = [[kind, found.neighbours.queries[kind], recall] for kind, recall in found.neighbours.recall.items()]
    kind = (
        "It looks at every vector." if found.neighbours.exact else "It is a trained index, which looks at some vectors."
    )
    return joined(
        element("h2", "Search against every vector"),
        element(
            "p",
            f"Share of the ten nearest that the index finds; {found.neighbours.milliseconds:.2f} ms a query. {kind}",
        ),
        table(["queries by", "queries", "recall"], rows),
    )


def _robustness(found: Evaluation) -> Html:
    rows = [
        [d.name, d.how, d.cosine, bar(d.cosine), d.cosine_low, d.found_itself, d.text_recall] for d in found.robustness
    ]
    return joined(
        element("h2", "Spoilt pictures"),
        element("p", f"{found.robustness[0].pictures} pictures, spoilt and embedded again. {_SPOILT}"),
        table(["", "", "cosine", "", "5th percentile", "finds itself", "text R@5"], rows),
    )


def _wordings(found: Evaluation) -> Html:
    rows = [[w.name, w.cosine, w.overlap, w.recall, bar(w.recall), w.example] for w in found.wordings]
    return joined(
        element("h2", "The same in other words"),
        element(
            "p", f"{found.wordings[0].texts} texts: cosine to the text as it is, share of its ten nearest that stay."
        ),
        table(["", "cosine", "same ten", "R@5", "", "for example"], rows),
    )


def _probes(index: Index, found: Evaluation) -> Html:
    rows = [[p.name, p.how, p.pairs, p.accuracy, bar(p.accuracy), p.similarity] for p in found.probes]
    return joined(
        element("h2", "Word order and counting"),
        element("p", _NEARER),
        table(["", "changed", "texts", "accuracy", "", "cosine of both"], rows),
        *(
            _failures(f"{p.name}: the wrong text is nearer", [_confused(index, c) for c in p.worst])
            for p in found.probes
        ),
    )


def _confused(index: Index, confused: Confused) -> Html:
    picture = figure(index, f"by {confused.margin:.3f}", confused.picture)
    return _beside(picture, [("right", confused.text), ("nearer", confused.foil)])


def _compared(models: Sequence[ModelMeasures]) -> Html:
    names = [*models[0].text_to_image]
    rows = [
        [m.model, *m.text_to_image.values(), m.image_to_text["R@1"], round(m.images_per_second), m.bytes_per_picture]
        for m in models
    ]
    return joined(
        element("h2", "Models"),
        element("p", f"On {models[0].pictures:,} pictures with {models[0].texts:,} texts, among themselves."),
        table(["model", *names, "image to text R@1", "images/s", "bytes/picture"], rows),
    )
