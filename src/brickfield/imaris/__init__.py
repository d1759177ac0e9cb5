"""Imaris files (``.ims``), written from any source in one bounded pass.

Order of an export: ``reading`` turns what was given into channels that can be read,
``planning`` decides sizes, types and memory (a frozen value, nothing is written),
``export`` runs the plan: for each time point and channel a ``cascade`` makes all
levels in one pass, ``output`` writes their chunks, ``statistics`` and ``thumbnail``
what Imaris shows of them. ``verify`` reads the finished file back.
"""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.imaris.command import to_imaris as to_imaris
    from brickfield.imaris.export import ImarisOutlook as ImarisOutlook
    from brickfield.imaris.export import look_ahead as look_ahead
    from brickfield.imaris.result import ImarisResult as ImarisResult

__all__ = [
    "ImarisOutlook",  # What an export will take, as far as a few tiles tell.
    "ImarisResult",  # What was written.
    "look_ahead",  # Say what an export will take, from a few tiles of the source; writes nothing.
    "to_imaris",  # Write an Imaris file (``.ims``) from an image of any size.
]

_HOME = {
    "ImarisOutlook": "export",
    "ImarisResult": "result",
    "look_ahead": "export",
    "to_imaris": "command",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
