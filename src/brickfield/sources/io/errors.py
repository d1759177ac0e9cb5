"""What went wrong with one read, as one of four kinds.

tensorstore raises every failure as ``ValueError``; its message begins with the
name of an absl status. This module is the only place that reads such messages,
so a change of wording breaks one test and not the meaning of an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from brickfield.errors import ChunkReadError

Kind = Literal["missing", "denied", "transient", "corrupt"]

WEB_PAGE = (
    "a web page in its place: the server answers so for what it does not have, or asks"
    " for a login"
)
_STATUS = re.compile(r"^([A-Z][A-Z_]+): ")
_KINDS: dict[str, Kind] = {
    "NOT_FOUND": "missing",
    "PERMISSION_DENIED": "denied",
    "UNAUTHENTICATED": "denied",
    "ABORTED": "transient",
    "UNAVAILABLE": "transient",
    "DEADLINE_EXCEEDED": "transient",
    "RESOURCE_EXHAUSTED": "transient",
    "CANCELLED": "transient",
}
_SOURCE = re.compile(r"\s*\[(?:source locations?|tensorstore_spec)=.*", re.DOTALL)
_PATH = re.compile(r'"[^"\s]*(/[^"/\s]+/?)"')
_LEADING = re.compile(r"^(?:Error (?:opening|reading)[^:]*: )+")
"""What a driver was about when it met the reason, which comes last."""
_TIMEOUT = re.compile(r"timed? ?out|too slow|CURL.?28|\bcurl 28\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ReadError:
    """A classified failure.

    Attributes
    ----------
    kind : {"missing", "denied", "transient", "corrupt"}
        "corrupt" also stands for everything that a retry cannot help.
    detail : str
        One line for people.
    """

    kind: Kind
    detail: str


def classify(exc: BaseException) -> ReadError:
    """Classify what tensorstore raised.

    Parameters
    ----------
    exc : BaseException
        A ``ValueError`` whose text begins with a status name; a text without
        one (a broken zip file) counts as corrupt.
    """
    text = _SOURCE.sub("", str(exc)).strip()
    match = _STATUS.match(text)
    kind: Kind = _KINDS.get(match.group(1), "corrupt") if match else "corrupt"
    detail = text[match.end() :] if match else text
    if kind == "transient" and _TIMEOUT.search(detail):
        detail = f"the server did not answer in time ({_shorten(detail, 160)})"
    return ReadError(kind, _shorten(detail, 300))


def looks_like_a_page(raw: bytes) -> bool:
    """Whether bytes begin as a web page does."""
    head = raw[:512].lstrip().lower()
    return head.startswith((b"<!doctype html", b"<html"))


def _shorten(text: str, length: int) -> str:
    """Cut a text where it says least: paths to their names, then its middle."""
    text = " ".join(text.split())
    if len(text) > length:
        text = _PATH.sub(r'"…\1"', text)
    if len(text) > length:
        text = _LEADING.sub("", text)
    if len(text) > length:
        head = length // 3
        text = f"{text[:head]}…{text[head + 1 - length :]}"
    return text


def as_sentence(error: ReadError, key: str, uri: str) -> str:
    """Return the message for users of a failed read.

    Parameters
    ----------
    error : ReadError
    key : str
        Of the storage chunk.
    uri : str
        Of the store.
    """
    where = f"chunk {key} of {uri}"
    if error.kind == "denied":
        return (
            f"expected to read {where}; found that access is denied: check permissions,"
            " or treat 403 as missing (--treat-403-as-missing) if the store has no such"
            " chunk"
        )
    if error.kind == "transient":
        return f"expected to read {where}; found no usable answer: {error.detail}"
    if error.kind == "missing":
        return f"expected {where}; found nothing stored"
    if error.detail == WEB_PAGE:
        return f"expected to read {where}; found {WEB_PAGE}"
    if "[HTTP code" in error.detail:
        return f"expected to read {where}; found a refusal: {error.detail}"
    return f"expected to decode {where}; found damaged data: {error.detail}"


def is_absent(error: ReadError, *, denied_is_missing: bool) -> bool:
    """Whether a failed read only says that nothing is stored.

    Parameters
    ----------
    error : ReadError
    denied_is_missing : bool
        Take a server's refusal (HTTP 403) for "nothing is stored".
    """
    return error.kind == "missing" or (error.kind == "denied" and denied_is_missing)


def chunk_failure(error: ReadError, key: str, uri: str) -> ChunkReadError:
    """Return the error to raise for a failed read of a storage chunk.

    Parameters
    ----------
    error : ReadError
    key : str
        Of the storage chunk.
    uri : str
        Of the store.
    """
    return ChunkReadError(
        as_sentence(error, key, uri), is_transient=error.kind == "transient", key=key
    )
