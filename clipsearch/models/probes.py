"""The probe texts: what people look for, of all sorts. `clipsearch.store.background` says what they are good for."""

from __future__ import annotations

from pathlib import Path


def probe_texts() -> tuple[str, ...]:
    """The lines of `probes.txt` without comments and empty lines."""
    lines = Path(__file__).with_name("probes.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if line and not line.startswith("#"))
