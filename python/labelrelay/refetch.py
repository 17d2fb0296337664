"""Asks a platform what it has now of a thing, where events do not settle it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timezone
from hashlib import sha256
from typing import TYPE_CHECKING, TypeAlias, cast
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from .changes import By, Key, Removed
from .errors import RefetchError
from .event import Event

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.client import HTTPMessage
    from typing import IO

    from .changes import Change

Fetch: TypeAlias = "Callable[[Key], bytes | None]"
"""Gives the JSON of a thing as the platform's API has it, or `None` if it has none. `LabelStudio` is one."""


def refetched(change: Change) -> Change:
    """The thing of `change` as the platform has it now."""
    key = change.key
    if change.fetch is None:
        raise RefetchError(f"nobody said how to ask for {key.kind} {key.id}: give Consumer a `fetch`")
    body = change.fetch(key)
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    attributes = replace(
        change.attributes,
        type=f"{'.'.join(change.attributes.type.split('.')[:2])}.{key.kind}.{'deleted' if body is None else 'updated'}",
        subject=f"{key.kind}/{key.id}",
        datasha256="" if body is None else sha256(body).hexdigest(),
        receivedtime=now,
        dataschema=None,
        origin="reconcile",
        typefrom="body",
        dataref=None,
    )
    if body is None:
        return Removed(key=key, by=By.PULL, parents=change.parents, attributes=attributes, fetch=change.fetch)
    for found in Event(attributes, raw=body).changes:
        if found.key == key:
            # The platform says less of what holds a thing than the event did.
            return replace(found, parents=found.parents or change.parents, fetch=change.fetch)
    raise RefetchError(f"the platform answered with something else than {key.kind} {key.id}")


class LabelStudio:
    """Asks Label Studio for annotations, tasks and projects.

    `url` is where it answers. `token` is an access token of either kind: of a personal one (a JWT), short-lived ones are
    made as they are needed. It goes nowhere but there.
    """

    KINDS = ("annotation", "task", "project")

    def __init__(self, url: str, token: str, *, timeout: float = 10.0) -> None:
        if urlsplit(url).scheme not in ("http", "https"):
            raise ValueError(f"{url!r} is no address of Label Studio: write https://labels.example.org")
        self.url = url.rstrip("/")
        self.timeout = timeout
        self._token = token.strip()
        self._access: str | None = None
        self._opener = build_opener(_NoRedirect)

    def __repr__(self) -> str:
        return f"LabelStudio({self.url!r}, [redacted])"

    def __call__(self, key: Key) -> bytes | None:
        if key.kind not in self.KINDS:
            raise RefetchError(f"Label Studio has no {key.kind} to ask for: it knows {', '.join(self.KINDS)}")
        path = f"/api/{key.kind}s/{quote(key.id, safe='')}/"
        status, body = self._get(path, self._authorization())
        if status == 401 and self._access is not None:
            self._access = None
            status, body = self._get(path, self._authorization())
        if status == 404:
            if _is_label_studios(body):
                return None
            # A proxy, a wrong address: to take that for a removal would lose what is there.
            raise RefetchError(f"a 404 to {path} that is not Label Studio's: is {self.url} its address?")
        if status != 200:
            raise RefetchError(f"Label Studio answered {status} to {path}")
        return body

    def _authorization(self) -> str:
        if self._token.count(".") != 2:
            return f"Token {self._token}"
        if self._access is None:
            request = Request(
                f"{self.url}/api/token/refresh/",
                data=json.dumps({"refresh": self._token}).encode(),
                headers={"Content-Type": "application/json"},
            )
            status, body = self._ask(request)
            try:
                self._access = str(json.loads(body)["access"])
            except (ValueError, LookupError, TypeError):
                raise RefetchError(f"Label Studio gave no access token ({status}): is the token still valid?") from None
        return f"Bearer {self._access}"

    def _get(self, path: str, authorization: str) -> tuple[int, bytes]:
        return self._ask(Request(self.url + path, headers={"Authorization": authorization}))

    def _ask(self, request: Request) -> tuple[int, bytes]:
        try:
            with self._opener.open(request, timeout=self.timeout) as response:
                return response.status, response.read()
        except HTTPError as error:
            with error:
                return error.code, error.read()
        except (URLError, OSError) as error:
            raise RefetchError(f"Label Studio at {self.url} does not answer: {error}") from error


def _is_label_studios(body: bytes) -> bool:
    """Tells whether a 404 is Label Studio's own: an object of JSON that says `detail`."""
    try:
        said: object = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(said, dict) and isinstance(cast("dict[str, object]", said).get("detail"), str)


class _NoRedirect(HTTPRedirectHandler):
    """A token must not follow to another address."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        return None
