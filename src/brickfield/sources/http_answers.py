"""What the head of an answer says, and whether its body is what was asked for.

A server's word is never taken for the length of a body: what it compressed is
inflated up to a limit, and a part has to be the very part that was asked for.
"""

from __future__ import annotations

import http.client
import re
import zlib
from dataclasses import dataclass
from io import BytesIO

from brickfield.blockwise.budget import format_bytes
from brickfield.sources.in_flight import DECODED

_PIECE = 1 << 20
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
    """Make sure that the part is the one asked for; return the object's size."""
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


def is_compressed(answer: http.client.HTTPResponse) -> bool:
    """Whether a server says that it compressed a body to send less."""
    return _encoding(answer) not in _PLAIN


def decoded(
    answer: http.client.HTTPResponse, raw: bytes, url: str, limit: int
) -> bytes:
    """Undo what a server did to a body to send less, up to the limit."""
    kind = _encoding(answer)
    if kind in _PLAIN:
        return raw
    if kind not in ("gzip", "x-gzip", "deflate") or answer.status == 206:
        raise HttpError("DATA_LOSS", url, f"found the content encoding {kind!r:.40}")
    # The stored bytes hold room already; what comes out of them can be longer.
    with DECODED.room(limit):
        return inflated(raw, url, limit)


def inflated(raw: bytes, url: str, limit: int) -> bytes:
    """Decompress gzip or zlib data to at most so many bytes.

    Raises
    ------
    HttpError
    """
    inflate, plain, n_bytes = zlib.decompressobj(47), BytesIO(), 0
    try:
        while not inflate.eof:
            piece = inflate.decompress(raw, _PIECE)
            raw = inflate.unconsumed_tail
            n_bytes += plain.write(piece)
            if n_bytes > limit:
                raise too_long(url, limit, "more once decompressed")
            if not (piece or raw):
                raise HttpError("DATA_LOSS", url, "the gzip data end too soon")
    except zlib.error as error:
        raise HttpError("DATA_LOSS", url, f"damaged gzip data: {error}") from error
    return plain.getvalue()


def too_long(url: str, limit: int, found: str) -> HttpError:
    """Make the error of an answer that is longer than it may be."""
    text = (
        f"expected at most {format_bytes(limit)} in one piece; the server sends {found}"
    )
    return HttpError("TOO_LONG", url, text)
