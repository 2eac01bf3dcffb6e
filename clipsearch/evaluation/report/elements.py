"""Pieces of HTML. What comes from outside is escaped here and nowhere else: functions take text and give HTML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def html(value: object) -> Html:
    """A value as HTML: a share with three decimals, text escaped, file names' odd bytes as question marks."""
    if isinstance(value, Html):
        return value
    text = "-" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)
    return Html(escape(text.encode("utf-8", "replace").decode("utf-8")))


def element(tag: str, *children: object, css: str = "") -> Html:
    """`<tag class=css>children</tag>`."""
    attribute = f' class="{escape(css)}"' if css else ""
    return Html(f"<{tag}{attribute}>{''.join(map(html, children))}</{tag}>")


def joined(*parts: object) -> Html:
    """One after the other."""
    return Html("".join(map(html, parts)))


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> Html:
    """A table; columns of numbers stand right."""
    right = ["figure" if rows and isinstance(cell, int | float) else "" for cell in (rows[0] if rows else heads)]
    head = element("tr", *(element("th", text, css=css) for text, css in zip(heads, right, strict=True)))
    body = [element("tr", *(element("td", c, css=css) for c, css in zip(row, right, strict=True))) for row in rows]
    return element("div", element("table", element("thead", head), element("tbody", *body)), css="wide")


def bar(share: float) -> Html:
    """A share from 0 to 1 as a bar."""
    width = 100 * min(max(share, 0.0), 1.0) if share == share else 0
    return Html(f'<span class="track"><span class="bar" style="width:{width:.1f}%"></span></span>')


def heat_map(names: Sequence[str], cells: Sequence[Sequence[int]]) -> Html:
    """Counts as a square of shaded cells, each row by its own sum: rows are what is, columns what it was taken for."""
    head = element("tr", element("th", ""), *(element("th", name) for name in names))
    body = [
        element("tr", element("th", name), *(_cell(count, sum(row)) for count in row))
        for name, row in zip(names, cells, strict=True)
    ]
    return element(
        "div", element("table", element("thead", head), element("tbody", *body), css="confusion"), css="wide"
    )


def _cell(count: int, total: int) -> Html:
    shade = 0.85 * count / total if total else 0
    return Html(f'<td style="background:rgb(var(--heat) / {shade:.3f})">{count or ""}</td>')
