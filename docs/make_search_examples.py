"""Run the examples of docs/search.md again and put what they print in their place: python docs/make_search_examples.py

Each line that begins with "$ " in a block marked `text` is run in a copy of the shipped gallery, indexed with mini.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import clipsearch

PAGE = Path(__file__).with_name("search.md")
SHOWN = "/home/ada"
BLOCK = re.compile(r"(?<=```text\n)(?=\$ ).*?(?=```\n)", re.DOTALL)
QUERIES = "a sailboat on the sea\nthree camels in the desert\n"


def main() -> None:
    """Rewrite the page."""
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary)
        pictures = home / "Pictures"
        shutil.copytree(Path(clipsearch.__file__).parent / "gallery", pictures)
        (pictures / "queries.txt").write_text(QUERIES)
        run("clipsearch index . --model mini --offline", home)
        PAGE.write_text(BLOCK.sub(lambda block: again(block[0], home), PAGE.read_text()))


def again(block: str, home: Path) -> str:
    """A block's commands, each followed by what it prints now."""
    commands = [line[2:] for line in block.splitlines() if line.startswith("$ ")]
    return "".join(f"$ {command}\n{run(command, home)}" for command in commands)


def run(command: str, home: Path) -> str:
    """What a command prints on both streams, with the temporary folder under its name in the page."""
    binaries = str(Path(sys.executable).parent)
    done = subprocess.run(
        command.replace(SHOWN, str(home)),
        shell=True,
        cwd=home / "Pictures",
        env={**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout.replace(str(home), SHOWN)


if __name__ == "__main__":
    main()
