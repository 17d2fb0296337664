"""Fetches the picture of a mask that is not in the event."""

from __future__ import annotations

from base64 import b64decode
from typing import IO, TYPE_CHECKING
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from .errors import MaskUnreadable, RefetchError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from http.client import HTTPMessage

INLINE = "data:"
"""Scheme of an address that is the picture itself, as Label Studio may write it."""

LOOPBACK = ("127.0.0.1", "::1", "localhost")
"""Hosts of this machine, which may be asked in the clear."""


def fetched(url: str, key: str | None, hosts: Sequence[str], timeout: float, max_bytes: int) -> bytes:
    """The bytes at `url`. Raises `MaskUnreadable` and `RefetchError`."""
    if url.startswith(INLINE):
        return _inline(url, max_bytes)
    host = urlsplit(url).hostname or ""
    if not any(host == one or host.endswith(f".{one}") for one in hosts):
        raise RefetchError(f"the mask is at {host or 'no host'}, and may be fetched from {', '.join(hosts)}: name it in hosts")
    if not _is_safe(url):
        raise RefetchError(f"the mask's address at {host} is none of https: nothing is asked in the clear")
    request = Request(url)
    if key is not None:
        # A redirect to a store takes no key along.
        request.add_unredirected_header("Authorization", f"Bearer {key}")
    try:
        with build_opener(_ToHttps).open(request, timeout=timeout) as answer:
            found: bytes = answer.read(max_bytes + 1)
    except HTTPError as error:
        with error:
            hint = ": is the key good, and the address not too old?" if error.code in (401, 403, 404) else ""
            raise RefetchError(f"{host} answered {error.code} to the mask's address{hint}") from None
    except (URLError, OSError) as error:
        raise RefetchError(f"{host} does not answer: {error}") from error
    return _within(found, max_bytes)


def _is_safe(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)


def _inline(url: str, max_bytes: int) -> bytes:
    head, _, data = url.partition(",")
    if not head.endswith(";base64"):
        raise MaskUnreadable("the mask's picture is in its address, and not in base64")
    try:
        return _within(b64decode(data, validate=True), max_bytes)
    except ValueError:
        raise MaskUnreadable("the mask's picture is in its address, and is damaged") from None


def _within(found: bytes, max_bytes: int) -> bytes:
    if len(found) > max_bytes:
        raise MaskUnreadable(f"the mask's picture has more than {max_bytes} bytes")
    return found


class _ToHttps(HTTPRedirectHandler):
    """Goes where it is sent, but not in the clear."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        return super().redirect_request(req, fp, code, msg, headers, newurl) if _is_safe(newurl) else None
