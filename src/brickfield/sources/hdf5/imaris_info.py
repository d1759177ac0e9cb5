"""What an Imaris file says about its image: extent, channels, time.

All of it is text in arrays of one-byte strings. Imaris counts axes x, y, z
(``ExtMin0`` is x); everything here is turned to z, y, x at once. Nothing is
required: what is absent or unreadable gets a default and a finding.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from brickfield.model import Channel, Finding, Int3, Vec3
from brickfield.sources.hdf5.file import text_attribute

_UNITS = {"um": "micrometer", "µm": "micrometer", "nm": "nanometer"} | {
    "mm": "millimeter",
    "m": "meter",
}


@dataclass(slots=True)
class ImarisInfo:
    """Reader of the info group; the caller holds the HDF5 lock.

    Parameters
    ----------
    group : h5py.Group or None
        ``DataSetInfo``.
    findings : list of Finding
        What was odd; grows while reading.
    """

    group: Any
    findings: list[Finding] = field(default_factory=list)

    def _attributes(self, name: str) -> Any:
        # A file may have a dataset where the group should be.
        item = self.group.get(name) if hasattr(self.group, "get") else None
        return {} if item is None else item.attrs

    def note(self, code: str, path: str, text: str) -> None:
        """Add a finding of severity "warning".

        Parameters
        ----------
        code : str
            Short name, stable between versions.
        path : str
            Where in the file.
        text : str
            What was expected, found and done.
        """
        self.findings.append(Finding("warning", code, path, text))

    @property
    def name(self) -> str | None:
        """Name of the image."""
        text = text_attribute(self._attributes("Image"), "Name")
        return text if text and text != "(name not specified)" else None

    @property
    def unit(self) -> str:
        """Unit of length; micrometre when the file is silent, as in Imaris."""
        text = text_attribute(self._attributes("Image"), "Unit") or "um"
        return _UNITS.get(text.lower(), text)

    def stated_size(self) -> Int3 | None:
        """Voxels (z, y, x) of the finest level; None when not stated."""
        texts = [text_attribute(self._attributes("Image"), n) for n in "ZYX"]
        return whole_numbers(texts)

    def extent(self, shape: Int3) -> tuple[Vec3, Vec3]:
        """Lower and upper edge of the volume, (z, y, x), world units.

        Parameters
        ----------
        shape : tuple of int
            Voxels of level 0, used along axes without a usable extent.
        """
        attributes = self._attributes("Image")
        low, high = [0.0] * 3, [float(n) for n in shape]
        for axis, number in enumerate((2, 1, 0)):
            names = f"ExtMin{number}", f"ExtMax{number}"
            edges = numbers(
                " ".join(text_attribute(attributes, n) or "?" for n in names)
            )
            if edges is not None and len(edges) == 2 and edges[1] > edges[0]:
                low[axis], high[axis] = edges
                continue
            text = (
                f"expected {names[0]} below {names[1]}; found {edges}: a voxel is taken"
                f" as 1 unit along {'zyx'[axis]}"
            )
            self.note("no-extent", f"DataSetInfo/Image@{names[0]}", text)
            low[axis], high[axis] = -0.5, shape[axis] - 0.5
        return (low[0], low[1], low[2]), (high[0], high[1], high[2])

    def time_step(self, n_times: int) -> tuple[float, str | None]:
        """Seconds between the first two time points, or one step without unit."""
        if n_times < 2:
            return 1.0, None
        attributes = self._attributes("TimeInfo")
        texts = [text_attribute(attributes, f"TimePoint{i}") for i in (1, 2)]
        try:
            first, second = (datetime.fromisoformat(t or "") for t in texts)
            seconds = (second - first).total_seconds()
        except (ValueError, TypeError):
            seconds = 0.0
        if seconds > 0:
            return seconds, "second"
        text = f"expected two rising dates TimePoint1 and TimePoint2; found {texts}"
        self.note("no-times", "DataSetInfo/TimeInfo", text)
        return 1.0, None

    def channel(self, number: int, histogram: Any) -> Channel:
        """Name, colour and contrast of a channel.

        Parameters
        ----------
        number : int
        histogram : mapping
            Attributes of the channel's group with the data.
        """
        attributes = self._attributes(f"Channel {number}")
        color = numbers(text_attribute(attributes, "Color"))
        window = numbers(text_attribute(attributes, "ColorRange"))
        if window is None:
            texts = [text_attribute(histogram, f"Histogram{e}") for e in ("Min", "Max")]
            window = numbers(" ".join(t or "?" for t in texts))
        if window is not None and (len(window) != 2 or window[1] <= window[0]):
            window = None
        return Channel(
            name=text_attribute(attributes, "Name") or f"Channel {number}",
            color=_byte_color(color),
            window=None if window is None else (window[0], window[1]),
        )


def _byte_color(color: list[float] | None) -> tuple[int, int, int] | None:
    if color is None or len(color) != 3:
        return None
    r, g, b = (int(v) for v in np.rint(np.clip(color, 0, 1) * 255))
    return (r, g, b)


def numbers(text: str | None) -> list[float] | None:
    """Finite numbers in a text, separated by spaces; None if it is anything else."""
    try:
        values = [float(part) for part in (text or "").split()]
    except ValueError:
        return None
    return values if values and np.isfinite(values).all() else None


def whole_numbers(texts: list[str | None]) -> Int3 | None:
    """Three counts of at least 1 from three texts, None if one is anything else."""
    values = numbers(" ".join(t or "?" for t in texts))
    if values is None or len(values) != 3 or min(values) < 1:
        return None
    z, y, x = (int(v) for v in values)
    return (z, y, x)
