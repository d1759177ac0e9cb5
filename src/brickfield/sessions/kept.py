"""Layers that a session holds already, when the scene that shows them is saved again.

Invariant: saving again loses nothing. Voxels that only a session has go into the new
one as they are; a layer that is drawn from its preview, since its data are gone, stays
the layer it was, with its place, its fingerprint and its preview. Images that a
session written over itself keeps have the same name in it as before, so that what
reads them in a window reads the same voxels afterwards.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from brickfield.errors import BrickfieldError
from brickfield.scene import SceneLayer, SceneSource
from brickfield.sessions.document import (
    SessionDocument,
    SessionImage,
    SessionSource,
    is_session,
    read_document,
)
from brickfield.sessions.reading import preview_matrix, to_level_0
from brickfield.sessions.reference import existing, relative_to


@dataclass(frozen=True)
class Kept:
    """A layer's image in a session that is there.

    Attributes
    ----------
    folder : Path
        Of the session.
    version : str
        Of its OME-Zarr.
    grid : SessionImage
    layer : SceneLayer
        As the session has it.
    source : SessionSource or None
        Where its data are or were; None when they are in the session.
    origin : dict or None
        What the voxels were copied from.
    is_shown : bool
        Whether the layer shows this image, not the data that it is a preview of.
    """

    folder: Path
    version: str
    grid: SessionImage
    layer: SceneLayer
    source: SessionSource | None
    origin: dict[str, Any] | None = None
    is_shown: bool = True

    @property
    def is_in(self) -> bool:
        """Whether the voxels are in the session."""
        return self.source is None

    def matrix(self, shown: SceneLayer) -> Any:
        """Return the matrix from indices of level 0, for the layer as it lies now.

        Parameters
        ----------
        shown : SceneLayer
            Its matrix is that of the preview where the data are gone.
        """
        if self.is_in or not self.is_shown:
            return shown.transform or self.layer.transform
        if shown.transform in (None, preview_matrix(self.layer, self.grid)):
            return self.layer.transform
        # Moved while its preview was shown: the step from preview to level 0 is undone,
        # and what is left is the user's.
        whole = to_level_0(self.grid, len(shown.transform) - 1)
        if whole is None:
            return shown.transform
        moved = np.asarray(shown.transform) @ np.linalg.inv(whole)
        # The inverse leaves rounding errors where a matrix has to be 0, …, 0, 1.
        moved[-1] = np.eye(len(moved))[-1]
        return tuple(tuple(row) for row in moved.tolist())

    def noted(self, image: str, target: Path) -> SessionSource:
        """Return where the data were, as a session elsewhere says it.

        Parameters
        ----------
        image : str
            Its name there.
        target : Path
            Of that session.
        """
        assert self.source is not None
        near = self.source.relative
        if near is not None and not _is_same(self.folder, target):
            place = os.path.normpath(self.folder.absolute() / near)
            near = relative_to(place, target)
        return self.source.model_copy(update={"image": image, "relative": near})


@dataclass
class KeptLayers:
    """Finds layers that a session holds; reads every session once.

    Attributes
    ----------
    target : Path
        What is written.
    """

    target: Path
    _known: dict[Path, tuple[SessionDocument, str] | None] = field(default_factory=dict)

    def of(self, layer: SceneLayer) -> Kept | None:
        """Return what a session holds of a layer; None for any other data."""
        if not isinstance(layer.source, SceneSource) or "://" in layer.source.uri:
            return None
        place = Path(layer.source.uri)
        known = self._session(place.parent) if place.name.isdecimal() else None
        if known is None or place.name not in known[0].image_names:
            return self._vanished(layer.source)
        document, version = known
        saved = document.scene.layers[document.image_names.index(place.name)]
        source = document.source_of(place.name)
        # What shows a preview means the data, also when they are back meanwhile.
        is_it = source is not None or _shows_all(layer.source, saved)
        grid, origin = document.grid_of(place.name), origins_of(document)
        facts = (grid, saved, source, origin.get(place.name))
        return Kept(place.parent, version, *facts) if is_it else None

    def _vanished(self, shown: SceneSource) -> Kept | None:
        """Return the preview, in the session that is written over, of data that are gone.

        A window that was open while they went still shows them; a new preview would be
        empty.
        """
        if os.path.lexists(existing(Path(shown.uri))):
            return None
        known = self._session(self.target)
        if known is None:
            return None
        document, version = known
        place = os.path.normpath(shown.uri)
        for name, saved in zip(
            document.image_names, document.scene.layers, strict=True
        ):
            source = document.source_of(name)
            is_it = source is not None and source.absolute == place
            if is_it and _shows_all(shown, saved):
                facts = (document.grid_of(name), saved, source)
                return Kept(self.target, version, *facts, is_shown=False)
        return None

    def _session(self, folder: Path) -> tuple[SessionDocument, str] | None:
        if folder not in self._known:
            # What cannot be read is not asked for again.
            self._known[folder] = None
            if is_session(folder):
                with suppress(BrickfieldError):
                    self._known[folder] = read_document(folder)
        return self._known[folder]

    def is_target(self, kept: Kept) -> bool:
        """Whether a layer is in the session that is written over."""
        return _is_same(kept.folder, self.target)


def _shows_all(shown: SceneSource, saved: SceneLayer) -> bool:
    """Tell whether a layer shows the image as the session has it, nothing else of it."""
    own = saved.source
    if not isinstance(own, SceneSource):
        return False
    plain = {"uri", "channel"}
    is_cut = shown.model_dump(exclude=plain) != own.model_dump(exclude=plain)
    return not is_cut and (shown.channel or 0) == (own.channel or 0)


def _is_same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def origins_of(document: SessionDocument) -> dict[str, dict[str, Any]]:
    """Return, by image, what embedded voxels were copied from."""
    found = (document.model_extra or {}).get("origins")
    listed = found if isinstance(found, list) else []
    entries = [one for one in listed if isinstance(one, dict) and "uri" in one]
    return {str(one.get("image")): one for one in entries}


def image_names(kept: Iterable[Kept | None], own: Callable[[Kept], bool]) -> list[str]:
    """Name every layer's image: kept ones as they are, others by free numbers.

    Parameters
    ----------
    kept : iterable of Kept or None
        Of every layer.
    own : callable
        Tells whether an image stays in the session that is written over.
    """
    wanted = [one.grid.image if one is not None and own(one) else None for one in kept]
    taken: set[str] = set()
    for i, name in enumerate(wanted):
        if name in taken:  # the same image twice: the second is a copy
            wanted[i] = None
        elif name is not None:
            taken.add(name)
    free = (str(n) for n in range(2 * len(wanted) + 1) if str(n) not in taken)
    return [name if name is not None else next(free) for name in wanted]


def copy_image(kept: Kept, to: Path, *, moves: bool, check: Callable[[], None]) -> None:
    """Copy a session's image, file by file.

    Parameters
    ----------
    kept : Kept
    to : Path
        Its new folder, not there yet.
    moves : bool
        The session that it is in is replaced: nobody reads the old file afterwards,
        and the new one may be the same on disk.
    check : callable
        Called before each file; what it raises ends the copy.

    Raises
    ------
    OSError
    """

    def one(source: str, target: str) -> str:
        check()
        if moves:
            with suppress(OSError):
                os.link(source, target)
                return target
        return str(shutil.copyfile(source, target))

    place = kept.folder / kept.grid.image
    if place.is_dir():  # a preview may be gone
        shutil.copytree(place, to, copy_function=one)


def extras(part: Any) -> Mapping[str, Any]:
    """Return the fields of a part of a document that this program does not know."""
    return dict(getattr(part, "model_extra", None) or {})
