"""Scenes of small tiles, written by zarr-python, and what numpy makes of them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import affine_transform

from brickfield.model import AffineTransform
from brickfield.sources.array_libraries.source import from_arrays
from brickfield.sources.mosaic import MosaicOptions, MosaicSource, Tile, TilePlace


@pytest.fixture
def mosaic_of():
    """Make a mosaic of arrays (z, y, x) and 4 x 4 matrices."""

    def make(arrays, matrices, **options):
        tiles = []
        for i, (array, matrix) in enumerate(zip(arrays, matrices, strict=True)):
            place = TilePlace(f"t{i}", AffineTransform.from_matrix(matrix), array.shape)
            tiles.append(Tile(place, lambda array=array: from_arrays(array)))
        return MosaicSource(tiles, MosaicOptions(**options))

    return make


@pytest.fixture
def whole():
    """Read a whole level of a source (z, y, x)."""

    def read(source, level=0):
        about = source.info.pyramid.levels[level]
        result = np.full(about.shape_zyx, about.fill_value, about.dtype)
        chunk = about.storage_chunk_zyx
        counts = [-(-n // c) for n, c in zip(about.shape_zyx, chunk, strict=True)]
        for index in np.ndindex(*counts):
            data = source.read_storage_chunk(level, index).data
            if data is not None:
                low = np.multiply(index, chunk)
                at = tuple(
                    slice(a, a + n) for a, n in zip(low, data.shape, strict=True)
                )
                result[at] = data
        return result

    return read


@pytest.fixture
def resampled():
    """Resample a tile on the grid of a mosaic with scipy: values and where it is."""

    def make(source, array, matrix, order):
        about = source.info.pyramid.levels[0]
        grid = np.eye(4)
        grid[:3, :3] = np.diag(about.voxel_size_zyx)
        grid[:3, 3] = about.translation_zyx
        back = np.linalg.inv(matrix) @ grid
        values = affine_transform(
            array.astype(float),
            back[:3, :3],
            back[:3, 3],
            output_shape=about.shape_zyx,
            order=order,
            mode="nearest",
        )
        index = np.stack(np.indices(about.shape_zyx), -1) @ back[:3, :3].T + back[:3, 3]
        inside = (index >= -0.5) & (index < np.array(array.shape) - 0.5)
        depth = np.minimum(index + 0.5, np.array(array.shape) - 0.5 - index)
        depth = (depth * np.linalg.norm(matrix[:3, :3], axis=0)).min(-1)
        near_edge = (np.abs(depth) < 1e-3).reshape(inside.shape[:3])
        return values, inside.all(-1), depth, near_edge

    return make
