"""Prompt templates: a bare concept is asked for in the several ways a caption would put it.

Radford et al. 2021, "Learning Transferable Visual Models From Natural Language Supervision", section 3.1.4: models of
this kind were trained on sentences, so a class name does better inside one, and better still as the mean of several.
"""

from __future__ import annotations

import re

TEMPLATES = ("{}", "a {}.", "the {}.", "a photo of a {}.", "a picture of the {}.")

# One to three English words, an article before them not counted. With the shipped model templates gain up to three
# words, gain nothing at four, and do harm to whole sentences: `python tests/benchmarks/templates.py`.
_CONCEPT = re.compile(r"\s*(?:(?:an?|the)\s+)?([a-z0-9'-]+(?:\s+[a-z0-9'-]+){0,2})\s*", re.ASCII | re.IGNORECASE)


def prompts(text: str, *, templates: bool = True) -> list[str]:
    """The sentences whose vectors' normalised mean stands for a text: several for a bare concept, else the text."""
    concept = _CONCEPT.fullmatch(text) if templates else None
    return [template.format(concept[1]) for template in TEMPLATES] if concept else [text]
