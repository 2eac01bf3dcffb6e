"""What is refused before anything is served."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from clipsearch.errors import IndexNotFound, UsageError
from clipsearch_ui.launch import launch


def test_a_taken_port_is_said(photos: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"127.0.0.1:{port}"):
            launch(photos, port=port, open_browser=False)


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 70_000), ("no such host", 8501)])
def test_an_impossible_address_is_said(photos: Path, host: str, port: int) -> None:
    with pytest.raises(UsageError, match="choose another"):
        launch(photos, host=host, port=port, token="long-enough", open_browser=False)


def test_a_missing_index_is_said(tmp_path: Path) -> None:
    with pytest.raises(IndexNotFound):
        launch(tmp_path / "nothing.index", open_browser=False)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.2", "::"])
def test_another_host_needs_a_token(photos: Path, host: str) -> None:
    with pytest.raises(UsageError, match="--token"):
        launch(photos, host=host, open_browser=False)


@pytest.mark.parametrize("token", ["", "short", "with a space", "semi;colon!"])
def test_a_token_that_is_none_is_said(photos: Path, token: str) -> None:
    with pytest.raises(UsageError, match="eight letters"):
        launch(photos, token=token, open_browser=False)
