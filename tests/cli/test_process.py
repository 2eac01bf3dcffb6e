"""The command line as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


def clipsearch(*arguments: object, **options) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "clipsearch", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, check=False, **options)


def test_help_loads_no_heavy_library():
    code = (
        "import sys; sys.argv = ['clipsearch', '--help']\n"
        "from clipsearch.cli.app import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'open_clip', 'faiss', 'duckdb', 'pyarrow', 'numpy', 'streamlit', 'PIL', 'rich'}\n"
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"--help loads {result.stderr}"


def test_version():
    from clipsearch import __version__

    assert clipsearch("--version").stdout.decode() == f"clipsearch {__version__}\n"


def test_wrong_usage_exits_with_2():
    assert clipsearch("serach").returncode == 2


def test_a_pipe_that_closes_early_is_no_error(photos):
    command = f'"{sys.executable}" -m clipsearch search --like 1 --index "{photos}" | head -n 1'
    result = subprocess.run(command, shell=True, capture_output=True, check=False)
    assert result.stderr == b""
    assert result.stdout.startswith(b"score")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux takes names that are not UTF-8")
def test_names_that_are_not_utf8_come_out_as_the_bytes_they_are(run, tmp_path):
    from .conftest import paint

    for name in ("x.png", "y.png"):
        paint(tmp_path / "p" / name, "red")
    odd = os.fsencode(tmp_path / "p") + b"/caf\xe9.png"
    (tmp_path / "p" / "x.png").rename(os.fsdecode(odd))
    assert run("index", tmp_path / "p", "--model", "mini").code == 0
    result = clipsearch("search", "--like", 2, "--paths", "--index", tmp_path / "p")
    assert result.stdout == odd + b"\n"
