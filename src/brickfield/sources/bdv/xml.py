"""The XML of BigDataViewer (SpimData): views, times and registrations.

Pure: text in, values out. A registration is a list of affine maps (x, y, z) of
which the last one listed is applied first. :class:`ViewSetup` gives the composed
map as a voxel size and a translation in z, y, x order, and what rotates, shears or
flips as a placement besides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import PurePosixPath
from xml.etree import ElementTree as ET

import numpy as np

from brickfield.errors import StoreFormatError
from brickfield.model import AffineTransform, Int3, Vec3
from brickfield.sources.bdv.maps import View, ViewMaps

MOST_TIMES = 1_000_000
"""Time points that one file may have."""
MOST_VIEWS = 10_000_000
"""Time points times setups that one file may have."""


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
    placement : AffineTransform or None
        What turns, shears or mirrors the view, applied after voxel size and
        translation; None when the registration does not.
    is_unusable : bool
        Whether the registration is left out: at every time it maps the view onto a
        plane, or some of its numbers are none.
    attributes : tuple of (str, str, str)
        Kind, id and name of what it is one of: tile, angle, illumination, channel.
    """

    number: int
    name: str
    shape: Int3 | None
    voxel_size: Vec3
    translation: Vec3
    unit: str | None
    placement: AffineTransform | None = None
    is_unusable: bool = False
    attributes: tuple[tuple[str, str, str], ...] = ()

    def named(self, kind: str) -> str | None:
        """Return the name of the tile, angle, illumination or channel; None without.

        Parameters
        ----------
        kind : str
        """
        return next((name for k, _, name in self.attributes if k == kind), None)


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
    matrices : dict of (time, setup) to AffineTransform
        From voxel index (z, y, x) to world, of every view whose registration is usable.
    unregistered : frozenset of (time, setup)
        Views without a registration although other times of the setup have one.
    groups : dict of (time, setup) to (str, tuple of int)
        Of an OME-Zarr loader: path of each view's image, and its index on the image's
        channel and time axis.
    """

    loader: str
    place: str
    base: str
    times: tuple[int, ...]
    setups: tuple[ViewSetup, ...]
    missing: frozenset[tuple[int, int]]
    moves: tuple[int, ...]
    matrices: dict[tuple[int, int], AffineTransform] = field(default_factory=dict)
    unregistered: frozenset[tuple[int, int]] = frozenset()
    groups: dict[tuple[int, int], tuple[str, tuple[int, ...]]] = field(
        default_factory=dict
    )

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
    root = _root_of(text, where)
    sequence = root.find("SequenceDescription")
    loader = None if sequence is None else sequence.find("ImageLoader")
    if root.tag != "SpimData" or sequence is None or loader is None:
        msg = f"expected SpimData with an ImageLoader in {where}; found <{root.tag}>"
        raise StoreFormatError(msg)
    place = _place_of(loader)
    try:
        times = tuple(islice(_times(sequence), MOST_TIMES + 1))
        missing = frozenset(_missing(sequence))
        maps = ViewMaps.of(_registrations(root))
        setups = tuple(_setups(sequence, maps, times))
        groups = dict(_zarr_groups(loader))
    except (ValueError, TypeError) as error:
        msg = f"expected numbers in {where}; found: {error}"
        raise StoreFormatError(msg) from error
    if not 0 < len(times) <= MOST_TIMES or not setups or not place:
        msg = (
            f"expected a loader with a place, 1 to {MOST_TIMES} time points and view"
            f" setups in {where}; found the loader {loader.get('format', '')!r:.80} with"
            f" {place!r:.200}, {len(times)} and {len(setups)}"
        )
        raise StoreFormatError(msg)
    _expect_few(times, setups, where)
    moving = maps.moving()
    return SpimData(
        loader=loader.get("format", ""),
        place=place,
        base=(root.findtext("BasePath") or ".").strip(),
        times=times,
        setups=setups,
        missing=missing,
        moves=tuple(s.number for s in setups if s.number in moving),
        matrices=maps.usable(),
        unregistered=_unregistered(maps, times, setups) - missing,
        groups=groups,
    )


def _expect_few(
    times: tuple[int, ...], setups: tuple[ViewSetup, ...], where: str
) -> None:
    if len(times) * len(setups) > MOST_VIEWS:
        msg = (
            f"expected at most {MOST_VIEWS} views in {where}; found {len(times)} time"
            f" points of {len(setups)} setups: split the project"
        )
        raise StoreFormatError(msg)


def _root_of(text: bytes, where: str) -> ET.Element:
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        msg = f"expected SpimData in {where}; found a document type: remove it"
        raise StoreFormatError(msg)
    try:
        return ET.fromstring(text)  # noqa: S314 - entities were refused just before
    except ET.ParseError as error:
        msg = f"expected XML in {where}; found something else: {error}"
        raise StoreFormatError(msg) from error


def _place_of(loader: ET.Element) -> str:
    """Return where the data are: path or URL."""
    bucket = (loader.findtext("s3bucket") or "").strip()
    texts = (e.text.strip() for e in loader if e.text and e.tag != "s3bucket")
    place = next((text for text in texts if text), "")
    return f"s3://{bucket}/{place.strip('/')}" if bucket and place else place


def _attribute_names(sequence: ET.Element) -> dict[tuple[str, str], str]:
    """Read what tiles, angles, illuminations and channels are called."""
    found = {}
    for group in sequence.iterfind("ViewSetups/Attributes"):
        kind = (group.get("name") or "").lower()
        for item in group:
            number = (item.findtext("id") or "").strip()
            found[kind, number] = (item.findtext("name") or "").strip() or number
    return found


def _setups(
    sequence: ET.Element, maps: ViewMaps, times: tuple[int, ...]
) -> Iterator[ViewSetup]:
    known = _attribute_names(sequence)
    firsts = maps.firsts(times)
    for element in sequence.iterfind("ViewSetups/ViewSetup"):
        number = int(element.findtext("id") or 0)
        size = _triple(element.findtext("size"))
        unit = (element.findtext("voxelSize/unit") or "").strip()
        row = firsts.get(number)
        if row is None:
            voxel = _triple(element.findtext("voxelSize/size")) or (1.0, 1.0, 1.0)
            voxel, shift, placement = voxel[::-1], (0.0, 0.0, 0.0), None
        else:
            voxel, shift, placement = maps.parted(row)
        yield ViewSetup(
            number=number,
            name=(element.findtext("name") or "").strip() or f"setup{number}",
            shape=None if size is None else _reversed_counts(size),
            voxel_size=voxel,
            translation=shift,
            unit=unit or None,
            placement=placement,
            is_unusable=number in firsts and row is None,
            attributes=_attributes(element, known),
        )


def _attributes(
    element: ET.Element, known: dict[tuple[str, str], str]
) -> tuple[tuple[str, str, str], ...]:
    found = element.find("attributes")
    items = [(i.tag.lower(), (i.text or "").strip()) for i in found or ()]
    return tuple((kind, n, known.get((kind, n), n)) for kind, n in items if n)


def _zarr_groups(
    loader: ET.Element,
) -> Iterator[tuple[tuple[int, int], tuple[str, tuple[int, ...]]]]:
    for group in loader.iterfind("zgroups/zgroup"):
        time = int(group.get("tp") or group.get("timepoint") or 0)
        path = (group.get("path") or group.findtext("path") or "").strip().strip("/")
        # So spelled by BigStitcher.
        text = group.get("indicies") or group.get("indices") or ""
        index = tuple(int(v) for v in text.replace(",", " ").strip("[] ").split())
        yield (time, int(group.get("setup") or 0)), (path, index)


def _unregistered(
    maps: ViewMaps, times: tuple[int, ...], setups: tuple[ViewSetup, ...]
) -> frozenset[View]:
    some = {setup for _, setup in maps.rows}
    numbers = [s.number for s in setups if s.number in some]
    if len(maps.rows) >= len(times) * len(numbers):
        return frozenset()
    return frozenset((t, n) for t in times for n in numbers if (t, n) not in maps.rows)


def _registrations(root: ET.Element) -> Iterator[tuple[View, list[str]]]:
    for view in root.iterfind("ViewRegistrations/ViewRegistration"):
        texts = [t.findtext("affine") or "" for t in view.iterfind("ViewTransform")]
        yield (int(view.get("timepoint", 0)), int(view.get("setup", 0))), texts


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


def _reversed_counts(size: Vec3) -> Int3:
    x, y, z = (int(v) for v in size)
    return (z, y, x)


def _triple(text: str | None) -> Vec3 | None:
    values = [float(v) for v in (text or "").split()]
    if len(values) != 3 or not np.isfinite(values).all() or min(values) <= 0:
        return None
    return (values[0], values[1], values[2])
