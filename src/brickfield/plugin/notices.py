"""What a person should know about an image that was just opened."""

from __future__ import annotations

import logging
from typing import Any

from brickfield.store.image_store import ChunkedImageStore

logger = logging.getLogger(__name__)
_SHOWN = 4


def tell_of(store: ChunkedImageStore, options: dict[str, Any]) -> None:
    """Say that there are further images, and what was odd."""
    from napari.utils.notifications import show_info, show_warning

    info = store.info
    if text := others_in(store, options):
        show_info(text)
    for finding in info.findings:
        logger.info("%s: %s", info.uri, finding.text)
    odd = [f.text for f in info.findings if f.severity != "info"]
    if odd:
        more = (
            f" (and {len(odd) - 1} more: brickfield info lists them)" if odd[1:] else ""
        )
        show_warning(f"{info.name}: {odd[0]}{more}")


def others_in(store: ChunkedImageStore, options: dict[str, Any]) -> str:
    """Say in one sentence how to open further images of a store; "" without any."""
    info = store.info
    for option, names in (("well", info.wells), ("series", info.series)):
        if len(names) > 1 and option not in options:
            listed = ", ".join(names[:_SHOWN]) + (", …" if names[_SHOWN:] else "")
            return (
                f"Opened the first of {len(names)} images in {info.name} ({listed})."
                f" Others: brickfield.open_volume({info.uri!r}, {option}={names[1]!r})"
            )
    return ""
