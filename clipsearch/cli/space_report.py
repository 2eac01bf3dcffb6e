"""What became of a further space, in lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clipsearch.types import SpaceReport


def space_lines(report: SpaceReport) -> list[str]:
    """What a run did in one space, and what it left out."""
    from clipsearch.cli.render import plural

    kind = "caption" if report.of == "captions" else "picture"
    how = "interrupted; what was done is kept. " if report.interrupted else ""
    lines = [
        f"Space {report.name}: {how}{plural(report.total, kind)}, made with {report.model}; "
        f"{report.embedded:,} embedded, {report.reused:,} reused, {report.removed:,} removed ({report.seconds:.1f} s)."
    ]
    if report.unreadable:
        lines.append(f"  {plural(report.unreadable, 'picture')} cannot be read any more, among them:")
        lines += [f"    {reason}" for reason in report.reasons]
    if report.changed:
        lines.append(
            f"  {plural(report.changed, 'picture')} changed since they were indexed; index their folder again."
        )
    if report.offline:
        lines.append(f"  {plural(report.offline, 'picture')} lie in folders that are offline.")
    if report.unseen:
        lines.append(f"  {plural(report.unseen, 'vector')} were imported without a picture to embed.")
    return lines
