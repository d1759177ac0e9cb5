"""Whole objects over HTTP, where tensorstore's way does not lead to them.

tensorstore follows no redirect and needs ranges. What a server moved is fetched here
with a client of our own: redirects are followed on the same host, so that an address
leads to no other one than the user gave; a folder that moved as a whole is
remembered, and tensorstore asks the new place from then on. Failures are ValueErrors
that begin with a status name, as tensorstore's do.
"""

from __future__ import annotations

import base64
import http.client
import re
import ssl
from threading import Lock
from typing import Any
from urllib.parse import quote, unquote, urljoin, urlsplit

from brickfield.blockwise.budget import format_bytes
from brickfield.sources.kvstore import Location

MAX_REDIRECTS = 5
TIMEOUT_S = 16.0
"""Silence after which a server is given up."""
HEAD_BYTES = 512
_REDIRECT = re.compile(r"\[HTTP code 30[12378]\]")
_IGNORED_RANGE = "was ignored by server"
_STATUS = {401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 429: "UNAVAILABLE"}

_moved: dict[tuple[str, str], tuple[str, str]] = {}
_moved_lock = Lock()


def is_plain_http(location: Location) -> bool:
    """Whether a location's objects are those of a web server."""
    return bool(location.spec["driver"] == "http")


def is_redirect(error: BaseException) -> bool:
    """Whether tensorstore failed because the server sends on."""
    return _REDIRECT.search(str(error)) is not None


def is_ignored_range(error: BaseException) -> bool:
    """Whether tensorstore failed because the server knows no ranges."""
    return _IGNORED_RANGE in str(error)


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
    """Ask every server again where its objects are."""
    with _moved_lock:
        _moved.clear()


def fetch(location: Location, key: str, limit: int, *, head: bool = False) -> Any:
    """Read one object whole.

    Parameters
    ----------
    location : Location
        Of a web server.
    key : str
    limit : int
        Most bytes.
    head : bool
        Only the first bytes, to see what it is.

    Returns
    -------
    bytes or None
        None when nothing is stored.

    Raises
    ------
    ValueError
        Beginning with a status name.
    """
    spec = moved_spec(location.spec)
    base, mark, query = str(spec["base_url"]).partition("?")
    start = f"{base}{quote(spec['path'] + key)}{mark}{query}"
    url = start
    for _ in range(MAX_REDIRECTS + 1):
        status, found = _get(url, HEAD_BYTES if head else limit, is_head=head)
        if status == 200:
            if url != start:
                _remember(location, key, url)
            return found
        if status in (404, 410):
            return None
        if status not in (301, 302, 303, 307, 308):
            name = _STATUS.get(status, "UNAVAILABLE" if status > 499 else "UNKNOWN")
            raise _failure(name, url, f"the server refuses it [HTTP code {status}]")
        url = _next(url, str(found or ""))
    raise _failure("UNKNOWN", start, f"more than {MAX_REDIRECTS} redirects, one by one")


def _next(url: str, target: str) -> str:
    """Return where a redirect leads, if that is the same host, as safe as before."""
    there, here = urlsplit(urljoin(url, target)), urlsplit(url)
    is_same = there.hostname == here.hostname and there.scheme in ("http", "https")
    is_weaker = here.scheme == "https" and there.scheme == "http"
    if not target or not is_same or is_weaker:
        text = (
            f"the server sends on to {there.scheme}://{there.hostname}, another host:"
            " open the address there"
        )
        raise _failure("UNKNOWN", url, text)
    # A password goes along to the same server, and to no other port.
    user, at, _ = here.netloc.rpartition("@")
    netloc = there.netloc.rpartition("@")[2]
    if there.port == here.port:
        netloc = f"{user}{at}{netloc}"
    return there._replace(netloc=netloc, fragment="").geturl()


def _get(url: str, limit: int, *, is_head: bool) -> tuple[int, Any]:
    """Ask once: the status, with the body, or with where a redirect leads."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else None
    connection = (kind or http.client.HTTPConnection)(
        parts.hostname or "", parts.port, timeout=TIMEOUT_S
    )
    headers = {"Accept-Encoding": "identity"}
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("GET", target, headers=headers)
        answer = connection.getresponse()
        if answer.status != 200:
            return answer.status, answer.getheader("Location")
        raw = answer.read(limit if is_head else limit + 1)
        if not is_head and (answer.length or 0) > 0 and len(raw) <= limit:
            raise _failure("UNAVAILABLE", url, "the connection ended in the middle")
    except TimeoutError as error:
        raise _failure("DEADLINE_EXCEEDED", url, "timed out") from error
    except (OSError, ssl.SSLError, http.client.HTTPException) as error:
        text = str(error) or type(error).__name__
        raise _failure("UNAVAILABLE", url, text) from error
    finally:
        connection.close()
    if not is_head and len(raw) > limit:
        text = f"expected at most {format_bytes(limit)} in one piece; found more"
        raise _failure("RESOURCE", url, text)
    return 200, raw


def _failure(status: str, url: str, text: str) -> ValueError:
    return ValueError(f"{status}: Error reading {url}: {text}")


def _remember(location: Location, key: str, url: str) -> None:
    """Note where a folder went, when the redirect kept the names inside it."""
    base = str(location.spec["base_url"])
    parts, (_, mark, query) = urlsplit(url), base.partition("?")
    path = unquote(parts.path)
    if not path.endswith(f"/{key}") or parts.query != query:
        return
    new_base = f"{parts.scheme}://{parts.netloc}{mark}{query}"
    old = str(location.spec["path"])
    with _moved_lock:
        _moved[base, old] = (new_base, path[: len(path) - len(key)])
