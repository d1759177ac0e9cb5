"""What the head of an answer says, and whether its body is what was asked for.

What a server says of the length of a body is never relied on: what it compressed is
inflated up to a limit, and a part has to be the very part that was asked for.
"""

from __future__ import annotations

import http.client
import mmap
import re
import sys
import zlib
from contextlib import closing
from dataclasses import dataclass
from io import BytesIO

from brickfield.blockwise import format_bytes
from brickfield.sources.io.in_flight import DECODED

_PIECE = 1 << 18
SMALL_BYTES = 1 << 20
"""Bytes up to which the heap does."""
_DRAINED = 1 << 16
"""Bytes of a refusal's page that are read, so that the connection can be kept."""
_PART = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_PLAIN = ("", "identity")
UNKNOWN_SIZE = 1 << 62


class HttpError(ValueError):
    """A failure whose text begins with a status name, as tensorstore's do."""

    def __init__(self, status: str, url: str, text: str) -> None:
        self.status = status
        super().__init__(f"{status}: Error reading {url}: {text}")


@dataclass(frozen=True, slots=True)
class Span:
    """A part of an object.

    Attributes
    ----------
    length : int
    start : int or None
        First byte; None for the last `length` bytes.
    """

    length: int
    start: int | None = None

    @property
    def header(self) -> str:
        """Value of the request's ``Range``."""
        if self.start is None:
            return f"bytes=-{self.length}"
        return f"bytes={self.start}-{self.start + self.length - 1}"


def drain(answer: http.client.HTTPResponse) -> None:
    """Read a refusal to its end, if that is near."""
    if answer.length is not None and answer.length <= _DRAINED:
        answer.read()


def check_part(answer: http.client.HTTPResponse, url: str, span: Span | None) -> int:
    """Check that a response holds the requested part; return the size of the whole object.

    Parameters
    ----------
    answer : http.client.HTTPResponse
    url : str
        For messages.
    span : Span or None
        What was asked for; None for the whole object.

    Returns
    -------
    int
        Bytes; ``UNKNOWN_SIZE`` when the server does not tell.

    Raises
    ------
    HttpError
        If the response is another part.
    """
    if span is None:
        if answer.status == 206:
            raise HttpError("UNKNOWN", url, "found a part where all was asked for")
        return answer.length or UNKNOWN_SIZE
    if answer.status == 200:
        raise HttpError("UNKNOWN", url, "the range was ignored by server")
    match = _PART.match(answer.getheader("Content-Range") or "")
    if match is None:
        raise HttpError("DATA_LOSS", url, "the server does not say which part it sends")
    start, last = int(match[1]), int(match[2])
    size = UNKNOWN_SIZE if match[3] == "*" else int(match[3])
    wanted = max(0, size - span.length) if span.start is None else span.start
    is_it = span.start is None and match[3] == "*"
    if (start != wanted and not is_it) or last - start + 1 > span.length:
        text = f"expected the bytes from {wanted} on; the server sends {match[0]}"
        raise HttpError("DATA_LOSS", url, text)
    return size


def _encoding(answer: http.client.HTTPResponse) -> str:
    return (answer.getheader("Content-Encoding") or "").strip().lower()


class Sink:
    """Takes bytes up to a limit, and gives the memory back to the system at once.

    What many threads allocate and free in turn stays with the process:
    so what may become long is gathered in pages of its own.

    Parameters
    ----------
    limit : int
    """

    def __init__(self, limit: int) -> None:
        self._pages = _pages(limit) if limit > SMALL_BYTES else None
        self._bytes = BytesIO()
        self.n_bytes = 0

    def write(self, piece: bytes) -> None:
        """Add bytes; the caller knows that they are within the limit."""
        (self._bytes if self._pages is None else self._pages).write(piece)
        self.n_bytes += len(piece)

    def value(self) -> bytes:
        """Return all of them."""
        if self._pages is None:
            return self._bytes.getvalue()
        return self._pages[: self.n_bytes]

    def close(self) -> None:
        """Give the memory back."""
        (self._bytes if self._pages is None else self._pages).close()


def _pages(n_bytes: int) -> mmap.mmap:
    if sys.platform == "win32":
        return mmap.mmap(-1, n_bytes)
    return mmap.mmap(-1, n_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)


def is_compressed(answer: http.client.HTTPResponse) -> bool:
    """Whether a server says that it compressed a body to send less."""
    return _encoding(answer) not in _PLAIN


def decoded(
    answer: http.client.HTTPResponse, raw: bytes, url: str, limit: int
) -> bytes:
    """Undo the content encoding of a response, up to a limit.

    Parameters
    ----------
    answer : http.client.HTTPResponse
    raw : bytes
        Its body.
    url : str
        For messages.
    limit : int
        Bytes that the result may have.

    Raises
    ------
    HttpError
        If the encoding is unknown, damaged or expands beyond the limit.
    """
    kind = _encoding(answer)
    if kind in _PLAIN:
        return raw
    if kind not in ("gzip", "x-gzip", "deflate") or answer.status == 206:
        raise HttpError("DATA_LOSS", url, f"found the content encoding {kind!r:.40}")
    # The stored bytes hold room already; what comes out of them can be longer.
    with DECODED.room(limit):
        return inflated(raw, url, limit)


def inflated(raw: bytes, url: str, limit: int) -> bytes:
    """Decompress gzip or zlib data to at most `limit` bytes.

    Parameters
    ----------
    raw : bytes
    url : str
        For messages.
    limit : int

    Raises
    ------
    HttpError
    """
    inflate = zlib.decompressobj(47)
    with closing(Sink(limit)) as plain:
        try:
            while not inflate.eof:
                piece = inflate.decompress(raw, _PIECE)
                raw = inflate.unconsumed_tail
                if plain.n_bytes + len(piece) > limit:
                    raise too_long(url, limit, "more once decompressed")
                plain.write(piece)
                if not (piece or raw):
                    raise HttpError("DATA_LOSS", url, "the gzip data end too soon")
        except zlib.error as error:
            text = f"damaged gzip data: {error}"
            raise HttpError("DATA_LOSS", url, text) from error
        return plain.value()


def too_long(url: str, limit: int, found: str) -> HttpError:
    """Make the error of a response that is too long.

    Parameters
    ----------
    url : str
    limit : int
        Bytes that are allowed.
    found : str
        What the server sends, for the message.
    """
    text = (
        f"expected at most {format_bytes(limit)} in one piece; the server sends {found}"
    )
    return HttpError("TOO_LONG", url, text)
