"""Channels from ``omero``, and a look at ``image-label``.

``omero`` is written by many tools in many ways and only suggests a display. So
it never stops an image from opening: an entry that cannot be used is replaced
by a default and noted.
"""

from __future__ import annotations

import re
from dataclasses import replace
from math import isfinite
from typing import Any

from brickfield.model import Channel, Rgba
from brickfield.sources.boundary import numbered_channels
from brickfield.sources.geometry import Findings

_COLOR = re.compile(r"^#?([0-9a-fA-F]{6})(?:[0-9a-fA-F]{2})?$")


def read_channels(
    attributes: dict[str, Any], n_channels: int, findings: Findings
) -> tuple[Channel, ...]:
    """Read one channel for each index of the channel axis.

    Parameters
    ----------
    attributes : dict
        Of the image's group.
    n_channels : int
    findings : Findings
    """
    defaults = numbered_channels(n_channels)
    omero = attributes.get("omero")
    if omero is None:
        return defaults
    listed = omero.get("channels") if isinstance(omero, dict) else None
    if not isinstance(listed, list):
        findings.warning(
            "omero-channels",
            "omero.channels",
            f"expected a list in omero.channels; found {type(listed).__name__}; used"
            " default channels",
        )
        return defaults
    if len(listed) != n_channels:
        findings.warning(
            "omero-count",
            "omero.channels",
            f"expected {n_channels} entries in omero.channels, as the array has"
            f" channels; found {len(listed)}; used defaults for the rest",
        )
    found = tuple(
        _channel(item, default, findings, f"omero.channels[{i}]")
        for i, (item, default) in enumerate(zip(listed, defaults, strict=False))
    )
    if n_channels == 1 and found:
        found = (_as_gray(found[0]),)
    return found[:n_channels] + defaults[len(found) :]


def _as_gray(channel: Channel) -> Channel:
    """Draw a lone channel of a gray colour from black to white.

    Bio-Formats writes 808080 for "gray", which would halve the brightness.
    """
    color = channel.color
    is_gray = color is not None and len(set(color)) == 1 and any(color)
    return replace(channel, color=(255, 255, 255)) if is_gray else channel


def _channel(item: Any, default: Channel, findings: Findings, where: str) -> Channel:
    if not isinstance(item, dict):
        findings.warning(
            "omero-channel",
            where,
            f"expected an object in {where}; found {type(item).__name__}; used a default",
        )
        return default
    label = item.get("label", item.get("name"))
    name = str(label) if isinstance(label, str | int) and str(label) else default.name
    return Channel(
        name,
        _color(item.get("color"), findings, f"{where}.color"),
        _window(item.get("window"), findings, f"{where}.window"),
        item.get("active") is not False,
    )


def _color(value: Any, findings: Findings, where: str) -> tuple[int, int, int] | None:
    if value is None:
        return None
    match = _COLOR.match(value) if isinstance(value, str) else None
    if match is None:
        findings.warning(
            "omero-color",
            where,
            f"expected six hexadecimal digits in {where}; found {value!r:.40}; used a"
            " default",
        )
        return None
    red, green, blue = bytes.fromhex(match.group(1))
    return (red, green, blue)


def _window(value: Any, findings: Findings, where: str) -> tuple[float, float] | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        findings.warning(
            "omero-window", where, f"expected an object in {where}; found {value!r:.40}"
        )
        return None
    limits = []
    for first, second in (("start", "min"), ("end", "max")):
        raw = value.get(first, value.get(second))
        number = _number(raw)
        if raw is not None and not isinstance(raw, int | float):
            findings.warning(
                "omero-window",
                f"{where}.{first}",
                f"expected a number in {where}.{first}; found {raw!r:.40}",
            )
        limits.append(number)
    low, high = limits
    if low is None or high is None or low == high:
        findings.info(
            "omero-window",
            where,
            f"expected start and end that differ in {where}; found {low} and {high};"
            " left contrast to be found",
        )
        return None
    return (min(low, high), max(low, high))


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if isfinite(number) else None


def check_image_label(value: Any, findings: Findings) -> None:
    """Record what is odd in ``image-label``; nothing in it is needed to draw.

    See :func:`colors_of_labels` and :func:`properties_of_labels` for what is used.

    Parameters
    ----------
    value
        As in the file.
    findings : Findings
        Receives what is odd.
    """
    where = "image-label"
    if not isinstance(value, dict):
        findings.warning(
            "label-type", where, f"expected an object in {where}; found {value!r:.40}"
        )
        return
    if "version" not in value:
        findings.info(
            "label-version", f"{where}.version", f"expected {where}.version; found none"
        )
    if "colors" not in value:
        findings.info(
            "label-colors", f"{where}.colors", f"expected {where}.colors; found none"
        )
    for name in ("colors", "properties"):
        if name in value:
            _check_label_list(value[name], name, findings)


def _check_label_list(items: Any, name: str, findings: Findings) -> None:
    where = f"image-label.{name}"
    if not isinstance(items, list) or not items:
        findings.warning(
            f"label-{name}",
            where,
            f"expected a list with entries in {where}; found {items!r:.40}",
        )
        return
    seen = set()
    for i, item in enumerate(items):
        at = f"{where}[{i}]"
        number = item.get("label-value") if isinstance(item, dict) else None
        if not isinstance(number, int | float):
            findings.warning(
                "label-value",
                at,
                f"expected a number in {at}.label-value; found {number!r:.40}",
            )
            continue
        if number in seen:
            findings.warning(
                "label-value", at, f"expected {number} once in {where}; found it again"
            )
        seen.add(number)
        if name == "colors" and not _is_rgba(item.get("rgba", [0, 0, 0, 0])):
            findings.warning(
                "label-rgba",
                at,
                f"expected four numbers from 0 to 255 in {at}.rgba; found {item['rgba']!r:.40}",
            )


def _is_rgba(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 4
        and all(isinstance(v, int) and 0 <= v <= 255 for v in value)
    )


MOST_LABELS = 65_536
"""Labels with a colour or properties of their own that are kept."""


def colors_of_labels(value: Any) -> tuple[tuple[int, Rgba], ...]:
    """Return the labels that ``image-label`` gives a colour; odd entries are left out.

    Returns
    -------
    tuple of (int, (int, int, int, int))
        Label and red, green, blue, alpha, 0 to 255; of several of a label the last.
    """
    found: dict[int, Rgba] = {}
    for label, item in _entries_of(value, "colors"):
        rgba = item.get("rgba")
        if isinstance(rgba, list) and _is_rgba(rgba):
            r, g, b, a = rgba
            found[label] = (r, g, b, a)
    return tuple(sorted(found.items()))


def properties_of_labels(
    value: Any,
) -> tuple[tuple[int, tuple[tuple[str, Any], ...]], ...]:
    """Return what ``image-label`` says of single labels: texts and numbers."""
    found = {
        label: tuple(
            (str(k), v)
            for k, v in item.items()
            if k != "label-value" and isinstance(v, str | int | float)
        )
        for label, item in _entries_of(value, "properties")
    }
    return tuple(sorted(found.items()))


def _entries_of(value: Any, name: str) -> list[tuple[int, dict[str, Any]]]:
    items = value.get(name) if isinstance(value, dict) else None
    found = []
    for item in items[:MOST_LABELS] if isinstance(items, list) else ():
        label = item.get("label-value") if isinstance(item, dict) else None
        # JSON has one kind of number: 3.0 is a label, 3.5 is none.
        if isinstance(label, int | float) and float(label).is_integer():
            found.append((int(label), item))
    return found
