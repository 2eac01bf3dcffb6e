"""`clipsearch`: the commands put together, and errors turned into one sentence and an exit code."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from copy import copy
from typing import Annotated, NoReturn

import typer

from clipsearch import __version__
from clipsearch.cli.commands import (
    bench,
    demo,
    duplicates,
    embed,
    evaluate,
    export,
    import_vectors,
    index,
    inspect,
    label,
    search,
    spaces,
    tags,
    train,
    ui,
    upkeep,
)
from clipsearch.errors import ClipsearchError, UsageError

_COLLECTED_EVERY = 50_000
"""Objects made before Python looks for garbage: imports make many and no garbage, and looking delays a search."""

app = typer.Typer(
    name="clipsearch",
    help="Search pictures by meaning: index folders or Parquet with CLIP models, ask by text, by picture or both.",
    epilog='Example: clipsearch index ~/Pictures && cd ~/Pictures && clipsearch search "two dogs in the snow"',
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # drawing help with Rich takes longer than all the rest of `--help`
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _add(command: Callable[..., None], example: str, name: str | None = None) -> None:
    app.command(name or command.__name__, epilog=f"Example: {example}")(command)


_add(index.index, "clipsearch index ~/Pictures --exclude 'screenshots/'")
_add(search.search, 'clipsearch search "two dogs in the snow" -k 20')
_add(duplicates.duplicates, "clipsearch duplicates --level near")
_add(label.label, 'clipsearch label --labels "cat,dog,bird"')
_add(tags.tags, "clipsearch tags photo.jpg --vocabulary words.txt")
_add(export.export, "clipsearch export vectors.parquet --where \"camera ilike '%pixel%'\" --column caption")
_add(import_vectors.import_vectors, "clipsearch import laion/ --model ViT-B-32/laion2b_s34b_b79k", "import")
_add(evaluate.evaluate, "clipsearch eval --index photos.index --report report.html", "eval")
_add(embed.embed, 'clipsearch embed text "two dogs in the snow" "a cat" --model mini > vectors.npy')
_add(inspect.info, "clipsearch info --index photos.index")
_add(inspect.failures, "clipsearch failures --retry")
_add(inspect.sql, 'clipsearch sql "select camera, count(*) from images group by camera"')
_add(inspect.models, "clipsearch models")
_add(train.train, "clipsearch train photos/ --model mini --out my-model --epochs 5")
_add(upkeep.verify, "clipsearch verify --index photos.index")
_add(upkeep.repair, "clipsearch repair --index photos.index")
_add(upkeep.compact, "clipsearch compact --index photos.index")
_add(upkeep.relocate, "clipsearch relocate Pictures /mnt/backup/Pictures")
_add(upkeep.forget, "clipsearch forget Pictures")
app.add_typer(spaces.spaces, name="spaces", epilog="Example: clipsearch spaces --index photos.index")
app.add_typer(bench.bench, name="bench", epilog="Example: clipsearch bench index")
_add(ui.ui, "clipsearch ui --index photos.index")
_add(demo.demo, "clipsearch demo")


def _version(wanted: bool) -> None:
    if wanted:
        print(f"clipsearch {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; exits with 1 after an error, 2 after wrong usage, 130 after Ctrl-C."""
    for stream in (sys.stdout, sys.stderr):
        # File names that are not UTF-8 go out as the bytes they are.
        stream.reconfigure(errors="surrogateescape")  # type: ignore[union-attr]
    try:
        _app_for(sys.argv[1:])()
    except UsageError as error:
        _stop(str(error), 2)
    except ClipsearchError as error:
        _stop(str(error), 1)
    except KeyboardInterrupt:
        _stop("Interrupted.", 130)
    except BrokenPipeError:  # the reader of our output has had enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None
    except OSError as error:
        if os.environ.get("CLIPSEARCH_DEBUG"):
            raise
        where = f" ({error.filename})" if error.filename else ""
        _stop(f"The system refused: {error.strerror or error}{where}.", 1)
    except Exception as error:
        if os.environ.get("CLIPSEARCH_DEBUG"):
            raise
        _stop(
            f"Something clipsearch did not foresee: {type(error).__name__}: {error}. Run again with CLIPSEARCH_DEBUG=1 "
            f"to see where, and please report it.",
            1,
        )


def _app_for(arguments: Sequence[str]) -> typer.Typer:
    """The application with only the command that is asked for, where it is one: Typer reads the options of every
    command it has, which takes longer than many a search."""
    asked = [command for command in app.registered_commands if command.name in arguments[:1]]
    if not asked:
        return app
    slim = copy(app)
    slim.registered_commands, slim.registered_groups = asked, []
    return slim


def run() -> NoReturn:
    """The command as a process: `main`, and out at once. To unload FAISS and torch takes longer than many a search."""
    code = 0
    gc.set_threshold(_COLLECTED_EVERY)
    try:
        main()
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # nobody reads it any more
            stream.flush()
    os._exit(code)


def _stop(message: str, code: int) -> None:
    print(f"clipsearch: {message}", file=sys.stderr)
    raise SystemExit(code)
