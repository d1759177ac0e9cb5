"""A source of your own: a gyroid of 20,000 voxels a side, computed when it is read.

Anything with the methods of `brickfield.sources.protocol.ChunkSource` can be drawn.
`VirtualSource` has them; only the voxels of a box are left to say.
"""

import numpy as np

import brickfield as bf
from brickfield.sample import VirtualImage, VirtualSource


class Gyroid(VirtualSource):
    """A surface that parts space in two halves, thinner towards the edges."""

    def voxels(self, level, origin, shape, selection=()):
        size = self.info.pyramid.levels[level].voxel_size_zyx
        lines = [
            (np.arange(o, o + n, dtype=np.float32) + 0.5) * s / extent * 6 * np.pi
            for o, n, s, extent in zip(
                origin, shape, size, self.image.shape, strict=True
            )
        ]
        z, y, x = np.ix_(*lines)
        wave = np.sin(x) * np.cos(y) + np.sin(y) * np.cos(z) + np.sin(z) * np.cos(x)
        return (250 * np.clip(1 - np.abs(wave), 0, 1)).astype(np.uint8)


source = Gyroid(VirtualImage((20_000, 20_000, 20_000), is_hollow=False))
with bf.ChunkedImageStore(source) as store:
    result = bf.render(store, size=(300, 300), mode="iso", iso_threshold=200)

most = max(source.reads.values())
print(f"chunks computed: {len(source.reads)}, none more than {most} time")
print(f"bricks a level: {result.receipt.levels}")
