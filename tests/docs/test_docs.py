"""What the documents say holds."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "data/README.md"]


def test_the_command_line_reference_is_what_the_commands_print():
    spec = importlib.util.spec_from_file_location("make_cli_reference", ROOT / "docs/make_cli_reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.TARGET.read_text() == module.reference(), "run python docs/make_cli_reference.py"


def test_every_command_shows_an_example():
    sections = (ROOT / "docs/cli.md").read_text().split("\n## ")[1:]
    assert len(sections) > 10
    for section in sections:
        assert "Example: clipsearch" in section, section.splitlines()[0]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_inside_the_repository_lead_somewhere(page):
    text = page.read_text()
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", text) + re.findall(r'src="([^"]+)"', text)
    missing = [t for t in targets if "://" not in t and not (page.parent / t).exists()]
    assert missing == []


def test_the_readme_has_a_setup_and_a_test_command():
    text = (ROOT / "README.md").read_text()
    for mark in ("setup", "tests"):
        block = text.split(f"<!-- {mark} -->\n```sh\n")[1].split("\n```")[0]
        assert block.count("\n") == 0, f"{mark} is one command"
