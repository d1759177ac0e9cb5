"""What a person should know about an image that was just opened."""

from __future__ import annotations

import logging
from typing import Any

from brickfield.model.image import ImageInfo
from brickfield.store.image_store import ChunkedImageStore

logger = logging.getLogger(__name__)
_CHOICES = ("well", "field", "series", "label")


def tell_of(store: ChunkedImageStore, options: dict[str, Any]) -> None:
    """Say that there are further images, and what was odd."""
    from napari.utils.notifications import show_info, show_warning

    info = store.info
    if text := others_in(info, options):
        show_info(f"{text}; brickfield info lists the others")
    for finding in info.findings:
        logger.info("%s: %s", info.uri, finding.text)
    odd = [f.text for f in info.findings if f.severity != "info"]
    if odd:
        more = (
            f" (and {len(odd) - 1} more: brickfield info lists them)" if odd[1:] else ""
        )
        show_warning(f"{info.name}: {odd[0]}{more}")


def others_in(info: ImageInfo, options: dict[str, Any]) -> str:
    """Say what was opened of several images; "" where it was chosen or is alone."""
    if any(options.get(name) is not None for name in _CHOICES):
        return ""
    return what_is_shown(info, options)


def what_is_shown(info: ImageInfo, options: dict[str, Any]) -> str:
    """Say what a store holds and what of it is shown; "" for a single image."""
    shown = shown_image(info, options)
    if len(info.wells) > 1 or (info.wells and len(info.series) > 1):
        return f"Plate of {_counted(len(info.wells), 'well')}: {shown} is shown"
    if len(info.series) > 1:
        return f"{len(info.series)} images in this file: {shown} is shown"
    return ""


def shown_image(info: ImageInfo, options: dict[str, Any]) -> str:
    """Return the name of a store's image that was opened with some options."""
    if info.image:
        return info.image
    series = options.get("series")
    if series is None:
        # Some formats open the largest, not the first.
        named = [name for name in info.series if name.strip("/") == info.name]
        return (named or [*info.series, info.name])[0]
    is_place = isinstance(series, int) and series < len(info.series)
    return info.series[int(series)] if is_place else str(series)


def _counted(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"
