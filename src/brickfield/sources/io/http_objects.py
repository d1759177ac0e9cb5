"""Objects of a web server, whole or in part, in bounded memory.

tensorstore takes an answer of any length into memory, follows no redirect and needs
ranges, so what lies on a web server is asked for by a client of our own, and
tensorstore decodes it from memory. Redirects are followed on the same host, so that
an address leads to no other one than the user gave; a folder that moved as a whole
is remembered, and asked for at the new place from then on. Failures are ValueErrors
that begin with a status name, as tensorstore's do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any
from urllib.parse import quote, unquote, urljoin, urlsplit

from brickfield.sources.io.cancellation import (
    LONGEST_S,
    SLOWEST,
    has_limit,
    result_of,
    while_wanted,
)
from brickfield.sources.io.http_answers import HttpError, Span, too_long
from brickfield.sources.io.http_client import Answer, Exchange, submit
from brickfield.sources.io.in_flight import BODIES
from brickfield.sources.io.location import Location

MAX_REDIRECTS = 5
PAUSES_S = (0.1, 0.2, 0.4)
"""Before each further try of what a server may be able to send later."""
_AT_ONCE = 16
"""Transfers that share a line, for how long one of them may take."""
_REDIRECTS = (301, 302, 303, 307, 308)
_REDIRECT = re.compile(r"\[HTTP code 30[12378]\]")
_IGNORED_RANGE = "was ignored by server"
_STATUS = {401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 416: "OUT_OF_RANGE"}
_LATER = ("UNAVAILABLE", "DEADLINE_EXCEEDED")

_moved: dict[tuple[str, str], tuple[str, str]] = {}
_moved_lock = Lock()


@dataclass(frozen=True, slots=True)
class Fetched:
    """What is stored under a name.

    Attributes
    ----------
    raw : bytes or None
        None when nothing is stored.
    n_bytes : int
        As the server sent them.
    tag : str
        Of this version; "" when the server says none.
    size : int
        Bytes of the whole object.
    held_bytes : int
        Room that is released when they are decoded.
    """

    raw: bytes | None
    n_bytes: int = 0
    tag: str = ""
    size: int = 0
    held_bytes: int = 0


def is_plain_http(location: Location) -> bool:
    """Whether a location's objects are those of a web server."""
    return bool(location.spec["driver"] == "http")


def is_redirect(error: BaseException) -> bool:
    """Whether a read failed because the server sends on."""
    return _REDIRECT.search(str(error)) is not None


def is_ignored_range(error: BaseException) -> bool:
    """Whether a read failed because the server knows no ranges."""
    return _IGNORED_RANGE in str(error)


def is_too_long(error: BaseException) -> bool:
    """Whether a read was broken off because more came than there may be."""
    return isinstance(error, HttpError) and error.status == "TOO_LONG"


def moved_spec(spec: dict[str, Any]) -> dict[str, Any]:
    """Return a key-value store's spec at the place it moved to, if it did."""
    if spec.get("driver") != "http" or not _moved:
        return spec
    base, path = str(spec["base_url"]), str(spec["path"])
    with _moved_lock:
        known = [(old, new) for (b, old), new in _moved.items() if b == base]
    for old, (new_base, new) in sorted(known, key=lambda item: -len(item[0])):
        if path.startswith(old):
            return {**spec, "base_url": new_base, "path": new + path[len(old) :]}
    return spec


def forget_moves() -> None:
    """Forget redirections, so that every server is asked again where its objects are."""
    with _moved_lock:
        _moved.clear()


class Total:
    """Bytes that several objects may have together. Any thread may call it."""

    def __init__(self, limit: int) -> None:
        self._limit = self._left = limit
        self._lock = Lock()

    def count(self, found: Fetched, location: Location, key: str) -> None:
        """Count an object.

        Parameters
        ----------
        found : Fetched
            The object.
        location : Location
            For the message.
        key : str
            For the message.

        Raises
        ------
        HttpError
            When all together are too long.
        """
        with self._lock:
            self._left -= len(found.raw or b"")
            is_over = self._left < 0
        if is_over:
            raise too_long(_url(location, key), self._limit, "more, with others of it")


def begin(
    location: Location,
    key: str,
    limit: int,
    *,
    holds_room: bool = False,
    total: Total | None = None,
) -> Exchange[Fetched]:
    """Begin to read one object whole.

    Parameters
    ----------
    location : Location
        Of a web server.
    key : str
    limit : int
        Most bytes.
    holds_room : bool
        Whether the room for the bytes is kept until it is released.
    total : Total, optional
        That counts it among others.

    Returns
    -------
    Exchange
        To be waited for by :func:`~brickfield.sources.io.cancellation.result_of`, which
        raises a ValueError that begins with a status name.
    """

    def work(exchange: Exchange[Fetched]) -> Fetched:
        found = _whole(exchange, location, key, limit)
        if not holds_room:
            BODIES.give(found.held_bytes)
        if total is not None:
            total.count(found, location, key)
        return found

    held = _held if holds_room else _none_held
    return submit(work, held)


def _held(found: Fetched) -> int:
    return found.held_bytes


def _none_held(_: Fetched) -> int:
    return 0


def fetch(location: Location, key: str, limit: int) -> bytes | None:
    """Read one object whole; None when nothing is stored.

    Parameters
    ----------
    location : Location
    key : str
        Below the location.
    limit : int
        Bytes that the object may have.

    Raises
    ------
    ValueError
        Beginning with a status name.
    ChunkReadError
        When it takes too long or is not wanted any more.
    """
    return _in_time(begin(location, key, limit), limit).raw


@contextmanager
def body_of(
    location: Location, key: str, limit: int, span: Span | None = None
) -> Iterator[Fetched]:
    """Read an object, or a part of it, and reserve memory while it is decoded.

    One thread may hold one at a time. A part is asked for at one place: where the
    server sends on, the object has to be read whole.

    Parameters
    ----------
    location : Location
    key : str
        Below the location.
    limit : int
        Bytes that the object may have.
    span : Span, optional
        The part; None for the whole.

    Raises
    ------
    ValueError
        Beginning with a status name.
    ChunkReadError
        When it takes too long or is not wanted any more.
    """
    if span is None:
        exchange = begin(location, key, limit, holds_room=True)
    else:
        part = span
        exchange = submit(lambda own: _part(own, location, key, part), _held)
    found = _in_time(exchange, limit)
    try:
        yield found
    finally:
        BODIES.give(found.held_bytes)


def _in_time(exchange: Exchange[Fetched], limit: int) -> Fetched:
    """Wait for a transfer, which must not trickle for ever."""
    # A reader's own limit goes first. Otherwise: the pause before an answer, and the
    # time that the bytes take on a slow line shared by several transfers.
    longest_s = None if has_limit() else LONGEST_S + _AT_ONCE * limit / SLOWEST
    with while_wanted(lambda: True, longest_s):
        found: Fetched = result_of(exchange)
    return found


def _url(location: Location, key: str) -> str:
    spec = moved_spec(location.spec)
    base, mark, query = str(spec["base_url"]).partition("?")
    path = quote(f"{spec['path']}{key}".lstrip("/"))
    return f"{base}/{path}{mark}{query}"


def _whole(
    exchange: Exchange[Fetched], location: Location, key: str, limit: int
) -> Fetched:
    """Read an object, at the place to which redirects lead (in a thread)."""
    start = url = _url(location, key)
    for _ in range(MAX_REDIRECTS + 1):
        answer = _patiently(exchange, url, limit, None)
        if answer.status == 200:
            if url != start:
                _remember(location, key, url)
            return _fetched(answer)
        if answer.status not in _REDIRECTS:
            return Fetched(None)
        url = _next(url, answer.leads_to)
    text = f"more than {MAX_REDIRECTS} redirects, one by one"
    raise HttpError("UNKNOWN", start, text)


def _part(
    exchange: Exchange[Fetched], location: Location, key: str, span: Span
) -> Fetched:
    url = _url(location, key)
    answer = _patiently(exchange, url, span.length, span)
    # A part must not follow a redirect: where the object really is, it is looked up
    # whole.
    if answer.status in _REDIRECTS:
        raise _refusal(answer.status, url)
    return Fetched(None) if answer.status != 206 else _fetched(answer)


def _fetched(answer: Answer) -> Fetched:
    return Fetched(
        answer.raw, answer.n_bytes, answer.tag, answer.size, answer.held_bytes
    )


def _patiently(
    exchange: Exchange[Fetched], url: str, limit: int, span: Span | None
) -> Answer:
    """Repeat the request until there is an answer, or another try is of no use."""
    for pause in (*PAUSES_S, None):
        try:
            answer = exchange.get(url, limit, span=span)
        except HttpError as error:
            if error.status not in _LATER or pause is None:
                raise
        else:
            if answer.status in (200, 206, 404, 410, *_REDIRECTS):
                return answer
            failure = _refusal(answer.status, url)
            if failure.status not in _LATER or pause is None:
                raise failure
        # On the exchange, so that giving it up ends the pause at once.
        exchange.pause(pause)
    raise AssertionError


def _refusal(status: int, url: str) -> HttpError:
    # Time-outs, "too many requests" and errors of the server pass; others do not.
    is_for_now = status in (408, 429) or status > 499
    name = _STATUS.get(status, "UNAVAILABLE" if is_for_now else "UNKNOWN")
    return HttpError(name, url, f"the server refuses it [HTTP code {status}]")


def _next(url: str, target: str) -> str:
    """Return where a redirect leads, if that is the same host, as safe as before."""
    there, here = urlsplit(urljoin(url, target)), urlsplit(url)
    is_same = there.hostname == here.hostname and there.scheme in ("http", "https")
    # A redirect to another host or to an unencrypted address could be an attack.
    is_weaker = here.scheme == "https" and there.scheme == "http"
    if not target or not is_same or is_weaker:
        text = (
            f"the server sends on to {there.scheme}://{there.hostname}, another host:"
            " open the address there"
        )
        raise HttpError("UNKNOWN", url, text)
    # A password goes along to the same server, and to no other port.
    user, at, _ = here.netloc.rpartition("@")
    netloc = there.netloc.rpartition("@")[2]
    if there.port == here.port:
        netloc = f"{user}{at}{netloc}"
    return there._replace(netloc=netloc, fragment="").geturl()


def _remember(location: Location, key: str, url: str) -> None:
    """Note where a folder went, when the redirect kept the names inside it."""
    base = str(location.spec["base_url"])
    parts, (_, mark, query) = urlsplit(url), base.partition("?")
    path = unquote(parts.path)
    # Only a moved folder can be remembered, not a single object with another name.
    if not path.endswith(f"/{key}") or parts.query != query:
        return
    new_base = f"{parts.scheme}://{parts.netloc}{mark}{query}"
    old = str(location.spec["path"])
    with _moved_lock:
        _moved[base, old] = (new_base, path[: len(path) - len(key)])
