"""BigDataViewer data (``.xml`` with HDF5 or N5) as a source: t, c, z, y, x.

View setups of equal size and registration are channels of one image; every other
group of setups is a series of its own. A level's voxels are its factors times as
large, and its voxel 0 lies (factor - 1) / 2 fine voxels further in.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from brickfield.errors import StoreFormatError, StoreNotFoundError
from brickfield.model import (
    AffineTransform,
    Channel,
    Finding,
    ImageInfo,
)
from brickfield.sources.arrays.stored import AssembledSource, identity_of
from brickfield.sources.bdv.image import BdvImage
from brickfield.sources.bdv.loaders import open_loader
from brickfield.sources.bdv.protocol import BdvLoader, SetupLevels
from brickfield.sources.bdv.views import groups_by_series, unusable
from brickfield.sources.bdv.xml import SpimData, ViewSetup, parse
from brickfield.sources.boundary import series_index
from brickfield.sources.hdf5 import imaris as imaris_file
from brickfield.sources.identity import data_identity
from brickfield.sources.io.location import locate
from brickfield.sources.io.named_places import Root, resolve_named
from brickfield.sources.io.plain_files import local_path, read_head, read_whole
from brickfield.sources.io.store_files import read_many
from brickfield.sources.places import place_of_uri

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
    project = BdvProject(
        str(uri), treat_403_as_missing=treat_403_as_missing, follow_links=follow_links
    )
    return project.open(series)


class BdvProject:
    """A dataset that is read once, and whose images open one by one. Any thread.

    Setups of one size are taken to have the levels of the first one that was opened;
    that is made sure of when a voxel of a level is first wanted.

    Parameters
    ----------
    uri : str
        The XML file, local or remote (remote with N5 or OME-Zarr data).
    treat_403_as_missing : bool
        Take a server's refusal of a chunk for "nothing is stored".
    follow_links : bool
        Let a local XML file name other folders and hosts.

    Raises
    ------
    StoreNotFoundError, StoreFormatError, StoreUnreachableError
    """

    def __init__(
        self,
        uri: str,
        *,
        treat_403_as_missing: bool = False,
        follow_links: bool = False,
    ) -> None:
        self._uri = uri
        self.data, self._folder, self._identity = _read_xml(uri)
        self._denied_is_missing = treat_403_as_missing
        self._follow_links = follow_links
        self.groups = groups_by_series(self.data)
        self._names = [name for name, _ in self.groups]
        self._groups = [group for _, group in self.groups]
        self._lock = threading.Lock()
        self._levels: dict[object, SetupLevels] = {}
        self._unlike: set[int] = set()
        self._loader: BdvLoader | None = None
        self._n_open = 0

    def open(self, series: int | str | None = None) -> AssembledSource:
        """Open one of its images.

        Parameters
        ----------
        series : int, str or None
            One of ``info.series``; the first by default.

        Raises
        ------
        StoreNotFoundError, StoreAccessError, StoreFormatError, StoreUnreachableError
        OptionError
        """
        data, uri = self.data, self._uri
        if data.loader == "bdv.imaris":
            return _imaris(data, self._folder, uri, follow_links=self._follow_links)
        chosen = series_index(self._names, series, where=uri)
        loader = self._begin()
        try:
            image = self._image(loader, self._groups[chosen])
            pyramid = image.pyramid()
        except BaseException:
            self._end()
            raise
        names = self._names
        info = ImageInfo(
            uri=uri,
            format=f"BigDataViewer ({data.loader})",
            name=Path(uri).stem,
            pyramid=pyramid,
            channels=_channels_of(image.setups),
            series=tuple(names) if len(names) > 1 else (),
            findings=tuple(_findings(data, names, image, is_asked=series is not None)),
            placement=image.setups[0].placement,
            is_in_scene=len(names) > 1 or bool(data.moves),
        )
        own = [p for p in (place_of_uri(uri),) if p is not None]
        watched = data_identity(*loader.watched())
        return AssembledSource(
            info,
            f"{self._identity}|{watched}|{names[chosen]}",
            image.find_part,
            n_spread=2,
            places=lambda: [*own, *loader.places()],
            close=self._end,
            is_remote=loader.is_remote,
        )

    def _image(self, loader: BdvLoader, setups: list[ViewSetup]) -> BdvImage:
        first = setups[0]
        key = first.shape
        is_alike = key is not None and first.number not in self._unlike
        with self._lock:
            known = self._levels.get(key) if is_alike else None
        image = BdvImage(self.data, loader, setups, known, self._unlike.add)
        if known is None and is_alike:
            with self._lock:
                self._levels.setdefault(key, image.levels)
        return image

    def _begin(self) -> BdvLoader:
        """Open what the file names, unless another image has."""
        with self._lock:
            if self._loader is None:
                self._loader = open_loader(
                    self.data,
                    self._folder,
                    document=self._uri,
                    denied_is_missing=self._denied_is_missing,
                    follow_links=self._follow_links,
                )
            self._n_open += 1
            return self._loader

    def _end(self) -> None:
        """Close what the file names with its last image."""
        with self._lock:
            self._n_open -= 1
            loader = None
            if not self._n_open:
                loader, self._loader = self._loader, None
                self._levels.clear()
        if loader is not None:
            loader.close()


def _imaris(
    data: SpimData, folder: str, uri: str, *, follow_links: bool
) -> AssembledSource:
    """Open the Imaris file that an XML file names, where its registrations put it."""
    root = Root.of_description(uri, folder, follow=follow_links)
    named = resolve_named(root, data.whole_place)
    source = imaris_file.open_source(named.place, follow_links=follow_links)
    text = (
        "expected data of BigDataViewer; found an Imaris file: opened that, where the"
        " registrations of the XML file put it"
    )
    where = "SequenceDescription.ImageLoader"
    findings = [Finding("info", "bdv-imaris", where, text)]
    setups = {s.number: s for s in data.setups}
    first = data.setups[0]
    matrix = data.matrices.get((data.times[0], first.number))
    if matrix is None:
        findings += [unusable(first, "it lies where the Imaris file says")]
    elif any(
        not _is_same(matrix, m) for (_, n), m in data.matrices.items() if n in setups
    ):
        told = "expected one registration for all channels and times; found several"
        text = f"{told}: the first is used"
        findings.append(Finding("warning", "moving-registration", where, text))
    info = replace(source.info, uri=uri, findings=(*source.info.findings, *findings))
    if matrix is not None and not _is_same(matrix, info.world):
        box = AffineTransform.of_level(info.pyramid.levels[0])
        info = replace(info, placement=matrix @ box.inverse)
    source.info = info
    # The description is read, too: it must not be written over either.
    own = [p for p in (place_of_uri(uri),) if p is not None]
    places = source.places
    source.places = lambda: (*own, *places())  # type: ignore[method-assign]
    return source


def _is_same(one: AffineTransform, other: AffineTransform) -> bool:
    """Whether two maps differ by rounding alone."""
    size = np.abs(one.matrix[:3]).max()
    return bool(np.abs(one.matrix - other.matrix).max() <= 1e-6 * size)


def read_document(uri: str) -> tuple[SpimData, bytes]:
    """Read a project: what it says, and its text.

    Raises
    ------
    StoreNotFoundError, StoreFormatError, StoreUnreachableError
    """
    text, place, _, _ = _text_of(uri)
    return parse(text, place), text


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


def _channels_of(setups: Sequence[ViewSetup]) -> tuple[Channel, ...]:
    """Name channels as the file names them; where it does not, as their setups."""
    names = [s.named("channel") for s in setups]
    is_told = None not in names and len(set(names)) == len(names) > 1
    return tuple(Channel((is_told and s.named("channel")) or s.name) for s in setups)


def _findings(
    data: SpimData, names: list[str], image: BdvImage, *, is_asked: bool
) -> list[Finding]:
    found = list(image.findings)
    for setup in image.setups:
        if setup.is_unusable:
            found.append(unusable(setup))
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
