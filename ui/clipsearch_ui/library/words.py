"""Indexes, times and runs in words."""

from __future__ import annotations

from pathlib import Path

from clipsearch_ui.library.steps import Report, Step
from clipsearch_ui.text import pictures


def name_of(index: Path) -> str:
    """What to call an index: its folder, or the one around its `.clipsearch`."""
    return (index.parent if index.name.startswith(".") else index).name or str(index)


def duration(seconds: float) -> str:
    """A time as a person says it: 40 s, 3 min, 2 h 5 min."""
    if round(seconds) < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def doing(step: Step) -> str:
    """What a run does just now, and how far it is."""
    said = [step.stage.capitalize()]
    if step.total:
        said.append(f"{step.done:,} of {step.total:,}")
    if step.rate is not None:
        said.append(f"{step.rate:.3g} images/s")
    if step.left is not None:
        said.append(f"about {duration(step.left)} left")
    if step.failed:
        said.append(f"{step.failed:,} failed")
    return " · ".join(said)


def did(report: Report) -> str:
    """What a run did."""
    counts = {
        "embedded": report.embedded,
        "reused": report.reused,
        "unchanged": report.unchanged,
        "removed": report.removed,
        "failed": report.failed,
    }
    said = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count) or "nothing to do"
    how = "Cancelled; what was done is kept" if report.interrupted else "Done"
    return f"{how}: {said}, in {duration(report.seconds)}. {pictures(report.total)} in the index."
