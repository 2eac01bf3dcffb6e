"""The prompt templates that open_clip ships for ImageNet's classes."""

from __future__ import annotations

from typing import Literal, get_args

TemplateSet = Literal["openai", "simple"]

TEMPLATE_SETS: tuple[TemplateSet, ...] = get_args(TemplateSet)


def imagenet_templates(which: TemplateSet) -> tuple[str, ...]:
    """Sentences with `{}` where the class goes: `openai` has the 80 that OpenAI chose for ImageNet, `simple` the 7 that
    do nearly as well (open_clip's zero_shot_metadata.py, from OpenAI's notebook Prompt_Engineering_for_ImageNet)."""
    import open_clip

    found = {"openai": open_clip.OPENAI_IMAGENET_TEMPLATES, "simple": open_clip.SIMPLE_IMAGENET_TEMPLATES}
    return tuple(template("{}") for template in found[which])
