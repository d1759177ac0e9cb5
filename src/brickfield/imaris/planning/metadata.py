"""What Imaris is told of the image: place, unit, time, channels.

Imaris counts x, y, z (``ExtMin0`` is x). Extents are those of the voxels' outer edges.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from itertools import pairwise
from math import floor, log10
from pathlib import Path
from typing import Any

import numpy as np

from brickfield.errors import OptionError
from brickfield.imaris.dtypes import ValueChange
from brickfield.imaris.options import ImarisOptions
from brickfield.imaris.reading.inputs import ImarisInput
from brickfield.model import Vec3
from brickfield.sources import ChunkSource, metres

IMARIS_UNITS = {1e-9: "nm", 1e-6: "um", 1e-3: "mm", 1.0: "m"}
"""Metres to what Imaris calls the unit."""
_SECONDS = {
    "nanosecond": 1e-9,
    "microsecond": 1e-6,
    "millisecond": 1e-3,
    "second": 1.0,
    "minute": 60.0,
    "hour": 3600.0,
    "day": 86400.0,
}
_SHORT_TIMES = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}
_TICK = timedelta(milliseconds=1)
_CREATOR = "brickfield"


@dataclass(frozen=True)
class Space:
    """Where the image lies.

    Attributes
    ----------
    unit : str
        Of Imaris.
    low, high : tuple of float
        Outer edges (z, y, x), in that unit.
    notes : tuple of str
    """

    unit: str
    low: Vec3
    high: Vec3
    notes: tuple[str, ...] = ()

    @property
    def extent(self) -> Vec3:
        """Width along (z, y, x)."""
        z, y, x = (b - a for a, b in zip(self.low, self.high, strict=True))
        return (z, y, x)


def find_space(image: ImarisInput, units: str) -> Space:
    """Bring the place of an image to a unit that Imaris knows.

    Parameters
    ----------
    image : ImarisInput
    units : str
        Unit that is taken when the source names none that is known.

    Raises
    ------
    OptionError
        When `units` is no unit of length.
    """
    assumed = metres(units)
    if assumed is None:
        msg = f'expected a unit of length as "um", "nm" or "mm"; found {units!r}'
        raise OptionError(msg)
    length = metres(image.unit)
    notes: tuple[str, ...] = ()
    if length is None:
        named = f"the unit {image.unit!r}" if image.unit else "no unit"
        notes = (f"{named} in the source: lengths were taken as {units}",)
        length = assumed
    unit = next((u for m, u in IMARIS_UNITS.items() if np.isclose(m, length)), None)
    ratio = 1.0 if unit else length / 1e-6
    size = [v * ratio for v in image.voxel_size]
    low = [t * ratio - s / 2 for t, s in zip(image.translation, size, strict=True)]
    high = [a + s * n for a, s, n in zip(low, size, image.shape, strict=True)]
    return Space(
        unit or "um", (low[0], low[1], low[2]), (high[0], high[1], high[2]), notes
    )


def find_times(
    image: ImarisInput, given: Sequence[float | datetime] | None, start: datetime
) -> tuple[list[datetime], list[str]]:
    """Return when each time point was recorded, and what the user should know.

    Parameters
    ----------
    image : ImarisInput
    given : sequence of float or datetime, optional
        Seconds from the start, or dates; one for each time point that is written.
    start : datetime
        Of the recording.

    Raises
    ------
    OptionError
        When times given do not rise, or there are too few or many.
    """
    notes: list[str] = []
    if given is not None:
        times = _given_times(given, len(image.time_points), start)
    else:
        step = _step_seconds(image, notes)
        first = image.time_points[0] * step
        times = [_later(start, i * step - first) for i in image.time_points]
    rising = [times[0]]
    for time in times[1:]:
        rising.append(max(time, rising[-1] + _TICK))
    if rising != times:
        if given is not None:
            msg = "expected times that rise by at least a millisecond; found others"
            raise OptionError(msg)
        notes.append("time points were set 1 ms apart, the least that Imaris tells")
    return rising, notes


def _given_times(
    given: Sequence[float | datetime], n: int, start: datetime
) -> list[datetime]:
    try:
        found = [_time(start, t) for t in given]
    except TypeError as error:
        msg = f"expected seconds or dates for the time points; found {given!r}"
        raise OptionError(msg) from error
    if len(found) != n:
        msg = f"expected a time for each of {n} time points; found {len(found)}"
        raise OptionError(msg)
    if len({t.tzinfo is None for t in found}) > 1:
        msg = "expected dates that all have a time zone, or none; found both"
        raise OptionError(msg)
    if any(b <= a for a, b in pairwise(found)):
        msg = "expected times that rise; found others: sort the time points first"
        raise OptionError(msg)
    return found


def _time(start: datetime, given: Any) -> datetime:
    if isinstance(given, np.datetime64):
        given = given.astype("M8[us]").item()
    if isinstance(given, datetime):
        return given
    try:
        seconds = float(given)
    except ValueError as error:
        msg = f"expected seconds or dates for the time points; found {given!r}"
        raise OptionError(msg) from error
    return _later(start, seconds)


def _step_seconds(image: ImarisInput, notes: list[str]) -> float:
    if len(image.time_points) < 2:
        return 1.0
    name = (image.time_unit or "").strip().lower()
    unit = _SHORT_TIMES.get(name) or _SECONDS.get(name.removesuffix("s"))
    if unit is None or not 0 < image.time_step < float("inf"):
        is_number = np.isfinite(image.time_step) and image.time_step > 0
        step = float(image.time_step) if is_number else 1.0
        notes.append(f"no unit of time in the source: time points are {step:g} s apart")
        return step
    return float(image.time_step * unit)


def _later(start: datetime, seconds: float) -> datetime:
    try:
        return start + timedelta(seconds=seconds)
    except (OverflowError, ValueError) as error:
        msg = f"expected times that a calendar holds; found {seconds:g} s after {start}"
        raise OptionError(msg) from error


def recording_date(source: ChunkSource) -> datetime:
    """When an image was recorded: as the source says, else when its file was made."""
    for place in source.places():
        if isinstance(place, Path):
            try:
                return _stated_date(place) or _changed(place)
            except OSError:
                continue
    return datetime.now().replace(microsecond=0)


def _changed(place: Path) -> datetime:
    return datetime.fromtimestamp(int(place.stat().st_mtime))


def _stated_date(place: Path) -> datetime | None:
    """Date of an Imaris file."""
    if place.suffix.lower() != ".ims":
        return None
    from brickfield.sources.hdf5 import HDF5_LOCK, open_file, text_attribute

    shared = open_file(place)
    try:
        with HDF5_LOCK:
            group = shared.file.get("DataSetInfo/Image")
            text = (
                None if group is None else text_attribute(group.attrs, "RecordingDate")
            )
        return datetime.fromisoformat(text) if text else None
    except (ValueError, AttributeError):
        return None
    finally:
        shared.close()


def sections(
    image: ImarisInput,
    options: ImarisOptions,
    space: Space,
    times: Sequence[datetime],
    looks: Sequence[ChannelLook],
) -> dict[str, dict[str, str]]:
    """Return all groups of ``DataSetInfo`` and their texts.

    Parameters
    ----------
    image : ImarisInput
    options : ImarisOptions
    space : Space
    times : sequence of datetime
        Of each time point.
    looks : sequence of ChannelLook
        One per channel.
    """
    found = {
        "ImarisDataSet": {
            "Creator": _CREATOR,
            "NumberOfImages": "1",
            "Version": version("napari-brickfield"),
        },
        "Log": {"Entries": "0"},
        "Image": _image(image, options, space, times[0], looks),
        "TimeInfo": _time_info(times),
    }
    for number, look in enumerate(looks):
        found[f"Channel {number}"] = look.texts()
    return found


@dataclass(frozen=True)
class ChannelLook:
    """How a channel is named and drawn.

    Attributes
    ----------
    name : str
    color : tuple of int
        Red, green, blue, 0 to 255.
    window : (float, float)
        In values of the file.
    change : ValueChange
    """

    name: str
    color: tuple[int, int, int]
    window: tuple[float, float]
    change: ValueChange

    def texts(self) -> dict[str, str]:
        """Return the attributes of its group."""
        low, high = (_number(v) for v in self.window)
        shifted = self.change.how in ("shifted", "scaled")
        return {
            "Name": f"{self.name} ({self.change.text})" if shifted else self.name,
            "Description": self.change.text or "(description not specified)",
            "Color": " ".join(f"{v / 255:.3f}" for v in self.color),
            "ColorMode": "BaseColor",
            "ColorOpacity": "1.000",
            "ColorRange": f"{low} {high}",
            "GammaCorrection": "1.000",
        }


def changed_window(
    window: tuple[float, float] | None, change: ValueChange
) -> tuple[float, float] | None:
    """Convert a contrast window from values of the source to values of the file.

    Parameters
    ----------
    window : tuple of float or None
    change : ValueChange
        How values are converted.
    """
    if window is None:
        return None
    if change.how == "shifted":
        return (window[0] + change.offset, window[1] + change.offset)
    if change.how == "scaled":
        return (0.0, float(np.iinfo(change.target).max))
    return window


def _image(
    image: ImarisInput,
    options: ImarisOptions,
    space: Space,
    start: datetime,
    looks: Sequence[ChannelLook],
) -> dict[str, str]:
    told = [
        options.description,
        *(f"{k.name}: {k.change.text}" for k in looks if k.change.text),
    ]
    found = {
        "Name": image.name,
        "Description": "\n".join(t for t in told if t) or "(description not specified)",
        "Unit": space.unit,
        "RecordingDate": _date(start),
    }
    for i, (n, low, high) in enumerate(
        reversed(list(zip(image.shape, space.low, space.high, strict=True)))
    ):
        found["XYZ"[i]] = str(n)
        digits = _digits((high - low) / n)
        found[f"ExtMin{i}"] = f"{low:.{digits}f}"
        found[f"ExtMax{i}"] = f"{high:.{digits}f}"
        found[f"ResampleDimension{'XYZ'[i]}"] = "true"
    return found


def _digits(voxel_size: float) -> int:
    """Return decimal places: the reference's 9, more where voxels are small in the unit."""
    return max(9, 6 - floor(log10(voxel_size)))


def _time_info(times: Sequence[datetime]) -> dict[str, str]:
    n = str(len(times))
    found = {"DatasetTimePoints": n, "FileTimePoints": n}
    return found | {f"TimePoint{i}": _date(t) for i, t in enumerate(times, start=1)}


def _date(time: datetime) -> str:
    plain = time.replace(tzinfo=None)
    return f"{plain:%Y-%m-%d %H:%M:%S}.{plain.microsecond // 1000:03d}"


def _number(value: Any) -> str:
    """Write a number with three digits, or as many as it needs."""
    text = f"{value:.3f}"
    return text if abs(float(text) - value) <= 1e-6 * abs(value) else f"{value:.9g}"
