"""A tile that cannot be read costs its own voxels alone, and is told."""

from __future__ import annotations

import numpy as np
import pytest

import brickfield as bf
from brickfield.errors import ChunkReadError
from brickfield.pyramid import write_pyramid
from brickfield.testing import corrupt
from brickfield.testing.zarr_stores import write_image

SHAPE = (16, 40, 40)
VALUES = (60, 120, 180)


def places(step):
    found = [np.eye(4) for _ in VALUES]
    for i, matrix in enumerate(found):
        matrix[2, 3] = step * i
    return found


@pytest.fixture
def damaged(tmp_path):
    """Three tiles, the chunk of the middle one cut off."""
    paths = []
    for i, value in enumerate(VALUES):
        path = tmp_path / f"t{i}.zarr"
        write_image(path, [np.full(SHAPE, value, "u1")], chunks=SHAPE)
        paths.append(str(path))
    chunks = [p for p in (tmp_path / "t1.zarr").rglob("*") if p.is_file()]
    corrupt([p for p in chunks if not p.name.startswith(".z")], "truncate")
    return paths


def row_of(mosaic, width):
    result = bf.render(
        mosaic, size=(width, SHAPE[1]), camera="ortho:z", contrast=(0, 255)
    )
    return result.image[SHAPE[1] // 2, :, 0], result.receipt


def test_its_neighbours_are_drawn_and_the_rest_is_told(damaged, adapter):
    with bf.open_mosaic(damaged, places(30), margin=0.0) as mosaic:
        row, receipt = row_of(mosaic, 100)
    np.testing.assert_array_equal(row[:40], VALUES[0])
    np.testing.assert_array_equal(row[60:], VALUES[2])
    np.testing.assert_array_equal(row[40:60], 0)
    assert not receipt.complete
    assert receipt.fidelity == "failed"
    assert any("image 2: expected to decode" in f["reason"] for f in receipt.failures)


def test_where_neighbours_cover_it_nothing_is_lost_and_it_is_still_told(
    damaged, adapter
):
    with bf.open_mosaic(damaged, places(15), margin=0.0) as mosaic:
        row, receipt = row_of(mosaic, 70)
    np.testing.assert_array_equal(row[:30], VALUES[0])
    np.testing.assert_array_equal(row[30:], VALUES[2])
    assert not receipt.complete
    assert receipt.failures


def test_many_tiles_lose_the_damaged_one_alone(damaged, adapter):
    shifts = places(30)
    paths, matrices = list(damaged), list(shifts)
    for i in range(9):
        more = np.eye(4)
        more[1, 3] = 41 + i
        paths.append(damaged[0])
        matrices.append(more)
    with bf.open_mosaic(paths, matrices, margin=0.0) as mosaic:
        names = [place.name for place in mosaic.places]
        assert len(names) == 12
        image = bf.render(
            mosaic, size=(100, 90), camera="ortho:z", contrast=(0, 255)
        ).image[..., 0]
    np.testing.assert_array_equal(image[20, :40], VALUES[0])
    np.testing.assert_array_equal(image[20, 60:], VALUES[2])


def test_what_writes_voxels_fails_with_it(damaged):
    with (
        bf.open_mosaic(damaged, places(30), margin=0.0) as mosaic,
        pytest.raises(ChunkReadError, match="image 2"),
    ):
        mosaic.read(0)


def test_what_skips_failed_blocks_writes_what_the_other_tiles_give(damaged, tmp_path):
    with bf.open_mosaic(damaged, places(30), margin=0.0) as mosaic:
        made = write_pyramid(mosaic.source, tmp_path / "p.zarr", skip_failed=True)
    assert made.failures
    with bf.open_store(tmp_path / "p.zarr") as written:
        found = written.read(0)
    np.testing.assert_array_equal(found[..., :40], VALUES[0])
    np.testing.assert_array_equal(found[..., 40:60], 0)
    np.testing.assert_array_equal(found[..., 60:], VALUES[2])


def test_a_tile_of_another_data_type_is_told_and_the_others_are_drawn(
    tmp_path, adapter
):
    paths = []
    for i, dtype in enumerate(("u1", "u2", "u1")):
        path = tmp_path / f"t{i}.zarr"
        write_image(path, [np.full(SHAPE, VALUES[i], dtype)], chunks=SHAPE)
        paths.append(str(path))
    with bf.open_mosaic(paths, places(30), margin=0.0) as mosaic:
        row, receipt = row_of(mosaic, 100)
    np.testing.assert_array_equal(row[:40], VALUES[0])
    np.testing.assert_array_equal(row[60:], VALUES[2])
    assert any("voxels of type uint16" in f["reason"] for f in receipt.failures)


def test_a_tile_that_is_gone_is_told_and_the_others_are_drawn(damaged, adapter):
    stores = [bf.open_store(path) for path in damaged]
    stores[1].close()
    with bf.open_mosaic(
        [stores[0], stores[1], stores[2]], places(30), margin=0.0
    ) as mosaic:
        row, receipt = row_of(mosaic, 100)
    np.testing.assert_array_equal(row[:40], VALUES[0])
    assert receipt.failures
    for store in stores:
        store.close()
