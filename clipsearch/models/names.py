"""Model names as people type them.

A model is called
    mini, default, fast, ...         one of `presets`
    ViT-B-32/laion2b_s34b_b79k       an open_clip architecture and the tag of its published weights
    ViT-B-32:/path/to/checkpoint.pt  an open_clip architecture and a file of weights
    hf-hub:org/name                  a repository of the Hugging Face Hub in open_clip's layout
    hf:org/name                      a repository of the Hugging Face Hub in the layout of the transformers library
    /path/to/folder, local-dir:PATH  a folder in either layout: open_clip_config.json, or config.json, and weights
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from clipsearch.errors import ModelError
from clipsearch.models import catalogue
from clipsearch.models.presets import PRESETS

CONFIG_FILE = "open_clip_config.json"
HF_CONFIG_FILE = "config.json"
MINI = Path(__file__).parent / "mini"

_PLAIN_REPOSITORY = re.compile(r"[A-Za-z0-9]+(?:[-_.][A-Za-z0-9]+)*/[A-Za-z0-9]+(?:[-_.][A-Za-z0-9]+)*(?<!\.git)")
_LOOKS_LIKE_A_PATH = re.compile(r"[/\\~.]|[A-Za-z]:[/\\]")


@dataclass(frozen=True, slots=True)
class Tag:
    """Published weights that open_clip knows by a tag."""

    architecture: str
    tag: str

    def __str__(self) -> str:
        return f"{self.architecture}/{self.tag}"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A file of weights for an architecture of open_clip."""

    architecture: str
    path: Path

    def __str__(self) -> str:
        return f"{self.architecture}:{self.path}"


@dataclass(frozen=True, slots=True)
class Hub:
    """A repository of the Hugging Face Hub in open_clip's layout."""

    repo: str

    def __str__(self) -> str:
        return f"hf-hub:{self.repo}"


@dataclass(frozen=True, slots=True)
class Folder:
    """A local folder in open_clip's layout."""

    path: Path

    def __str__(self) -> str:
        return "mini" if self.path == MINI else str(self.path)


@dataclass(frozen=True, slots=True)
class HfRepository:
    """A repository of the Hugging Face Hub in the layout of the transformers library."""

    repo: str

    def __str__(self) -> str:
        return f"hf:{self.repo}"


@dataclass(frozen=True, slots=True)
class HfFolder:
    """A local folder in the layout of the transformers library."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)


OpenClipName = Tag | Checkpoint | Hub | Folder
HfName = HfRepository | HfFolder
ModelName = OpenClipName | HfName
"""A parsed name; `str()` gives its one canonical spelling, with absolute paths and without preset names but `mini`."""


def parse(text: str) -> ModelName:
    """Understand a model name; raises ModelError, which says what to write instead."""
    text = text.strip()
    if text == "mini":
        return Folder(MINI)
    if text in PRESETS:
        return parse(PRESETS[text].model)
    for scheme, kind in (("hf-hub:", Hub), ("hf:", HfRepository)):
        if text.startswith(scheme):
            return kind(_repository(scheme, text.removeprefix(scheme)))
    if text.startswith("local-dir:"):
        return _folder(_absolute(text.removeprefix("local-dir:")))
    if _LOOKS_LIKE_A_PATH.match(text) or any((Path(text) / file).is_file() for file in (CONFIG_FILE, HF_CONFIG_FILE)):
        return _folder(_absolute(text))
    return _architecture(text)


def _repository(scheme: str, repo: str) -> str:
    if _PLAIN_REPOSITORY.fullmatch(repo):
        return repo
    # What is allowed beyond that the Hub's library knows, which takes long to import.
    from huggingface_hub.utils import HFValidationError, validate_repo_id

    try:
        validate_repo_id(repo)
    except HFValidationError:
        raise ModelError(f"{scheme}{repo} is not a repository: write {scheme}ORGANISATION/NAME") from None
    return repo


def _folder(path: Path) -> Folder | HfFolder:
    if path.is_file():
        raise ModelError(
            f"{path} is a file of weights, which does not say its architecture: write it as ARCHITECTURE:{path}, "
            f"for example ViT-B-32:{path}"
        )
    in_open_clips_layout = (path / CONFIG_FILE).is_file() or not (path / HF_CONFIG_FILE).is_file()
    return Folder(path) if in_open_clips_layout else HfFolder(path)


def _architecture(text: str) -> Tag | Checkpoint:
    # open_clip's names have no colon or slash, except that people write ViT-B/32.
    architecture, colon, path = text.partition(":")
    if colon and _known(architecture):
        return Checkpoint(_known(architecture), _absolute(path))
    architecture, slash, tag = text.rpartition("/")
    if slash and _known(architecture):
        return _tag(_known(architecture), tag)
    raise ModelError(_what_to_write_instead_of(text))


def _tag(architecture: str, tag: str) -> Tag:
    known = catalogue.published().get(architecture, {})
    clean = tag.lower().replace("-", "_")  # as open_clip reads tags
    if clean not in known:
        raise ModelError(
            f"open_clip knows no weights {tag!r} for {architecture}: write {_choices(architecture, clean)}"
        )
    return Tag(architecture, clean)


def _what_to_write_instead_of(text: str) -> str:
    if _known(text):
        return f"{text} names an architecture but no weights: write {_choices(_known(text))}"
    close = [*_closest(text, PRESETS), *_closest(text.partition("/")[0], catalogue.architectures())]
    if close:
        return f"There is no model {text!r}: did you mean {' or '.join(close)}?"
    if re.fullmatch(r"[\w.-]+/[\w.-]+", text):
        return (
            f"There is no model {text!r}: for a repository of the Hugging Face Hub write hf-hub:{text} if it is in "
            f"open_clip's layout, hf:{text} if in that of the transformers library"
        )
    return (
        f"There is no model {text!r}: write one of the presets {', '.join(PRESETS)}, ARCHITECTURE/TAG, "
        "ARCHITECTURE:/path/to/checkpoint.pt, hf-hub:ORGANISATION/NAME, hf:ORGANISATION/NAME or the path of a model "
        "folder"
    )


def _choices(architecture: str, wanted: str = "") -> str:
    tags = list(catalogue.published().get(architecture, {}))
    closest = _closest(wanted, tags)
    tags = closest + [tag for tag in tags if tag not in closest]
    local = f"{architecture}:/path/to/checkpoint.pt"
    if not tags:
        return f"{local}, since nothing is published for it"
    return f"{architecture}/TAG with one of the tags {', '.join(tags)}, or {local}"


def _closest(wanted: str, names: Iterable[str]) -> list[str]:
    spelled = {name.lower(): name for name in names}
    return [spelled[match] for match in get_close_matches(wanted.lower(), spelled, n=3, cutoff=0.75)]


def _known(architecture: str) -> str:
    """The architecture as open_clip spells it, or an empty string."""
    name = architecture.replace("/", "-")
    return name if name in catalogue.architectures() else ""


def _absolute(path: str) -> Path:
    return Path(path).expanduser().absolute()
