"""One image of a project: setups that are its channels, and their arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from brickfield.errors import StoreFormatError, StoreNotFoundError
from brickfield.model import Axis, Finding, Pyramid
from brickfield.sources.bdv.protocol import BdvLoader, SetupLevels
from brickfield.sources.bdv.xml import SpimData, ViewSetup
from brickfield.sources.geometry import aligned_geometry, make_level
from brickfield.sources.protocol import ArrayHeader, StoredArray, UnlikeError


@dataclass
class BdvImage:
    """Setups of one image, opened by a loader. Parts may be found in any thread.

    Attributes
    ----------
    data : SpimData
    loader : BdvLoader
    setups : list of ViewSetup
        Those that can be channels of one image.
    known : SetupLevels or None
        Levels that they are taken to have.
    tell_unlike : callable
        Takes the number of the first setup, if it has others.
    """

    data: SpimData
    loader: BdvLoader
    setups: list[ViewSetup]
    known: SetupLevels | None = None
    tell_unlike: Callable[[int], object] = int

    def __post_init__(self) -> None:
        self.findings: list[Finding] = []
        self._found: dict[tuple[int, int, int], StoredArray | None] = {}
        if self.known is not None:
            self.levels = self.known
            return
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
            array = self.loader.array(time, setup, level)
            if array is not None and self.known is not None:
                self._check(array, level, setup)
            self._found[key] = array
        return self._found[key]

    def _check(self, array: StoredArray, level: int, setup: int) -> None:
        """Make sure that a level is as it was taken to be."""
        wanted = self.levels.arrays[level]
        if (array.shape, array.dtype, array.chunk_shape) != (
            wanted.shape,
            wanted.dtype,
            wanted.chunk_shape,
        ):
            self.tell_unlike(self.setups[0].number)
            msg = (
                f"expected level {level} of setup {setup} to have shape, chunks and data"
                " type of that of the first setup; found others"
            )
            raise UnlikeError(msg, key=f"setup {setup}, level {level}")
