"""Pictures of a mosaic are those of the union of its tiles, resampled by scipy."""

import numpy as np
import pytest
from scipy.ndimage import affine_transform

import brickfield as bf

SHAPE = (30, 34, 38)


def turned(z_deg, y_deg, shift):
    a, b = np.radians([z_deg, y_deg])
    about_z = np.array(
        [[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]]
    )
    about_y = np.array(
        [[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]]
    )
    matrix = np.eye(4)
    matrix[:3, :3] = about_z @ about_y
    matrix[:3, 3] = shift
    return matrix


@pytest.fixture(scope="module")
def tiles():
    """Three turned tiles with smooth voxels."""
    z, y, x = np.indices(SHAPE)
    arrays = [
        (120 + 100 * np.sin(x / 5 + i) * np.cos(y / 7) * np.sin(z / 6 + 1)).astype("u1")
        for i in range(3)
    ]
    matrices = [
        turned(12, 0, (0, 0, 0)),
        turned(-20, 15, (2, 4, 25)),
        turned(40, -10, (5, 20, 10)),
    ]
    return arrays, matrices


def union(mosaic, arrays, matrices):
    """Resample each tile on the grid of a mosaic; the largest of what is there."""
    about = mosaic.pyramid.levels[0]
    grid = np.eye(4)
    grid[:3, :3] = np.diag(about.voxel_size_zyx)
    grid[:3, 3] = about.translation_zyx
    result = np.zeros(about.shape_zyx)
    index = np.stack(np.indices(about.shape_zyx), -1)
    for array, matrix in zip(arrays, matrices, strict=True):
        back = np.linalg.inv(matrix) @ grid
        values = affine_transform(
            array.astype(float),
            back[:3, :3],
            back[:3, 3],
            output_shape=about.shape_zyx,
            order=1,
            mode="nearest",
        )
        at = index @ back[:3, :3].T + back[:3, 3]
        inside = ((at >= -0.5) & (at < np.array(array.shape) - 0.5)).all(-1)
        result = np.where(inside, np.maximum(result, np.rint(values)), result)
    return result


def test_the_maximum_of_a_mosaic_is_that_of_the_resampled_union(tiles, adapter):
    arrays, matrices = tiles
    with bf.open_mosaic(arrays, matrices, margin=0.0) as mosaic:
        _, height, width = mosaic.pyramid.levels[0].shape_zyx
        result = bf.render(
            mosaic,
            camera="ortho:z",
            level=0,
            size=(width, height),
            contrast=(0, 255),
            mode="mip",
        )
        expected = union(mosaic, arrays, matrices).max(axis=0)
    assert result.receipt.complete
    found = result.image[..., 0].astype(int)
    assert np.abs(found - expected).max() <= 1


def test_nothing_that_a_tile_holds_is_lost_in_an_overlap(tiles, adapter):
    arrays, _ = tiles
    shifts = [np.eye(4) for _ in arrays]
    for i, matrix in enumerate(shifts):
        matrix[2, 3] = 20 * i
    with bf.open_mosaic(arrays, shifts, margin=0.0) as mosaic:
        _, height, width = mosaic.pyramid.levels[0].shape_zyx
        size = (width, height)
        result = bf.render(
            mosaic, camera="ortho:z", level=0, size=size, contrast=(0, 255), mode="mip"
        )
    expected = np.zeros((height, width), int)
    for i, array in enumerate(arrays):
        part = expected[:, 20 * i : 20 * i + SHAPE[2]]
        np.maximum(part, array.max(axis=0), out=part)
    assert np.abs(result.image[..., 0].astype(int) - expected).max() <= 1
