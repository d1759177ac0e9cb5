"""BigDataViewer data (``.xml`` with HDF5 or N5) as a source: t, c, z, y, x.

View setups of equal size and registration are channels of one image; every other
group of setups is a series of its own. A level's voxels are its factors times as
large, and its voxel 0 lies (factor - 1) / 2 fine voxels further in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from brickfield.errors import StoreFormatError, StoreNotFoundError
from brickfield.model import (
    AffineTransform,
    Axis,
    Channel,
    Finding,
    ImageInfo,
    Int3,
    Pyramid,
)
from brickfield.sources.arrays.stored import AssembledSource, identity_of
from brickfield.sources.bdv.loaders import BdvLoader, SetupLevels, open_loader
from brickfield.sources.bdv.xml import SpimData, ViewSetup, parse
from brickfield.sources.boundary import series_index
from brickfield.sources.geometry import aligned_geometry, make_level
from brickfield.sources.hdf5 import imaris as imaris_file
from brickfield.sources.identity import data_identity
from brickfield.sources.io.location import locate
from brickfield.sources.io.named_places import Root, resolve_named
from brickfield.sources.io.plain_files import local_path, read_head, read_whole
from brickfield.sources.io.store_files import read_many
from brickfield.sources.places import place_of_uri
from brickfield.sources.protocol import ArrayHeader, StoredArray

_HEAD_BYTES = 1 << 14


def matches(uri: str) -> bool:
    """Whether a local XML file begins as SpimData."""
    text = str(uri)
    if not text.lower().endswith(".xml"):
        return False
    # Not fetched to look into it: the order in which formats are tried would then cost
    # a request for each address that ends so.
    if "://" in text and not text.startswith("file://"):
        return True
    try:
        return b"<SpimData" in read_head(local_path(text), _HEAD_BYTES)
    except (OSError, StoreFormatError):
        return False


def open_source(
    uri: str,
    *,
    series: int | str | None = None,
    treat_403_as_missing: bool = False,
    follow_links: bool = False,
) -> AssembledSource:
    """Open a BigDataViewer dataset.

    Parameters
    ----------
    uri : str
        The XML file, local or remote (remote with N5 data).
    series : int, str or None
        One of ``info.series``; the first by default.
    treat_403_as_missing : bool
        Take a server's refusal of a chunk for "nothing is stored".
    follow_links : bool
        Let a local XML file name other folders and hosts.

    Raises
    ------
    StoreNotFoundError, StoreAccessError, StoreFormatError, StoreUnreachableError
    OptionError
    """
    data, folder, identity = _read_xml(str(uri))
    if data.loader == "bdv.imaris":
        return _imaris(data, folder, str(uri), follow_links=follow_links)
    groups = _groups(data.setups)
    names = _series_names(groups)
    chosen = series_index(names, series, where=str(uri))
    loader = open_loader(
        data,
        folder,
        document=str(uri),
        denied_is_missing=treat_403_as_missing,
        follow_links=follow_links,
    )
    try:
        image = _Image(data, loader, groups[chosen])
        pyramid = image.pyramid()
    except BaseException:
        loader.close()
        raise
    info = ImageInfo(
        uri=str(uri),
        format=f"BigDataViewer ({data.loader})",
        name=Path(str(uri)).stem,
        pyramid=pyramid,
        channels=tuple(Channel(s.name) for s in image.setups),
        series=tuple(names) if len(names) > 1 else (),
        findings=tuple(_findings(data, names, image, is_asked=series is not None)),
        placement=image.setups[0].placement,
        is_in_scene=len(names) > 1 or bool(data.moves),
    )
    own = [p for p in (place_of_uri(str(uri)),) if p is not None]
    return AssembledSource(
        info,
        f"{identity}|{data_identity(*loader.watched())}|{names[chosen]}",
        image.find_part,
        n_spread=2,
        places=lambda: [*own, *loader.places()],
        close=loader.close,
        is_remote=loader.is_remote,
    )


@dataclass(frozen=True, slots=True)
class BdvView:
    """Where one image of a project lies.

    Attributes
    ----------
    name : str
        Unlike that of any other view of the project.
    series : str
        What opens it.
    matrix : AffineTransform
        From voxel index of level 0 (z, y, x) to world.
    shape : tuple of int or None
        Voxels (z, y, x), if the XML says so.
    time : int or None
        Index of the time point that it lies so at; None for all.
    """

    name: str
    series: str
    matrix: AffineTransform
    shape: Int3 | None
    time: int | None = None


def list_views(uri: str) -> list[BdvView]:
    """List the images of a project, from the XML file alone.

    An image whose registration changes with time is listed once for each time point.

    Raises
    ------
    StoreNotFoundError, StoreFormatError, StoreUnreachableError
    """
    data = _read_xml(str(uri))[0]
    views = []
    for series, group in groups_by_series(data):
        setup = group[0]
        box = AffineTransform.from_scale(setup.voxel_size, setup.translation)
        still = box if setup.placement is None else setup.placement @ box
        if setup.number not in data.moves:
            views.append(BdvView(series, series, still, setup.shape))
            continue
        for i, time in enumerate(data.times):
            # BigStitcher lists views that were never recorded; they have registrations
            # all the same.
            if (time, setup.number) in data.missing:
                continue
            matrix = data.matrices.get((time, setup.number), still)
            views.append(BdvView(f"{series} t{time}", series, matrix, setup.shape, i))
    return views


def _imaris(
    data: SpimData, folder: str, uri: str, *, follow_links: bool
) -> AssembledSource:
    """Open the Imaris file that an XML file names, where that file says it lies."""
    root = Root.of_description(uri, folder, follow=follow_links)
    named = resolve_named(root, data.whole_place)
    source = imaris_file.open_source(named.place, follow_links=follow_links)
    finding = Finding(
        "info",
        "bdv-imaris",
        "SequenceDescription.ImageLoader",
        "expected data of BigDataViewer; found an Imaris file: opened that, with the"
        " place that it states itself; registrations of the XML file are not applied",
    )
    # The registrations of the XML file would be applied to a place that the Imaris file
    # already has in itself.
    source.info = replace(
        source.info, uri=uri, findings=(*source.info.findings, finding)
    )
    return source


def read_document(uri: str) -> tuple[SpimData, bytes]:
    """Read a project: what it says, and its text.

    Raises
    ------
    StoreNotFoundError, StoreFormatError, StoreUnreachableError
    """
    text, place, _, _ = _text_of(uri)
    return parse(text, place), text


def groups_by_series(data: SpimData) -> list[tuple[str, list[ViewSetup]]]:
    """Return the setups of each image of a project, with what opens it."""
    groups = _groups(data.setups)
    return list(zip(_series_names(groups), groups, strict=True))


def _read_xml(uri: str) -> tuple[SpimData, str, str]:
    """Parsed XML, the folder that holds it, and an identity."""
    text, place, folder, identity = _text_of(uri)
    return parse(text, place), folder, identity


def _text_of(uri: str) -> tuple[bytes, str, str, str]:
    """Text of the XML, its place, the folder that holds it, and an identity."""
    if "://" in uri and not uri.startswith("file://"):
        head, _, name = uri.rpartition("/")
        text = read_many(locate(head), [name], page_is_missing=False)[name]
        if text is None:
            msg = f"expected a file at {uri}; found nothing: check the address"
            raise StoreNotFoundError(msg)
        return text, uri, head, uri
    path = local_path(uri).absolute()
    try:
        text = read_whole(path)
    except OSError as error:
        msg = f"expected a readable XML file at {path}; found: {error.strerror}"
        raise StoreNotFoundError(msg) from error
    return text, str(path), str(path.parent), identity_of(path)


def _groups(setups: Sequence[ViewSetup]) -> list[list[ViewSetup]]:
    """Setups that can be channels of one image, in the order of the file."""
    groups: dict[object, list[ViewSetup]] = {}
    for setup in setups:
        # The numbers come from decimal text, which two programs round differently.
        where = tuple(np.round([*setup.voxel_size, *setup.translation], 9))
        # A size is optional in the XML file; without one nothing says that setups are
        # alike.
        alone = setup.number if setup.shape is None else None
        key = (setup.shape, where, setup.placement, setup.unit, alone)
        groups.setdefault(key, []).append(setup)
    return list(groups.values())


def _series_names(groups: list[list[ViewSetup]]) -> list[str]:
    names = [group[0].name for group in groups]
    if len(set(names)) < len(names):
        return [f"setup{group[0].number}" for group in groups]
    return names


def _findings(
    data: SpimData, names: list[str], image: _Image, *, is_asked: bool
) -> list[Finding]:
    found = list(image.findings)
    for setup in image.setups:
        if setup.is_unusable:
            text = (
                "expected affine maps of 12 finite numbers that can be inverted; found"
                " others: only the voxel size of the view is used"
            )
            path = f"ViewRegistrations/setup {setup.number}"
            found.append(Finding("error", "unusable-registration", path, text))
        if setup.number in data.moves:
            text = (
                "expected one registration for all times; found several: the first is"
                " used"
            )
            path = f"ViewRegistrations/setup {setup.number}"
            found.append(Finding("warning", "moving-registration", path, text))
    if len(names) > 1 and not is_asked:
        text = f"expected one image; found {len(names)}: {names[0]} was opened"
        found.append(Finding("info", "several-images", "ViewSetups", text))
    return found


@dataclass
class _Image:
    """Setups of one image, opened by a loader. Parts may be found in any thread."""

    data: SpimData
    loader: BdvLoader
    setups: list[ViewSetup]

    def __post_init__(self) -> None:
        self.findings: list[Finding] = []
        self._found: dict[tuple[int, int, int], StoredArray | None] = {}
        # The XML file says that they are alike; the arrays are compared, since they are
        # what is read as one image.
        first, *others = self.setups
        self.levels = self._levels_of(first)
        kept = [first]
        for setup in others:
            try:
                is_alike = self._levels_of(setup).is_alike(self.levels)
            except (StoreFormatError, StoreNotFoundError) as error:
                self._leave_out(setup, str(error))
                continue
            if is_alike:
                kept.append(setup)
            else:
                text = "expected the shapes, chunks and data type of the first channel"
                self._leave_out(setup, f"{text}; found others")
        self.setups = kept

    def _leave_out(self, setup: ViewSetup, text: str) -> None:
        path = f"ViewSetups/setup {setup.number}"
        self.findings.append(Finding("error", "no-channel", path, f"{text}: left out"))

    def _levels_of(self, setup: ViewSetup) -> SetupLevels:
        times = (
            t for t in self.data.times if (t, setup.number) not in self.data.missing
        )
        time = next(times, None)
        if time is None:
            msg = f"expected an image of setup {setup.number}; found all marked missing"
            raise StoreFormatError(msg)
        return self.loader.levels(time, setup.number)

    def pyramid(self) -> Pyramid:
        """Levels with their geometry."""
        setup = self.setups[0]
        spread = (len(self.data.times), len(self.setups))
        axes = (
            Axis("t", "time"),
            Axis("c", "channel"),
            *(Axis(name, "space", setup.unit) for name in "zyx"),
        )
        # Factors of the format count voxels of level 0, not of the level before.
        size0 = (1.0, 1.0, *setup.voxel_size)
        shift0 = (0.0, 0.0, *setup.translation)
        levels = []
        for number, array in enumerate(self.levels.arrays):
            factors = (1.0, 1.0, *self.levels.factors[number])
            size, shift = aligned_geometry(size0, shift0, factors)
            level = make_level(
                self.loader.path(self.data.times[0], setup.number, number),
                ArrayHeader.of(array, spread),
                axes,
                voxel_size=size,
                translation=shift,
            )
            levels.append(level)
        return Pyramid(axes, tuple(levels))

    def find_part(self, level: int, lead: tuple[int, ...]) -> StoredArray | None:
        """Array of a level, time and channel; None when the view is missing."""
        time, setup = self.data.times[lead[0]], self.setups[lead[1]].number
        if (time, setup) in self.data.missing:
            return None
        key = (level, time, setup)
        # Missing arrays too: each lookup is an HDF5 call or a request.
        if key not in self._found:
            self._found[key] = self.loader.array(time, setup, level)
        return self._found[key]
