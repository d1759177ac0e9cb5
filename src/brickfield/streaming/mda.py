"""Frames of an acquisition engine to OME-Zarr: an object that listens to it.

The names of the methods are those of the events of pymmcore-plus
(https://pymmcore-plus.github.io/pymmcore-plus/guides/mda_engine/), which is not
needed: any engine may call them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brickfield.errors import OptionError
from brickfield.streaming.writer import StreamWriter

AXES = ("t", "c", "z")
"""Leading axes that are written, in the order of OME-Zarr."""


class AcquisitionHandler:
    """Writes each frame that an acquisition engine announces, by its index.

    Frames may come in any order of their axes. One image is written for each stage
    position: the first under the given name, others with ``_p1``, ``_p2``, … in it.

    Thread rule: the engine calls from one thread.

    Parameters
    ----------
    path : path-like
        New folder, ``NAME.ome.zarr``.
    **options
        Of :class:`StreamWriter`, such as ``chunks``, ``compressor`` and ``buffer``.

    Attributes
    ----------
    writers : dict of int to StreamWriter
        By position; of the running or the last acquisition.

    Examples
    --------
    With pymmcore-plus::

        core.mda.events.sequenceStarted.connect(handler.sequenceStarted)
        core.mda.events.frameReady.connect(handler.frameReady)
        core.mda.events.sequenceFinished.connect(handler.sequenceFinished)
    """

    def __init__(self, path: str | os.PathLike[str], **options: Any) -> None:
        self.path = Path(path)
        self.writers: dict[int, StreamWriter] = {}
        self._options = options
        self._sizes: dict[str, int] = {}
        self._names: tuple[str, ...] = ()

    def sequenceStarted(self, sequence: Any, _meta: Any = None) -> None:  # noqa: N802
        """Take up how many frames are planned along each axis.

        Parameters
        ----------
        sequence : object
            With ``sizes``, a mapping of axis to number, and ``channels``.
        """
        self.sequenceFinished()
        self.writers = {}
        sizes: Mapping[str, int] = getattr(sequence, "sizes", None) or {}
        self._sizes = {a: int(sizes[a]) for a in AXES if sizes.get(a)}
        channels = getattr(sequence, "channels", None) or ()
        names = [str(getattr(c, "config", c)) for c in channels]
        self._names = tuple(names) if len(names) == self._sizes.get("c") else ()

    def frameReady(self, frame: ArrayLike, event: Any, _meta: Any = None) -> None:  # noqa: N802
        """Write a frame.

        Parameters
        ----------
        frame : ndarray, shape (y, x)
        event : object
            With ``index``, a mapping of axis to number.

        Raises
        ------
        OptionError
            When its index is not one of the sequence.
        StoreWriteError
        """
        data = np.asarray(frame)
        index: Mapping[str, int] = getattr(event, "index", None) or {}
        position = int(index.get("p", 0))
        if data.ndim != 2:
            msg = f"expected a frame with rows and columns; found shape {data.shape}"
            raise OptionError(msg)
        if position not in self.writers:
            self.writers[position] = self._new_writer(position, data)
        place = [int(index.get(a, 0)) for a in self._axes]
        block = data[(np.newaxis,) * len(place)]
        self.writers[position].write([*place, 0, 0], block)

    def sequenceFinished(self, _sequence: Any = None) -> None:  # noqa: N802
        """Close all images."""
        for writer in self.writers.values():
            writer.close()

    @property
    def _axes(self) -> tuple[str, ...]:
        # Time goes on where nothing says how long.
        return tuple(a for a in AXES if a in self._sizes) or ("t",)

    def _new_writer(self, position: int, frame: np.ndarray[Any, Any]) -> StreamWriter:
        name = self.path.name
        if position:
            stem, dot, end = name.partition(".")
            name = f"{stem}_p{position}{dot}{end}"
        lead = [self._sizes.get(a) for a in self._axes]
        options = {"channels": self._names or None, **self._options}
        axes = "".join(self._axes) + "yx"
        path = self.path.with_name(name)
        return StreamWriter(path, (*lead, *frame.shape), axes, frame.dtype, **options)
