"""A scene as one line of text that can be sent and opened elsewhere.

``brickfield://1/LENGTH/DATA``: the version of this form, the number of bytes of the
document (JSON, UTF-8), and the document, deflated and in the alphabet of base64 that
may stand in an address. Reading a link allocates at most
:data:`MOST_BYTES`, whatever the text says, and refuses what was cut off or changed
on the way: length and check sum must agree.

A link is made to be passed on, so nothing is in it that gives access: a layer whose
address holds a password or a token is left out, and so is one whose voxels are in
memory only. Which are left out is told.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from dataclasses import dataclass
from typing import Any

from brickfield.errors import OptionError, SceneStateError
from brickfield.model.secrets import has_secrets, without_secrets
from brickfield.scene.document import SceneLayer, SceneSource, SceneState

SCHEME = "brickfield://"
VERSION = 1
MOST_BYTES = 4 << 20
"""Of the document in a link, and characters of a link."""
_FORM = re.compile(r"(?P<version>\d{1,9})/(?P<length>\d{1,9})/(?P<data>[\w-]+)=*")
_AROUND = " \t\r\n<>\"'`()[].,;"
_HINT = "copy the whole link once more"


@dataclass(frozen=True, slots=True)
class Link:
    """A scene as a text.

    Attributes
    ----------
    text : str
        Begins with :data:`SCHEME`.
    left_out : tuple of str
        A sentence for each layer that is not in it.
    """

    text: str
    left_out: tuple[str, ...] = ()


def is_link(text: str) -> bool:
    """Whether a text says that it is a link to a scene."""
    return text.lstrip(_AROUND)[: len(SCHEME)].lower() == SCHEME


def link_of(state: SceneState) -> Link:
    """Make the link to a scene.

    Raises
    ------
    OptionError
        If no layer of it can be in a link, or the link would be too long.
    """
    reasons = {layer.name: _why_not(layer) for layer in state.layers}
    kept = tuple(n for n in state.layers if not _why_not(n))
    left_out = tuple(f"{name!r} {why}" for name, why in reasons.items() if why)
    if not kept:
        found = "; ".join(left_out) if left_out else "no layer"
        msg = f"expected a layer that a link can name; found {found}"
        raise OptionError(msg)
    document = state.model_copy(update={"layers": kept})
    plain: Any = document.model_dump(mode="json", exclude_defaults=True)
    plain = {"version": document.version, **without_secrets(plain)}
    raw = json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode()
    data = base64.urlsafe_b64encode(zlib.compress(raw, 9)).decode().rstrip("=")
    if max(len(raw), len(data)) > MOST_BYTES:
        msg = (
            f"expected a scene of at most {MOST_BYTES} bytes for a link; found"
            f" {len(raw)}: save it in a file instead"
        )
        raise OptionError(msg)
    return Link(f"{SCHEME}{VERSION}/{len(raw)}/{data}", left_out)


def _why_not(layer: SceneLayer) -> str:
    if not isinstance(layer.source, SceneSource):
        return "is in memory only"
    if has_secrets(layer.source.uri):
        return "has an address with a password, token or signature"
    return ""


def state_of_link(text: str) -> SceneState:
    """Read a link.

    Parameters
    ----------
    text : str
        As :func:`link_of` made it; blanks, line breaks and quotes that mail and chat
        put round it or in it do not matter.

    Raises
    ------
    SceneStateError
        In one sentence, if it is no link, or not a whole one.
    """
    return SceneState.from_json(_document_in(text))


def _document_in(text: str) -> bytes:
    if len(text) > 2 * MOST_BYTES:
        msg = f"expected a link of at most {MOST_BYTES} characters; found {len(text)}"
        raise SceneStateError(msg)
    plain = "".join(text.split()).strip(_AROUND)
    if not is_link(plain):
        msg = f"expected a link that begins with {SCHEME}; found {plain[:40]!r}"
        raise SceneStateError(msg)
    found = _FORM.fullmatch(plain[len(SCHEME) :])
    if found is None or not found["data"].isascii():
        raise _damaged("a text of another form")
    version, length = int(found["version"]), int(found["length"])
    if version != VERSION:
        msg = (
            f"expected a link of version {VERSION}; found version {version}, which"
            " another napari-brickfield wrote: update napari-brickfield"
        )
        raise SceneStateError(msg)
    if length > MOST_BYTES:
        msg = f"expected a link to at most {MOST_BYTES} bytes; found {length}"
        raise SceneStateError(msg)
    return _inflated(found["data"], length)


def _inflated(data: str, length: int) -> bytes:
    reader = zlib.decompressobj()
    try:
        packed = base64.urlsafe_b64decode(data + "=" * (-len(data) % 4))
        # One byte more shows that there is more, and no bomb goes off.
        raw = reader.decompress(packed, length + 1)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise _damaged("characters that were changed or cut off") from error
    if not reader.eof or len(raw) != length or reader.unused_data:
        raise _damaged(f"another length than the {length} bytes that it names")
    return raw


def _damaged(found: str) -> SceneStateError:
    msg = f"expected a whole {SCHEME} link; found {found}: {_HINT}"
    return SceneStateError(msg)
