"""The page, read by a parser."""

from __future__ import annotations

import base64
import io
from html.parser import HTMLParser

import pytest
from PIL import Image

from clipsearch.errors import ClipsearchError
from clipsearch.evaluation import Truth, evaluate, write_report
from clipsearch.evaluation.report.elements import element, heat_map, html, table


class Page(HTMLParser):
    """Tags and texts of a page; every tag that is opened must be closed."""

    VOID = ("meta", "img")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open, self.tags, self.texts = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


@pytest.fixture
def page(colours, flat, tmp_path):
    for name in ("red", "lime", "blue <b>&"):
        (tmp_path / "classes" / name).mkdir(parents=True)
        (tmp_path / "classes" / name / "1.png").write_bytes(flat("yellow"))
    target = tmp_path / "report.html"
    with colours.open() as index:
        found = evaluate(index, Truth(captions="wrong", classes=tmp_path / "classes"))
        write_report(index, found, target)
    return found, Page(target.read_text())


def test_the_page_says_what_was_measured(page):
    found, read = page
    for title in ("Retrieval", "Classes by their names", "Spoilt pictures", "The same in other words"):
        assert title in read.texts
    assert f"{found.retrieval.text_to_image.measures['MRR']:.3f}" in read.texts
    assert "blue <b>&" in read.texts  # escaped, and read back by the parser
    assert all(miss.query in read.texts for miss in found.retrieval.text_to_image.worst)


def test_nothing_comes_from_elsewhere(page):
    _, read = page
    assert not {tag for tag, _ in read.tags} & {"script", "link", "iframe", "object", "base"}
    assert all(
        value.startswith("data:image/jpeg;base64,") for _, a in read.tags for n, value in a.items() if n == "src"
    )
    assert not any(name in ("href", "srcset") or name.startswith("on") for _, a in read.tags for name in a)
    style = next(text for text in read.texts if "color-scheme" in text)
    assert "url(" not in style
    assert "@import" not in style
    assert "prefers-color-scheme: dark" in style


def test_failures_are_shown_as_small_pictures(page):
    found, read = page
    sources = [attributes["src"] for tag, attributes in read.tags if tag == "img"]
    assert len(sources) >= 2 * len(found.retrieval.text_to_image.worst)
    for source in sources:
        picture = Image.open(io.BytesIO(base64.b64decode(source.split(",")[1])))
        assert picture.format == "JPEG"
        assert max(picture.size) <= 240


def test_a_picture_that_is_gone_leaves_its_place(colours, tmp_path):
    with colours.open() as index:
        found = evaluate(index, Truth(captions="wrong"), parts=["retrieval"])
        (colours.folder / "colours.parquet").unlink()
        write_report(index, found, tmp_path / "report.html")
    read = Page((tmp_path / "report.html").read_text())
    assert "The picture cannot be read now." in read.texts
    assert not [tag for tag, _ in read.tags if tag == "img"]


def test_a_page_that_cannot_be_written_is_an_error(colours, tmp_path):
    with colours.open() as index:
        found = evaluate(index, parts=["retrieval"])
        with pytest.raises(ClipsearchError, match="name another file"):
            write_report(index, found, tmp_path / "none" / "report.html")


def test_text_is_escaped_once():
    assert element("p", "<a>", element("b", "&")) == "<p>&lt;a&gt;<b>&amp;</b></p>"
    assert html("bad \udcff name") == "bad ? name"
    assert html(0.12345) == "0.123"
    assert html(None) == "-"
    assert "&lt;i&gt;" in table(["<i>"], [["x"]])


def test_cells_are_shaded_by_their_row():
    drawn = heat_map(["a", "b"], [[3, 1], [0, 0]])
    assert "/ 0.637)" in drawn  # 0.85 * 3 / 4
    assert "/ 0.212)" in drawn
    assert drawn.count("/ 0.000)") == 2
