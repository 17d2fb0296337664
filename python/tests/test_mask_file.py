"""The picture of a mask is fetched when somebody asks for it, and the key goes nowhere else."""

from __future__ import annotations

import threading
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import labelrelay
import pytest
from labelrelay import Mask

PICTURE = b"\x89PNG and more"


class Store(BaseHTTPRequestHandler):
    asked: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        key = self.headers["Authorization"]
        self.asked.append((self.path, key))
        if self.path == "/moved":
            return self.answer(302, Location="/stored")
        if self.path == "/away":
            return self.answer(302, Location="http://example.org/in-the-clear")
        if self.path == "/stored" or key == "Bearer secret":
            return self.answer(200, PICTURE)
        return self.answer(401)

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    Store.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Store)
    threading.Thread(target=server.serve_forever).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def mask(url: str | None) -> Mask:
    return Mask(
        id="m", name=None, labels=(), raw=None, size=None, image_rotation=None, item=None, rle=None, url=url
    )


def test_it_is_fetched_with_the_key(url: str) -> None:
    assert mask(f"{url}/masks/1").fetch("secret", hosts=("127.0.0.1",)) == PICTURE
    assert Store.asked == [("/masks/1", "Bearer secret")]
    with pytest.raises(labelrelay.RefetchError, match="answered 401 to the mask's address: is the key good"):
        mask(f"{url}/masks/1").fetch(hosts=("127.0.0.1",))


def test_a_redirect_takes_no_key_along(url: str) -> None:
    assert mask(f"{url}/moved").fetch("secret", hosts=("127.0.0.1",)) == PICTURE
    assert Store.asked == [("/moved", "Bearer secret"), ("/stored", None)]
    with pytest.raises(labelrelay.RefetchError, match="answered 302"):
        mask(f"{url}/away").fetch("secret", hosts=("127.0.0.1",))


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("https://example.org/masks/1", "the mask is at example.org, and may be fetched from labelbox.com"),
        ("https://labelbox.com.example.org/masks/1", "may be fetched from labelbox.com"),
        ("https://notlabelbox.com/masks/1", "may be fetched from labelbox.com"),
        ("http://api.labelbox.com/masks/1", "nothing is asked in the clear"),
        ("file:///etc/passwd", "the mask is at no host"),
    ],
)
def test_nothing_else_is_asked(address: str, words: str) -> None:
    with pytest.raises(labelrelay.RefetchError, match=words):
        mask(address).fetch("secret")


def test_nobody_there() -> None:
    with pytest.raises(labelrelay.RefetchError, match="does not answer"):
        mask("http://127.0.0.1:9/masks/1").fetch(hosts=("127.0.0.1",), timeout=1)


def test_a_picture_in_the_address_needs_no_network() -> None:
    inline = mask("data:image/png;base64," + b64encode(PICTURE).decode())
    assert inline.fetch() == PICTURE
    with pytest.raises(labelrelay.MaskUnreadable, match="more than 5 bytes"):
        inline.fetch(max_bytes=5)
    for damaged in ("data:image/png,abc", "data:image/png;base64,a"):
        with pytest.raises(labelrelay.MaskUnreadable, match="in its address"):
            mask(damaged).fetch()


def test_without_an_address_there_is_nothing_to_fetch(url: str) -> None:
    with pytest.raises(labelrelay.MaskUnreadable, match="has no address"):
        mask(None).fetch()
    with pytest.raises(labelrelay.MaskUnreadable, match="more than 5 bytes"):
        mask(f"{url}/stored").fetch(hosts=("127.0.0.1",), max_bytes=5)
