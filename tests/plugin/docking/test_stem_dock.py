"""The 4D-STEM dock in napari."""

import h5py
import numpy as np
import pytest

from brickfield.plugin.docking.stem_dock import Stem4DDock
from brickfield.plugin.docking.stem_pictures import contrast, region_of
from brickfield.stem4d import Annulus, Disc, Mask


@pytest.fixture
def patterns():
    return np.random.default_rng(3).integers(0, 900, (6, 5, 16, 12), np.uint16)


@pytest.fixture
def dock(make_napari_viewer, qtbot, tmp_path, patterns):
    with h5py.File(tmp_path / "scan.emd", "w") as file:
        file["version_1/data/datacubes/datacube_000/data"] = patterns
        file["version_1"].attrs["emd_group_type"] = 2
        file["version_1/data/datacubes/datacube_000"].attrs["emd_group_type"] = 1
    viewer = make_napari_viewer()
    made = Stem4DDock(viewer)
    viewer.window.add_dock_widget(made)
    made.viewer = viewer
    made.settle = lambda: qtbot.waitUntil(lambda: made.is_settled, timeout=30_000)
    made.session.open(tmp_path / "scan.emd")
    made.settle()
    yield made
    made.shutdown()


def test_its_pictures_are_ordinary_layers(dock, patterns):
    layers = dock.viewer.layers
    assert {"scan scan", "scan pattern", "scan virtual"} <= {
        layer.name for layer in layers
    }
    np.testing.assert_array_equal(layers["scan scan"].data, patterns.sum(axis=(2, 3)))


def test_a_moved_cross_shows_its_pattern(dock, patterns):
    dock.viewer.layers["scan cursor"].data = [[1, 4]]
    dock.settle()
    np.testing.assert_array_equal(
        dock.viewer.layers["scan pattern"].data, patterns[1, 4]
    )


def test_a_moved_disc_gives_its_virtual_image(dock, patterns):
    dock.set_detector(Disc(8, 6, 3))
    dock.detector_chosen.emit(Disc(8, 6, 3))
    shapes = dock.viewer.layers["scan detector"]
    shapes.data = [shapes.data[0] + (1, -2)]
    dock.settle()
    assert dock.session.detector == Disc(9, 4, 3)
    mask = Disc(9, 4, 3).mask((16, 12))
    expected = patterns[:, :, mask].sum(axis=-1)
    np.testing.assert_array_equal(dock.viewer.layers["scan virtual"].data, expected)


def test_a_ring_is_two_circles(dock):
    dock.use_preset("ADF")
    dock.settle()
    assert isinstance(dock.session.detector, Annulus)
    assert dock.viewer.layers["scan detector"].shape_type == ["ellipse", "ellipse"]


def test_a_region_that_is_drawn_gives_its_mean_pattern(dock, patterns):
    corners = [[0.6, -0.4], [0.6, 1.4], [3.2, 1.4], [3.2, -0.4]]
    dock.viewer.layers["scan region"].add_rectangles([corners])
    dock.settle()
    expected = patterns[1:4, 0:2].mean(axis=(0, 1))
    np.testing.assert_allclose(dock.viewer.layers["scan pattern"].data, expected)


def test_the_next_scan_has_the_layers_of_the_former_one(dock, tmp_path, patterns):
    before = list(dock.viewer.layers)
    other = np.pad(patterns, ((0, 2), (0, 0), (0, 4), (0, 0)), "edge")
    with h5py.File(tmp_path / "next.emd", "w") as file:
        file["data"] = other
    dock.viewer.layers["scan region"].add_rectangles([[[0, 0], [0, 2], [2, 2], [2, 0]]])
    dock.settle()
    dock.session.open(tmp_path / "next.emd")
    dock.settle()
    assert list(dock.viewer.layers) == before
    assert all(layer.name.startswith("next ") for layer in before)
    layers = dock.viewer.layers
    np.testing.assert_array_equal(layers["next scan"].data, other.sum(axis=(2, 3)))
    np.testing.assert_array_equal(layers["next pattern"].data, other[4, 2])
    np.testing.assert_array_equal(layers["next cursor"].data, [[4, 2]])
    assert not len(layers["next region"].data)
    lies = [layers[f"next {role}"].translate for role in ("pattern", "detector")]
    np.testing.assert_array_equal(*lies)


def test_beside_a_layer_that_shows_the_scan_pictures_lie_in_its_world(
    make_napari_viewer, qtbot, tmp_path, patterns
):
    with h5py.File(tmp_path / "map.emd", "w") as file:
        group = file.create_group("data/map")
        group.attrs["emd_group_type"] = 1
        group["data"] = patterns
        for i, (name, step) in enumerate(
            (("y", 0.5), ("x", 0.25), ("ky", 1), ("kx", 1))
        ):
            dim = group.create_dataset(
                f"dim{i + 1}", data=np.arange(patterns.shape[i]) * step
            )
            dim.attrs.update({"name": name, "units": "[n_m]" if i < 2 else "[n_m^-1]"})
    viewer = make_napari_viewer()
    (scan,) = viewer.open(tmp_path / "map.emd", plugin="napari-brickfield")
    dock = Stem4DDock(viewer)
    viewer.window.add_dock_widget(dock)
    qtbot.waitUntil(
        lambda: dock.is_settled and "map cursor" in viewer.layers, timeout=30_000
    )
    picture, pattern = viewer.layers["map scan"], viewer.layers["map pattern"]
    assert scan.data.shape[-2:] == picture.data.shape
    np.testing.assert_allclose(picture.scale, (0.5, 0.25))
    np.testing.assert_allclose(picture.translate, scan.translate[-2:])
    np.testing.assert_allclose(pattern.scale * max(pattern.data.shape), 6 * 0.5)
    assert viewer.layers.extent.units is not None
    # Its sliders choose a pixel of the detector.
    before = dock.session.cursor
    viewer.dims.current_step = (3, 4, 0, 0)
    assert dock.session.cursor == before
    dock.shutdown()


def test_a_layer_that_was_removed_comes_with_the_next_picture(dock):
    dock.viewer.layers.remove("scan pattern")
    dock.session.set_cursor(0, 0)
    dock.settle()
    assert "scan pattern" in dock.viewer.layers


def test_a_layer_that_shows_no_scan_is_answered_in_a_sentence(dock):
    dock.viewer.layers.selection.active = dock.viewer.add_image(np.zeros((4, 4)))
    dock.layer_button.click()
    assert "Select a layer" in dock.state.text()


@pytest.mark.parametrize(
    ("corners", "expected"),
    [
        ([[0.6, -3], [3.2, 9]], (1, 4, 0, 5)),
        ([[0.1, 0.1], [0.9, 0.9]], None),
        ([[7, 0], [9, 2]], None),
    ],
)
def test_a_region_holds_positions_whose_centres_it_holds(corners, expected):
    assert region_of([np.array(corners)], (6, 5)) == expected


def test_contrast_is_never_an_empty_range():
    assert contrast(np.full((3, 3), 4)) == (4.0, 5.0)


def test_a_circle_of_a_ring_that_was_dragged_has_the_other_one_round_it(dock):
    ring = Annulus(8, 6, 2, 4)
    dock.set_detector(ring)
    dock.detector_chosen.emit(ring)
    shapes = dock.viewer.layers["scan detector"]
    shapes.data = [shapes.data[0] + (1, -1), shapes.data[1]]
    dock.settle()
    assert dock.session.detector == Annulus(9, 5, 2, 4)
    np.testing.assert_allclose(shapes.data[1].mean(axis=0), (9, 5))


def test_a_mask_is_painted_in_a_labels_layer(dock, patterns, qtbot):
    dock.set_detector(Disc(8, 6, 3))
    bar = dock.detector_bar
    bar.kind.setCurrentText("mask")
    bar.kind.activated.emit(0)
    labels = dock.viewer.layers["scan mask"]
    # Painting begins with the pixels of the detector before.
    np.testing.assert_array_equal(labels.data != 0, Disc(8, 6, 3).mask((16, 12)))
    assert dock.viewer.layers.selection.active is labels
    assert labels.mode == "paint"
    labels.brush_size = 1
    labels.paint((1, 1), 1)
    qtbot.waitUntil(lambda: isinstance(dock.session.detector, Mask), timeout=10_000)
    qtbot.waitUntil(lambda: dock.session.detector.mask((16, 12))[1, 1], timeout=10_000)
    dock.settle()
    expected = patterns[:, :, labels.data != 0].sum(axis=-1)
    np.testing.assert_array_equal(dock.viewer.layers["scan virtual"].data, expected)
    labels.undo()
    qtbot.waitUntil(
        lambda: not dock.session.detector.mask((16, 12))[1, 1], timeout=10_000
    )


def test_the_mask_is_hidden_while_another_detector_is_used(dock):
    bar = dock.detector_bar
    bar.kind.setCurrentText("mask")
    bar.kind.activated.emit(0)
    dock.settle()
    assert dock.viewer.layers["scan mask"].visible
    dock.use_preset("ADF")
    dock.settle()
    assert not dock.viewer.layers["scan mask"].visible
    assert len(dock.viewer.layers["scan detector"].data) == 2


def test_a_mask_without_pixels_is_told(dock, qtbot):
    bar = dock.detector_bar
    bar.kind.setCurrentText("mask")
    bar.kind.activated.emit(0)
    dock.settle()
    before = dock.session.detector
    dock.viewer.layers["scan mask"].data = np.zeros((16, 12), np.uint8)
    qtbot.waitUntil(lambda: "Paint" in dock.state.text(), timeout=10_000)
    assert dock.session.detector is before


def test_the_next_scan_uses_the_layers_of_the_former_one(dock, tmp_path, patterns):
    """To remove and add them would stop the window for a second."""
    names = ("scan", "pattern", "virtual", "cursor", "region", "detector")
    before = {name: dock.viewer.layers[f"scan {name}"] for name in names}
    dock.viewer.layers["scan region"].add_rectangles([[[0, 0], [0, 2], [2, 2], [2, 0]]])
    dock.settle()
    other = np.random.default_rng(5).integers(0, 90, (9, 8, 20, 24), np.uint16)
    with h5py.File(tmp_path / "other.emd", "w") as file:
        file["version_1/data/datacubes/datacube_000/data"] = other
    dock.session.open(tmp_path / "other.emd")
    dock.settle()
    layers = dock.viewer.layers
    assert {layer.name for layer in layers} == {f"other {name}" for name in names}
    for name in names:
        assert layers[f"other {name}"] is before[name]
    np.testing.assert_array_equal(layers["other scan"].data, other.sum((2, 3)))
    np.testing.assert_array_equal(layers["other pattern"].data, other[4, 4])
    np.testing.assert_array_equal(layers["other cursor"].data, [[4, 4]])
    assert not len(layers["other region"].data)
    for hand, picture in (("cursor", "scan"), ("detector", "pattern")):
        one, below = layers[f"other {hand}"], layers[f"other {picture}"]
        np.testing.assert_allclose(one.scale, below.scale)
        np.testing.assert_allclose(one.translate, below.translate)
