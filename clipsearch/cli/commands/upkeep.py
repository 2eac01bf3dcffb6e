"""Commands that look after an index: `verify`, `repair`, `compact`, `relocate`, `forget`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clipsearch.cli.options import IndexOption, JsonOption, MemoryOption, RecallOption, bytes_of

AliasArgument = Annotated[str, typer.Argument(metavar="ROOT", help="A root's name, as `clipsearch info` lists it.")]


def verify(index: IndexOption = None, json: JsonOption = False) -> None:
    """Check counts and checksums of every file of the index; exit code 1 where something is wrong."""
    from dataclasses import asdict

    from clipsearch.cli.locate import find_index
    from clipsearch.cli.render import json_text, plural
    from clipsearch.store import check

    report = check.verify(find_index(index))
    if json:
        print(json_text(asdict(report)))
    else:
        for problem in report.problems:
            print(problem)
        checked = (
            f"{plural(report.rows, 'picture')}, {plural(report.segments, 'segment')}, {plural(report.files, 'file')}"
        )
        if report.problems:
            print(f"{plural(len(report.problems), 'problem')} in {checked}; run `clipsearch repair`.")
        else:
            print(f"Sound: version {report.version}, {checked}.")
    if report.problems:
        raise typer.Exit(1)


def repair(index: IndexOption = None) -> None:
    """Rebuild what can be rebuilt from the segments: catalog, FAISS index and manifest."""
    from clipsearch.cli.locate import find_index
    from clipsearch.cli.render import plural
    from clipsearch.store import check

    report = check.repair(find_index(index))
    print(
        f"Rebuilt version {report.version}: {plural(report.rows, 'picture')} in {plural(report.segments, 'segment')}."
    )
    for name in report.set_aside:
        print(f"Segment {name} is damaged and was moved to `broken`; index again to embed its pictures anew.")
    for name in report.columns_set_aside:
        print(
            f"The columns of {name} are damaged and were moved to `broken`; make them anew, as with `clipsearch label`."
        )


def compact(recall: RecallOption = None, memory: MemoryOption = None, index: IndexOption = None) -> None:
    """Merge segments, drop what is no longer needed, and rebuild catalog and search index."""
    from clipsearch.cli.locate import find_index
    from clipsearch.cli.progress import shown_count
    from clipsearch.cli.render import plural, search_index, size
    from clipsearch.query.index import Index
    from clipsearch.store.every_space import every_space

    place = find_index(index)
    with Index(place) as opened:
        before = opened.info()
    with every_space(place) as writers, shown_count("training") as shown:
        segments = sum(len(writer.manifest.segments) for writer in writers)
        for writer in writers:
            writer.tell = lambda _, done, total: shown(done, total)
            writer.tuning = writer.tuning.changed(recall, bytes_of(memory))
            writer.rebuild(merge=True)
        merged = sum(len(writer.manifest.segments) for writer in writers)
    with Index(place) as opened:
        after = opened.info()
    print(f"{plural(segments, 'segment')} became {merged}.")
    print(f"{size(before.bytes)} became {size(after.bytes)}.")
    print(f"Search: {search_index(after.trained)}.")


def relocate(
    root: AliasArgument,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where its pictures are now.")],
    index: IndexOption = None,
) -> None:
    """Say where a root's pictures are now, after they were moved."""
    from clipsearch.cli.locate import find_index
    from clipsearch.store import roots

    moved = roots.relocate(find_index(index), root, folder)
    print(f"{moved.alias} is now at {moved.location}.")


def forget(root: AliasArgument, index: IndexOption = None) -> None:
    """Take a root and all its pictures out of the index. The pictures themselves are not touched."""
    from clipsearch.cli.locate import find_index
    from clipsearch.cli.render import plural
    from clipsearch.store import roots

    print(f"{plural(roots.forget(find_index(index), root), 'picture')} of {root} left the index.")
