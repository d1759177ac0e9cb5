"""The window Export to Imaris, of napari's layers."""

from contextlib import suppress

import numpy as np
import pytest
from napari.utils.notifications import notification_manager
from numpy.testing import assert_array_equal

import brickfield as bf
from brickfield.plugin.export.imaris_window import open_export, voxels_of
from brickfield.plugin.layers.registry import scene_of

pytestmark = pytest.mark.napari
RNG = np.random.default_rng(6)


@pytest.fixture
def opened(make_napari_viewer, tmp_path):
    """A window with two channels of two time points, and its dialog."""
    viewer = make_napari_viewer()
    image = RNG.integers(0, 900, (2, 6, 20, 24)).astype("u2")
    for name, data in (("nuclei", image), ("wall", image + 1)):
        viewer.add_image(data, name=name, scale=(1, 2, 1, 1))
    viewer.dims.set_current_step(0, 1)
    # Held, as a dock would: the box of a scene that nobody has goes with it.
    scene = scene_of(viewer)
    scene.layers[0].clip_box = ((3.5, 4.5, 0), (9, 12, 12.2))
    viewer.layers.selection = set(viewer.layers)
    dialog = open_export(viewer)
    dialog.place.setText(str(tmp_path / "a.ims"))
    yield viewer, image, dialog
    with suppress(RuntimeError):  # closed by the test, and deleted
        dialog.close()


def write(dialog, qtbot):
    qtbot.waitUntil(dialog.start.isEnabled, timeout=20_000)
    dialog.start.click()
    qtbot.waitUntil(lambda: dialog.cancel.text() == "Close", timeout=20_000)


def test_selected_layers_are_offered_and_all_is_written(opened, qtbot, tmp_path):
    _, image, dialog = opened
    assert [box.text() for box in dialog.channels] == ["nuclei", "wall"]
    write(dialog, qtbot)
    assert dialog.words.text().startswith("Written and read back: a.ims")
    with bf.open_store(tmp_path / "a.ims") as store:
        assert_array_equal(store.read(0, None, (1, 1)), image[1] + 1)


def test_the_clip_box_of_the_view_and_one_channel_are_written(opened, qtbot, tmp_path):
    _, image, dialog = opened
    dialog.channels[0].setChecked(False)
    dialog.regions[1].setChecked(True)
    write(dialog, qtbot)
    with bf.open_store(tmp_path / "a.ims") as store:
        assert len(store.channels) == 1
        found = store.read(0, None, (0, 0))
    assert_array_equal(found, image[0, 2:5, 5:13, 0:13] + 1)


def test_layers_of_the_same_shape_are_offered_but_not_chosen(opened, qtbot, tmp_path):
    viewer, image, _ = opened
    viewer.add_image(np.zeros((3, 4), "u2"), name="flat")
    viewer.add_image(image.astype("f4"), name="float")
    viewer.layers.selection = {viewer.layers["wall"]}
    dialog = open_export(viewer)
    boxes = {box.toolTip(): box.isChecked() for box in dialog.channels}
    assert boxes == {"nuclei": False, "wall": True, "float": False}
    dialog.place.setText(str(tmp_path / "b.ims"))
    write(dialog, qtbot)
    dialog.close()
    with bf.open_store(tmp_path / "b.ims") as store:
        assert [channel.name for channel in store.channels] == ["wall"]
        assert store.pyramid.dtype == np.uint16
        assert_array_equal(store.read(0, None, (1, 0)), image[1] + 1)


def _written_in_the_box(dialog, qtbot, tmp_path):
    dialog.place.setText(str(tmp_path / "a.ims"))
    dialog.regions[1].setChecked(True)
    write(dialog, qtbot)
    dialog.close()
    with bf.open_store(tmp_path / "a.ims") as store:
        return store.read(0, None, (0, 0))


def test_the_clip_box_of_a_layer_with_an_affine_is_that_of_its_voxels(
    make_napari_viewer, qtbot, tmp_path
):
    viewer = make_napari_viewer()
    image = RNG.integers(0, 900, (6, 20, 24)).astype("u2")
    affine = np.diag([2.0, 0.5, 1.0, 1.0])
    affine[:3, 3] = 10, 20, 30
    viewer.add_image(image, scale=(1, 2, 1), affine=affine)
    # World = affine of (z, 2 y, x): (2 z + 10, y + 20, x + 30).
    scene = scene_of(viewer)
    scene.layers[0].clip_box = ((13.5, 24.5, 30), (19, 32, 42.2))
    found = _written_in_the_box(open_export(viewer), qtbot, tmp_path)
    assert_array_equal(found, image[2:5, 5:13, 0:13])


def test_the_clip_box_of_a_turned_layer_is_the_smallest_one_along_its_axes(
    make_napari_viewer, qtbot, tmp_path
):
    viewer = make_napari_viewer()
    image = RNG.integers(0, 900, (4, 20, 24)).astype("u2")
    turn = np.eye(4)
    turn[1:3, 1:3] = [[0, -1], [1, 0]]  # y of the world is −x, x of the world is y
    viewer.add_image(image, affine=turn)
    scene = scene_of(viewer)
    scene.layers[0].clip_box = ((1, -10, 3), (2, -6, 9))
    found = _written_in_the_box(open_export(viewer), qtbot, tmp_path)
    assert_array_equal(found, image[1:3, 3:10, 6:11])


def test_the_time_point_on_show_is_written(opened, qtbot, tmp_path):
    _, image, dialog = opened
    dialog.regions[2].setChecked(True)
    write(dialog, qtbot)
    with bf.open_store(tmp_path / "a.ims") as store:
        assert_array_equal(store.read(0, None, (0, 0)), image[1])


def test_what_was_written_can_be_opened_from_the_window(opened, qtbot):
    viewer, _, dialog = opened
    write(dialog, qtbot)
    dialog.words.linkActivated.emit("open")
    assert len(viewer.layers) == 4


def test_what_is_written_goes_on_when_the_window_is_closed(opened, qtbot, tmp_path):
    _, image, dialog = opened
    told = []
    notification_manager.notification_ready.connect(
        lambda event: told.append(event.message)
    )
    qtbot.waitUntil(dialog.start.isEnabled, timeout=20_000)
    dialog.start.click()
    dialog.close()
    qtbot.waitUntil(lambda: any("read back" in text for text in told), timeout=20_000)
    with bf.open_store(tmp_path / "a.ims") as store:
        assert_array_equal(store.read(0, None, (1, 0)), image[1])


def test_a_rotation_that_cannot_be_written_is_told_before(make_napari_viewer, qtbot):
    viewer = make_napari_viewer()
    viewer.add_image(RNG.integers(0, 9, (6, 20, 24)).astype("u2"), rotate=(0, 0, 30))
    dialog = open_export(viewer)
    qtbot.waitUntil(dialog.start.isEnabled, timeout=20_000)
    assert "rotated" in dialog.words.text()
    dialog.close()


def test_without_a_layer_of_voxels_no_window_opens(make_napari_viewer):
    viewer = make_napari_viewer()
    viewer.add_points(np.zeros((1, 3)))
    assert open_export(viewer) is None


def test_a_box_takes_the_voxels_of_a_coarser_level_over_the_same_extent():
    box = ((1, 0, 4), (5, 7, 100))
    assert voxels_of(box, (8, 16, 16), (4, 8, 8)) == [(1, 3), (0, 4), (2, 8)]
