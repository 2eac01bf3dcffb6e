"""What the server gives out, and to whom: a real server asked over HTTP."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image

import clipsearch
from clipsearch_ui.address import address
from clipsearch_ui.routes import MAX_UPLOAD
from clipsearch_ui.serving import key_of

from .conftest import Build, draw, served

TOKEN = "a-secret-of-ours"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, build: Build) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    sideways = Image.Exif()
    sideways[0x0112] = 6
    draw(folder / "sideways.jpg", "red", (3000, 2000), exif=sideways)
    draw(folder / "gone.png", "salmon")
    draw(folder / "swapped.png", "green")
    draw(folder / "ünïcode & co.png", "blue")
    build(folder, folder.with_name("p.index"))
    (folder / "gone.png").unlink()
    draw(folder.with_name("secret.png"), "black")
    (folder / "swapped.png").unlink()
    (folder / "swapped.png").symlink_to(folder.with_name("secret.png"))
    return folder.with_name("p.index")


@pytest.fixture(scope="module")
def rows(index: Path) -> dict[str, dict[str, object]]:
    with clipsearch.open(index) as opened:
        return {row["path"]: row for row in opened.sql("select id, path, content_hash from images").to_pylist()}


@pytest.fixture(scope="module")
def place(index: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(index, tmp_path_factory.mktemp("open") / "log") as server:
        yield server


@pytest.fixture(scope="module")
def locked(index: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(index, tmp_path_factory.mktemp("locked") / "log", TOKEN) as server:
        yield server


def get(server: str, path: str, **headers: str) -> tuple[int, http.client.HTTPMessage, bytes]:
    """Status, headers and body of exactly this path: no library tidies it up."""
    return ask(server, "GET", path, None, **headers)


def ask(server: str, method: str, path: str, sent: bytes | None, **headers: str):
    connection = http.client.HTTPConnection(urlsplit(server).netloc, timeout=20)
    connection.request(method, path, sent, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    found = answer.status, answer.headers, answer.read()
    connection.close()
    return found


@pytest.fixture(scope="module")
def of(index: Path) -> Callable[[str, dict[str, object]], str]:
    """Where a row's picture is served."""
    return lambda kind, row: address(key_of(index), kind, row["id"], row["content_hash"])


def test_a_thumbnail_is_small_upright_and_kept(place: str, index: Path, rows, of) -> None:
    status, headers, body = get(place, of("thumbnails", rows["sideways.jpg"]))
    assert (status, headers["content-type"]) == (200, "image/webp")
    assert "immutable" in headers["cache-control"]
    with Image.open(BytesIO(body)) as small:
        assert (small.format, small.size) == ("WEBP", (267, 400))
    assert (index / "thumbnails.sqlite").exists()
    assert get(place, of("thumbnails", rows["sideways.jpg"]))[2] == body


def test_a_preview_fits_a_screen(place: str, rows, of) -> None:
    _, _, body = get(place, of("previews", rows["sideways.jpg"]))
    with Image.open(BytesIO(body)) as large:
        assert large.size == (1365, 2048)


def test_the_original_is_what_was_indexed_under_its_name(place: str, index: Path, rows, of) -> None:
    status, headers, body = get(place, of("originals", rows["ünïcode & co.png"]))
    assert status == 200
    assert body == (index.parent / "pictures0" / "ünïcode & co.png").read_bytes()
    assert headers["content-disposition"] == "attachment; filename*=UTF-8''%C3%BCn%C3%AFcode%20%26%20co.png"
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("kind", ["thumbnails", "previews", "originals"])
def test_a_picture_that_is_gone_is_a_card_with_a_sentence(place: str, rows, of, kind: str) -> None:
    status, headers, body = get(place, of(kind, rows["gone.png"]))
    assert (status, headers["content-type"], headers["cache-control"]) == (404, "image/svg+xml", "no-store")
    assert b"no longer there" in body


@pytest.mark.parametrize("kind", ["thumbnails", "previews", "originals"])
def test_a_file_that_was_replaced_by_a_link_to_another_is_not_given_out(place: str, rows, of, kind: str) -> None:
    status, _, body = get(place, of(kind, rows["swapped.png"]))
    assert status == 404
    assert b"has changed" in body


@pytest.mark.parametrize(
    "path",
    [
        "/pictures/KEY/thumbnails/1/" + "0" * 32,  # an id without its hash
        "/pictures/KEY/originals/1/",
        "/pictures/KEY/thumbnails/999999/" + "0" * 32,
        "/pictures/KEY/thumbnails/99999999999999999999999999/" + "0" * 32,
        "/pictures/KEY/originals/-1/" + "0" * 32,
        "/pictures/KEY/originals/1/../../../../etc/passwd",
        "/pictures/KEY/originals/..%2f..%2f..%2fetc%2fpasswd/x",
        "/pictures/KEY/originals/1/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "/pictures/KEY/thumbnails//etc/passwd/x",
        "/pictures/KEY/asked/" + "0" * 32,
        "/pictures/KEY/asked/..%2f..%2fetc%2fpasswd",
        "/pictures/000000000000/thumbnails/1/" + "0" * 32,
        "/pictures/%2fetc/thumbnails/1/" + "0" * 32,
    ],
)
def test_nothing_else_can_be_fetched(place: str, index: Path, path: str) -> None:
    status, headers, body = get(place, path.replace("KEY", key_of(index)))
    assert b"root:" not in body
    # What is no address of a picture is the page itself, as for any path Streamlit does not know.
    assert status in (301, 307, 400, 404) or headers["content-type"].startswith("text/html")


def test_a_picture_to_search_by_is_taken_from_the_page_only(place: str, index: Path, tmp_path: Path) -> None:
    upload, picture = f"/pictures/{key_of(index)}/asked", draw(tmp_path / "mine.png", "teal")
    assert ask(place, "POST", upload, picture)[0] == 403
    assert ask(place, "POST", upload, picture, X_Clipsearch="ask", Host="evil.example")[0] == 400
    status, _, body = ask(place, "POST", upload, picture, X_Clipsearch="ask")
    assert status == 200
    known_as = json.loads(body)["picture"]
    status, headers, body = get(place, f"{upload}/{known_as}")
    assert (status, headers["content-type"]) == (200, "image/webp")
    status, _, body = ask(place, "POST", upload, b"no picture", X_Clipsearch="ask")
    assert status == 400
    assert "not a picture" in json.loads(body)["error"]
    status, _, body = ask(place, "POST", upload, bytes(MAX_UPLOAD + 1), X_Clipsearch="ask")
    assert status == 413
    assert "50 MB" in json.loads(body)["error"]


def test_another_site_cannot_reach_the_page_under_its_own_name(place: str, rows, of) -> None:
    assert get(place, "/", Host="evil.example")[0] == 400
    assert get(place, of("thumbnails", rows["sideways.jpg"]), Host="evil.example:80")[0] == 400
    assert get(place, "/", Host=f"localhost:{urlsplit(place).port}")[0] == 200


@pytest.mark.parametrize(
    "path", ["/", "/_stcore/health", "/static/index.html", "/pictures/1/thumbnails/1/x", "/?token=wrong"]
)
def test_without_the_token_nothing_is_served(locked: str, path: str) -> None:
    status, headers, body = get(locked, path)
    assert status == 401
    assert b"streamlit" not in body.lower()
    assert (b"not the token" in body) == ("token=" in path)
    assert headers["set-cookie"] is None


def test_a_websocket_without_the_token_is_refused(locked: str) -> None:
    asked = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec_WebSocket_Version": "13",
        "Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    assert get(locked, "/_stcore/stream", **asked)[0] == 403
    assert get(locked, "/_stcore/stream", **asked, Cookie=f"clipsearch-token={TOKEN}")[0] == 101


def test_the_token_becomes_a_cookie_and_leaves_the_address(locked: str, rows, of) -> None:
    status, headers, _ = get(locked, f"/?q=a+cat&token={TOKEN}")
    assert (status, headers["location"]) == (303, "/?q=a+cat")
    assert "HttpOnly" in headers["set-cookie"]
    assert "SameSite=Strict" in headers["set-cookie"]
    cookie = headers["set-cookie"].partition(";")[0]
    assert get(locked, "/", Cookie=cookie)[0] == 200
    assert get(locked, of("thumbnails", rows["sideways.jpg"]), Cookie=cookie)[0] == 200
    assert get(locked, "/", Cookie=cookie + "x")[0] == 401
    assert get(locked, "/", Cookie='clipsearch-token="')[0] == 401


def test_the_way_on_stays_on_this_server(locked: str) -> None:
    _, headers, _ = get(locked, f"//evil.example/x?token={TOKEN}")
    assert headers["location"] == "/evil.example/x"
    _, headers, _ = get(locked, f"/x%0d%0aSet-Cookie:%20a=b?token={TOKEN}")
    assert headers["location"] == "/x%0D%0ASet-Cookie%3A%20a%3Db"
    assert len(headers.get_all("set-cookie")) == 1
