"""The XML of BigDataViewer (SpimData): views, times and registrations.

Pure: text in, values out. A registration is a list of affine maps (x, y, z) of
which the last one listed is applied first. :class:`ViewSetup` gives the composed
map as a voxel size and a translation in z, y, x order; a map that rotates, shears
or flips cannot be given so, and is kept as text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePosixPath
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import StoreFormatError
from brickfield.model import Int3, Vec3

MOST_TIMES = 1_000_000
"""Time points that one file may have."""


@dataclass(frozen=True, slots=True)
class ViewSetup:
    """One camera, channel, angle or tile.

    Attributes
    ----------
    number : int
    name : str
    shape : tuple of int or None
        Voxels (z, y, x), if the XML says so.
    voxel_size, translation : tuple of float
        Of level 0, (z, y, x), world units: the scale part of the registration.
    unit : str or None
    oblique : tuple of float or None
        The whole map, 12 values in the order of the file, when it is not diagonal.
    """

    number: int
    name: str
    shape: Int3 | None
    voxel_size: Vec3
    translation: Vec3
    unit: str | None
    oblique: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class SpimData:
    """What an XML file says.

    Attributes
    ----------
    loader : str
        Format of the image loader, for example ``"bdv.hdf5"``.
    place : str
        Path or URL of the data as written, relative to `base` unless absolute.
    base : str
        Base path, relative to the XML file.
    times : tuple of int
    setups : tuple of ViewSetup
    missing : frozenset of (time, setup)
    moves : tuple of int
        Setups whose registration changes with time (the first one is used).
    """

    loader: str
    place: str
    base: str
    times: tuple[int, ...]
    setups: tuple[ViewSetup, ...]
    missing: frozenset[tuple[int, int]]
    moves: tuple[int, ...]

    @property
    def whole_place(self) -> str:
        """Path or URL of the data, relative to the XML file unless absolute."""
        is_absolute = "://" in self.place or PurePosixPath(self.place).is_absolute()
        base = "" if is_absolute or self.base in {"", "."} else f"{self.base}/"
        return f"{base}{self.place}"


def parse(text: bytes, where: str) -> SpimData:
    """Read an XML file's content.

    Parameters
    ----------
    text : bytes
        Content of the file.
    where : str
        Its path, for messages.

    Raises
    ------
    StoreFormatError
        If it is no XML, no SpimData, or lacks loader, times or setups.
    """
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        msg = f"expected SpimData in {where}; found a document type: remove it"
        raise StoreFormatError(msg)
    try:
        root = ET.fromstring(text)  # noqa: S314 - entities were refused just before
    except ET.ParseError as error:
        msg = f"expected XML in {where}; found something else: {error}"
        raise StoreFormatError(msg) from error
    sequence = root.find("SequenceDescription")
    loader = None if sequence is None else sequence.find("ImageLoader")
    if root.tag != "SpimData" or sequence is None or loader is None:
        msg = f"expected SpimData with an ImageLoader in {where}; found <{root.tag}>"
        raise StoreFormatError(msg)
    place = next((e.text.strip() for e in loader if e.text and e.text.strip()), "")
    try:
        times = tuple(islice(_times(sequence), MOST_TIMES + 1))
        missing = frozenset(_missing(sequence))
        maps = _registrations(root)
        setups = tuple(
            _setup(element, maps, times)
            for element in sequence.iterfind("ViewSetups/ViewSetup")
        )
    except (ValueError, TypeError) as error:
        msg = f"expected numbers in {where}; found: {error}"
        raise StoreFormatError(msg) from error
    if not 0 < len(times) <= MOST_TIMES or not setups or not place:
        msg = (
            f"expected a place, 1 to {MOST_TIMES} time points and view setups in"
            f" {where}; found {place!r:.200}, {len(times)} and {len(setups)}"
        )
        raise StoreFormatError(msg)
    return SpimData(
        loader=loader.get("format", ""),
        place=place,
        base=(root.findtext("BasePath") or ".").strip(),
        times=times,
        setups=setups,
        missing=missing,
        moves=tuple(s.number for s in setups if _moves(s.number, maps)),
    )


def _times(sequence: ET.Element) -> Iterator[int]:
    element = sequence.find("Timepoints")
    if element is None:
        return
    kind = element.get("type")
    if kind == "range":
        first = int(element.findtext("first") or 0)
        yield from range(first, int(element.findtext("last") or first) + 1)
    elif kind == "pattern":
        for part in (element.findtext("integerpattern") or "").split(","):
            span, _, step = part.strip().partition(":")
            low, _, high = span.partition("-")
            yield from range(int(low), int(high or low) + 1, int(step or 1))
    else:
        for child in element.iter("Timepoint"):
            yield int(child.findtext("id") or 0)


def _missing(sequence: ET.Element) -> Iterator[tuple[int, int]]:
    for view in sequence.iterfind("MissingViews/MissingView"):
        yield int(view.get("timepoint", -1)), int(view.get("setup", -1))


def _registrations(
    root: ET.Element,
) -> dict[tuple[int, int], NDArray[np.float64]]:
    maps: dict[tuple[int, int], NDArray[np.float64]] = {}
    for view in root.iterfind("ViewRegistrations/ViewRegistration"):
        whole = np.eye(4)
        for transform in view.iterfind("ViewTransform"):
            values = np.array((transform.findtext("affine") or "").split(), np.float64)
            if values.shape == (12,) and np.isfinite(values).all():
                whole = whole @ np.vstack([values.reshape(3, 4), [0, 0, 0, 1]])
        maps[int(view.get("timepoint", 0)), int(view.get("setup", 0))] = whole
    return maps


def _setup(
    element: ET.Element,
    maps: dict[tuple[int, int], NDArray[np.float64]],
    times: tuple[int, ...],
) -> ViewSetup:
    number = int(element.findtext("id") or 0)
    size = _triple(element.findtext("size"))
    voxel = _triple(element.findtext("voxelSize/size"))
    unit = (element.findtext("voxelSize/unit") or "").strip()
    known = (maps[t, number] for t in times if (t, number) in maps)
    whole = next(known, None)
    if whole is None:
        whole = np.diag([*(voxel or (1.0, 1.0, 1.0)), 1.0])
    linear = whole[:3, :3]
    scale = np.linalg.norm(linear, axis=0)
    scale[scale == 0] = 1.0
    is_plain = np.allclose(linear, np.diag(scale), atol=1e-9 * float(scale.max()))
    return ViewSetup(
        number=number,
        name=(element.findtext("name") or "").strip() or f"setup{number}",
        shape=None if size is None else _reversed_counts(size),
        voxel_size=(float(scale[2]), float(scale[1]), float(scale[0])),
        translation=(float(whole[2, 3]), float(whole[1, 3]), float(whole[0, 3])),
        unit=unit or None,
        oblique=None if is_plain else tuple(whole[:3].ravel().tolist()),
    )


def _reversed_counts(size: Vec3) -> Int3:
    x, y, z = (int(v) for v in size)
    return (z, y, x)


def _triple(text: str | None) -> Vec3 | None:
    values = [float(v) for v in (text or "").split()]
    if len(values) != 3 or not np.isfinite(values).all() or min(values) <= 0:
        return None
    return (values[0], values[1], values[2])


def _moves(number: int, maps: dict[tuple[int, int], NDArray[np.float64]]) -> bool:
    own = [m for (_, s), m in maps.items() if s == number]
    return any(not np.allclose(m, own[0]) for m in own[1:])
