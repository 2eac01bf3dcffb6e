"""`clipsearch search`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from clipsearch.cli.filter_options import (
    AfterOption,
    BeforeOption,
    CameraOption,
    FolderOption,
    FormatOption,
    MinSizeOption,
    NearOption,
    WhereOption,
    filter_from,
)
from clipsearch.cli.hits import Answer, Output, print_notes
from clipsearch.cli.options import Device, DeviceOption, Engine, EngineOption, IndexOption, JsonOption, OfflineOption
from clipsearch.cli.output import CsvOption, ExplainOption, ParquetOption, print_explain
from clipsearch.cli.placing import CopyToOption, LinkToOption, place_copies, place_links, print_placed
from clipsearch.cli.query_options import (
    ImageOption,
    ImagesOption,
    LikeOption,
    MinusOption,
    NoTemplatesOption,
    NotOption,
    PlusOption,
    QueriesOption,
    TextArgument,
    UnlikeOption,
    many_from,
    query_from,
)
from clipsearch.cli.result_options import (
    AllOption,
    CountOption,
    DiversityOption,
    GroupByOption,
    NullOption,
    PageOption,
    PathsOption,
    SortOption,
    UniqueOption,
)
from clipsearch.cli.space_options import InOption, WeightsOption, spaces_from
from clipsearch.errors import UsageError

if TYPE_CHECKING:
    from clipsearch.query.index import Index


def search(
    text: TextArgument = None,
    k: CountOption = 10,
    image: ImageOption = None,
    plus: PlusOption = None,
    minus: MinusOption = None,
    unless: NotOption = None,
    like: LikeOption = None,
    unlike: UnlikeOption = None,
    no_templates: NoTemplatesOption = False,
    queries: QueriesOption = None,
    images: ImagesOption = None,
    spaces: InOption = None,
    weights: WeightsOption = None,
    where: WhereOption = None,
    folder: FolderOption = None,
    after: AfterOption = None,
    before: BeforeOption = None,
    camera: CameraOption = None,
    near: NearOption = None,
    format: FormatOption = None,  # noqa: A002 - the option is called so
    min_size: MinSizeOption = None,
    everything: AllOption = False,
    unique: UniqueOption = False,
    group_by: GroupByOption = None,
    sort: SortOption = None,
    diversity: DiversityOption = 0.0,
    page: PageOption = None,
    explain: ExplainOption = False,
    json: JsonOption = False,
    csv: CsvOption = False,
    parquet: ParquetOption = None,
    paths: PathsOption = False,
    null: NullOption = False,
    copy_to: CopyToOption = None,
    link_to: LinkToOption = None,
    index: IndexOption = None,
    device: DeviceOption = Device.auto,
    engine: EngineOption = Engine.auto,
    offline: OfflineOption = False,
) -> None:
    """Find pictures by text, by picture, or by any mixture of them."""
    from clipsearch.cli.locate import find_index
    from clipsearch.query.index import Index

    output = Output(json, csv, parquet, paths, null)
    if copy_to is not None and link_to is not None:
        raise UsageError("--copy-to and --link-to exclude each other; choose one.")
    wanted = filter_from(
        where=where,
        folder=folder,
        after=after,
        before=before,
        camera=camera,
        near=near,
        format=format,
        min_size=min_size,
    )
    how: dict[str, Any] = {"k": k, "where": wanted, "unique": unique, "sort": sort, "diversity": diversity}
    how |= {"group_by": group_by, "templates": not no_templates, "spaces": spaces_from(spaces, weights)}
    alone = {"text": text, "image": image, "plus": plus, "minus": minus, "not": unless, "like": like, "unlike": unlike}
    many = queries is not None or images is not None
    if many:
        _refuse_beside_many(alone | {"page": page, "copy-to": copy_to, "link-to": link_to})
        asked = many_from(queries, images)
    elif text is None and not any(alone.values()):
        raise UsageError('Nothing is asked; give a text, --image FILE or --like ID, as in: clipsearch search "a dog".')
    else:
        asked = [query_from(text, plus, minus, image, unless)]
    # For one query the CPU has answered before a GPU is ready.
    place = "cpu" if device is Device.auto and not many else device.value
    with Index(find_index(index), device=place, engine=engine.value, offline=offline) as opened:
        if many:
            results = opened.search_many(asked, **how)
            typed: list[dict[str, Any]] = [{query.terms[0].kind: query.terms[0].value} for query in asked]
        else:
            results = [opened.search(asked[0], like=like, unlike=unlike, cursor=page, **how)]
            typed = [{name: value for name, value in alone.items() if value}]
        answers = [
            Answer(one | {"k": k}, found, found if everything or not query.has_text else found.relevant)
            for one, query, found in zip(typed, asked, results, strict=True)
        ]
        output.print(answers, opened.path, many=many, of_captions=_of_captions(opened, how["spaces"]))
        print_notes(answers, next_page=not many and (sys.stdout.isatty() or page is not None))
        if explain:
            print_explain(results[0].plan)
        if copy_to is not None:
            print_placed(place_copies(opened, answers[0].shown, copy_to), link=False)
        if link_to is not None:
            print_placed(place_links(opened, answers[0].shown, link_to), link=True)


def _of_captions(index: Index, spaces: Mapping[str, float] | None) -> bool:
    """Whether captions are what is searched, and nothing else."""
    return spaces is not None and all(index.spaces.named(name).of == "captions" for name in spaces)


def _refuse_beside_many(options: Mapping[str, object]) -> None:
    for name, value in options.items():
        if value:
            given = "a text" if name == "text" else f"--{name}"
            raise UsageError(f"Many queries at once do not go with {given}; leave it out.")
