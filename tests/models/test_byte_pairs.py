"""CLIP's tokens without open_clip, against open_clip's."""

from __future__ import annotations

import html.entities
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clipsearch.models import catalogue
from clipsearch.models.byte_pairs import BytePairs
from clipsearch.models.cleaning import cleaning

open_clip = pytest.importorskip("open_clip")

LENGTH = 24
OURS = {kind: BytePairs(catalogue.default_vocabulary(), LENGTH, cleaning(kind)) for kind in ("lower", "canonicalize")}
THEIRS = {kind: open_clip.SimpleTokenizer(context_length=LENGTH, clean=kind) for kind in OURS}
ODD = [
    "",
    " ",
    "a photo of a cat",
    "It's, they'll; DON'T 'S \u017f'\u017f I'M",
    "<start_of_text> dog <end_of_text> <START_OF_TEXT>",
    "&lt;b&gt; &amp;amp; &eacute; &#128512; &notanentity;",
    "caf\u00e9 cafe\u0301 \u00c3\u00a9 \ufb01n \uff21\uff22",
    "二匹の犬が雪の中を走る",
    "\U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467 \u0661\u0662\u0663 \u00bd",
    "tabs\tand\nlines\r\nand\x00nothing\x1b[31m\x7f",
    "word " * 300,
    "x" * 500,
    "1234567890 3.14159 https://example.org/?q=1&r=2",
    "\u201ccurly\u201d \u2018quotes\u2019 \u2014 dashes\u2026",
]


def assert_equal_tokens(texts: list[str], kind: str) -> None:
    np.testing.assert_array_equal(OURS[kind](texts), THEIRS[kind](texts).numpy())


@pytest.mark.parametrize("kind", OURS)
def test_odd_texts(kind: str) -> None:
    assert_equal_tokens(ODD, kind)


def test_thousands_of_texts_of_odd_pieces() -> None:
    draw = random.Random(3)
    entities = [f"&{name}" for name in html.entities.html5]
    words = [*(text for text in ODD if 0 < len(text) < 50), *entities, *map(chr, range(32, 0x3000, 7)), "!!", "?!"]
    texts = [draw.choice(["", " ", "-"]).join(draw.choices(words, k=draw.randint(1, 9))) for _ in range(4000)]
    assert_equal_tokens(texts, "lower")


def test_the_vocabulary_itself() -> None:
    """Every piece there is, as a word: each merge is tried."""
    pieces = [piece.removesuffix("</w>") for piece in THEIRS["lower"].encoder]
    assert len(pieces) > 49_000
    assert_equal_tokens(pieces[::5], "lower")


@settings(max_examples=200)
@given(st.text(max_size=60))
def test_any_text(text: str) -> None:
    assert_equal_tokens([text], "lower")


def test_ascii_needs_neither_ftfy_nor_regex(subprocess_env: dict[str, str]) -> None:
    import subprocess
    import sys

    code = (
        "import sys\nfrom clipsearch.models import catalogue\nfrom clipsearch.models.byte_pairs import BytePairs\n"
        "from clipsearch.models.cleaning import cleaning\n"
        "tokens = BytePairs(catalogue.default_vocabulary(), 77, cleaning('lower'))(['two dogs in the snow'])\n"
        "print(tokens[0, :7].tolist(), {'ftfy', 'regex', 'torch'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], env=subprocess_env, capture_output=True, text=True, check=True)
    expected = THEIRS["lower"](["two dogs in the snow"])[0, :7].tolist()
    assert done.stdout == f"{expected} set()\n"
