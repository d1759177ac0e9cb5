"""A layer saved from napari lies where it lay."""

import json

import numpy as np
import pytest
from napari.layers import Image
from napari.utils.transforms import Affine

import brickfield as bf
from brickfield.errors import StoreWriteError
from brickfield.plugin.export.imaris_writer import write_imaris
from brickfield.plugin.layers.make import layer_data_of
from brickfield.plugin.reader import read
from brickfield.plugin.writer import write_image

DATA = np.arange(4 * 6 * 8, dtype="u2").reshape(4, 6, 8)
TURN = np.array([[1, 0, 0, 3], [0, 0.6, -0.8, -2], [0, 0.8, 0.6, 5], [0, 0, 0, 1]])


@pytest.fixture(autouse=True)
def _app(qtbot):
    """An application, which saving needs."""


def saved(tmp_path, **placed):
    layer = Image(placed.pop("data", DATA), name="a", **placed)
    data, meta, _ = layer.as_layer_data_tuple()
    path = str(tmp_path / "a.ome.zarr")
    assert write_image(path, data, meta) == [path]
    about = json.loads((tmp_path / "a.ome.zarr" / "zarr.json").read_text())
    return layer, path, about["attributes"]["ome"]


def matrix_of(layer):
    own = Affine(
        scale=layer.scale,
        translate=layer.translate,
        rotate=layer.rotate,
        shear=layer.shear,
        ndim=layer.ndim,
    )
    return layer.affine.affine_matrix @ own.affine_matrix


def as_others_read(ome):
    """Return the affine as a reader that composes the listed parts finds it."""
    (image,) = ome["multiscales"]
    (way,) = image["datasets"][0]["coordinateTransformations"]
    scale, shift = way["transformations"]
    matrix = np.diag([*scale["scale"], 1.0])
    matrix[:-1, -1] = shift["translation"]
    (outer,) = image["coordinateTransformations"]
    assert outer["input"] == way["output"]
    assert outer["output"]["name"] == image["coordinateSystems"][0]["name"]
    return np.vstack([outer["affine"], [0] * (len(matrix) - 1) + [1]]) @ matrix


@pytest.mark.parametrize(
    "placed",
    [
        {"affine": TURN, "scale": (2, 0.5, 0.5), "translate": (1, 2, 3)},
        {"rotate": (10, 20, 30), "translate": (1, 2, 3)},
        {"shear": (0.1, 0.2, 0.3), "scale": (2, 1, 1)},
        {"scale": (-1, 1, 1)},
        {"data": DATA[0], "affine": TURN[1:, 1:], "scale": (0.5, 2)},
        {
            "data": DATA[None],
            "affine": np.pad(TURN, ((1, 0), (1, 0))) + np.eye(5, k=0) * [1, 0, 0, 0, 0],
        },
    ],
    ids=["affine", "rotated", "sheared", "mirrored", "flat", "with-time"],
)
def test_a_turned_layer_is_saved_where_it_lies(tmp_path, placed):
    layer, path, ome = saved(tmp_path, **placed)
    assert ome["version"] == "0.6"
    np.testing.assert_allclose(as_others_read(ome), matrix_of(layer), atol=1e-12)
    with bf.open_store(path) as store:
        k = min(layer.ndim, 3) + 1
        found = store.transform[-k:, -k:]
        np.testing.assert_allclose(found, matrix_of(layer)[-k:, -k:], atol=1e-12)
        assert not store.findings


def test_a_layer_along_the_axes_is_saved_so_that_more_programs_open_it(tmp_path):
    _, path, ome = saved(tmp_path, scale=(2, 1, 1), affine=np.diag([1, 3, 3, 1]))
    assert ome["version"] == "0.5"
    with bf.open_store(path) as store:
        assert store.pyramid.levels[0].voxel_size_zyx == (2, 3, 3)


def test_a_turn_between_time_and_space_is_refused(tmp_path):
    mixed = np.eye(5)
    mixed[0, 1] = 0.5
    with pytest.raises(StoreWriteError, match="in space alone"):
        saved(tmp_path, data=DATA[None], affine=mixed)


def test_what_was_saved_opens_in_napari_as_it_was(tmp_path):
    placed = {"affine": TURN, "scale": (2, 0.5, 0.5), "translate": (1, 2, 3)}
    layer, path, _ = saved(tmp_path, **placed)
    ((_, about, _),) = read(path)
    np.testing.assert_allclose(about["affine"], TURN, atol=1e-12)
    np.testing.assert_allclose(about["scale"], layer.scale)
    np.testing.assert_allclose(about["translate"], layer.translate)


@pytest.mark.parametrize(
    ("ending", "placed"),
    [(".ome.zarr", {}), (".ome.zarr", {"affine": TURN}), (".ims", {})],
)
def test_a_layer_of_a_mosaic_is_saved_without_its_room_and_where_it_lay(
    tmp_path, monkeypatch, ending, placed
):
    """The room is there to move tiles in; that it is left out is told."""
    told = []
    monkeypatch.setattr("napari.utils.notifications.show_info", told.append)
    stays, beside = (np.diag([2.0, 1.0, 1.0, 1.0]) for _ in range(2))
    beside[:3, 3] = (0, 1, 8)
    path = str(tmp_path / f"a{ending}")
    with bf.open_mosaic([DATA, DATA], [stays, beside], margin=0.5) as store:
        (data, meta, kind) = layer_data_of(store)[0]
        meta |= placed
        if ending == ".ims":
            assert write_imaris(path, [(data, meta, kind)]) == [path]
        else:
            assert write_image(path, data, meta) == [path]
            assert any("left out the empty room" in text for text in told)
        every = np.asarray(data[0])
        before = matrix_of(Image(every, **placed_in(meta)))
    ((levels, found, _),) = read(path)
    image = np.asarray(levels[0])
    after = matrix_of(Image(image, **placed_in(found)))[-4:, -4:]
    whole = np.zeros((4, 7, 16), "u2")
    whole[:, :6, :8], whole[:, 1:, 8:] = DATA, DATA
    assert np.array_equal(image.squeeze(), whole)
    first = (np.linalg.inv(before) @ after)[:3, 3]
    assert np.allclose(first, np.rint(first), atol=1e-5)
    z, y, x = np.rint(first).astype(int)
    assert np.array_equal(every[z : z + 4, y : y + 7, x : x + 16], whole)


def placed_in(meta):
    names = ("scale", "translate", "rotate", "shear", "affine")
    return {name: meta[name] for name in names if meta.get(name) is not None}
