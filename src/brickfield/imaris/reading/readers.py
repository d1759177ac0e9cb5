"""The readers of an export: one for each source, or two where it is gone through twice.

A source is gone through twice when a channel is scaled by its smallest and largest
value. One reader then serves both times where keeping what was read costs less than
reading it again; else each time has its own, which keeps nothing for the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from brickfield.imaris.reading.inputs import ChannelInput, ImarisInput
from brickfield.imaris.reading.staging import Scratch
from brickfield.imaris.reading.tile_reader import Demand, ReadFailure, TileReader
from brickfield.model import Int3
from brickfield.sources import ChunkSource

Part = tuple[int, int, int]
"""Time point of the source, number of the source, channel of the source."""


class Readers:
    """Finds the reader of a source. From any thread.

    Parameters
    ----------
    image : ImarisInput
    tile : tuple of int
        Of level 0, (z, y, x).
    room_bytes : int
        For chunks that several tiles need.
    scratch : Scratch
    skip_failed : bool
    n_done : int
        Time points times channels that are not read any more.
    unknown : sequence of int
        Channels whose range is looked for first.
    """

    def __init__(  # noqa: PLR0913 -- all that reading depends on
        self,
        image: ImarisInput,
        tile: Int3,
        room_bytes: int,
        scratch: Scratch,
        *,
        skip_failed: bool,
        n_done: int,
        unknown: Sequence[int],
    ) -> None:
        self._image, self._tile, self._room = image, tile, room_bytes
        self._scratch, self._skips = scratch, skip_failed
        sources = {id(c.source): c for c in self._image.channels}
        self._numbers = {key: i for i, key in enumerate(sources)}
        n_times, n_channels = len(image.time_points), len(image.channels)
        left = [divmod(n, n_channels) for n in range(n_done, n_times * n_channels)]
        looked = [(t, c) for c in unknown for t in range(n_times)]
        self._main: dict[int, TileReader] = {}
        self._first: dict[int, TileReader] = {}
        for key, channel in sources.items():
            if channel.is_costly:
                self._main[key] = self._reader(channel, [*left, *looked])
                self._first[key] = self._main[key]
            else:
                self._main[key] = self._reader(channel, left)
                self._first[key] = self._reader(channel, looked)

    def find(self, source: ChunkSource, *, is_first: bool) -> TileReader:
        """Return the reader of a source, for looking or for writing.

        Parameters
        ----------
        source : ChunkSource
        is_first : bool
            For the first pass, which looks, instead of the one that writes.
        """
        return (self._first if is_first else self._main)[id(source)]

    @property
    def failures(self) -> list[ReadFailure]:
        """Storage chunks that were filled, each once."""
        return list(
            {f.key: f for reader in self._all for f in reader.failures}.values()
        )

    @property
    def n_decoded(self) -> int:
        """Storage chunks decoded."""
        return sum(reader.n_decoded for reader in self._all)

    @property
    def _all(self) -> list[TileReader]:
        both = [*self._main.values(), *self._first.values()]
        return list({id(reader): reader for reader in both}.values())

    def _reader(
        self, channel: ChannelInput, places: Sequence[tuple[int, int]]
    ) -> TileReader:
        image = self._image
        parts = Counter(self._part(time, index) for time, index in places)
        return TileReader(
            channel.source,
            channel.level,
            Demand(image.origin, image.shape, self._tile, parts),
            self._scratch,
            self._room // len(self._numbers),
            skip_failed=self._skips,
            number=self._numbers[id(channel.source)],
        )

    def _part(self, time: int, index: int) -> Part:
        channel = self._image.channels[index]
        number = self._numbers[id(channel.source)]
        return (self._image.time_points[time], number, channel.index)
