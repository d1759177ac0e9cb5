"""The dock Transforms, in a window."""

import json
import subprocess
import sys
import time

import numpy as np
import pytest
from qtpy.QtCore import QCoreApplication
from qtpy.QtWidgets import QPushButton

from brickfield.plugin.transforms import turned_layers
from brickfield.plugin.transforms.widget import Transforms
from brickfield.sources import from_arrays
from brickfield.store import open_store
from brickfield.testing.zarr_stores import write_image
from brickfield.transforms import BakeOptions, Deskew, Move, bake

pytestmark = [pytest.mark.napari, pytest.mark.qt]
DATA = np.random.default_rng(6).integers(0, 255, (9, 9, 9), dtype=np.uint8)


@pytest.fixture
def viewer(make_napari_viewer):
    return make_napari_viewer(show=False)


@pytest.fixture
def dock(viewer):
    made = Transforms(viewer)
    viewer.window.add_dock_widget(made, name="Transforms")
    return made


@pytest.fixture
def stored(tmp_path):
    return write_image(tmp_path / "data" / "a.ome.zarr", [DATA])


def turn_until(is_true, limit_s=60.0):
    end = time.monotonic() + limit_s
    while not is_true():
        assert time.monotonic() < end, "it did not happen"
        QCoreApplication.processEvents()
        time.sleep(0.01)


def typed(box, text):
    box.setText(text)
    box.setModified(True)
    box.editingFinished.emit()


def test_its_buttons_have_the_words_that_people_look_for(dock):
    words = {button.text() for button in dock.findChildren(QPushButton)}
    assert {"Bake", "Reset"} <= words


def test_without_an_image_it_says_what_to_do(dock, viewer):
    assert dock.scroll.isHidden()
    viewer.add_points(np.zeros((2, 3)))
    assert dock.scroll.isHidden()
    viewer.add_image(DATA, name="cells")
    assert not dock.scroll.isHidden()
    assert dock.layers.currentText() == "cells"


def test_a_turn_writes_the_layers_matrix_at_once(dock, viewer):
    """About the middle of a stack whose planes are 3 apart, +z goes to +x."""
    layer = viewer.add_image(DATA, scale=(3, 1, 1), translate=(10, 0, 0))
    dock.angle.moved.emit(90.0)
    affine = layer.affine.affine_matrix
    middle = np.array([10 + 3 * 4, 4, 4, 1.0])
    assert np.allclose(affine @ middle, middle)
    # But for a ten-thousandth of a degree, since napari inverts parts of the matrix.
    along_z, along_x = np.eye(4)[0], np.eye(4)[2]
    assert np.allclose(affine @ along_z, along_x, atol=1e-5)
    assert layer.data is DATA


def test_a_shift_is_in_world_units_and_after_the_turn(dock, viewer):
    layer = viewer.add_image(DATA, scale=(3, 1, 1))
    typed(dock.shift[1], "12.5")
    assert np.allclose(layer.affine.affine_matrix[:3, 3], (0, 12.5, 0))
    dock.angle.moved.emit(180.0)
    assert layer.affine.affine_matrix[0, 0] == -1


def test_reset_lets_the_layer_lie_as_before(dock, viewer):
    own = np.eye(4)
    own[0, 3] = 7
    layer = viewer.add_image(DATA, affine=own)
    assert not dock.reset.isEnabled()
    dock.angle.moved.emit(30.0)
    assert not np.allclose(layer.affine.affine_matrix, own)
    dock.reset.click()
    assert np.array_equal(layer.affine.affine_matrix, own)
    assert dock.turn.is_nothing
    assert dock.angle.value == 0


def test_what_was_chosen_is_found_again_by_another_dock(dock, viewer):
    viewer.add_image(DATA)
    dock._choose_axis(2)
    dock.angle.moved.emit(12.5)
    typed(dock.centre[0], "1")
    other = Transforms(viewer)
    assert other.turn == dock.turn
    assert (other.turn.axis, other.turn.degrees) == ("x", 12.5)
    other.deleteLater()


def test_another_affine_from_elsewhere_is_the_new_beginning(dock, viewer):
    layer = viewer.add_image(DATA)
    dock.angle.moved.emit(30.0)
    layer.affine = np.diag([1, 1, 2, 1.0])
    assert dock.turn.is_nothing
    dock.angle.moved.emit(10.0)
    dock.reset.click()
    assert np.array_equal(layer.affine.affine_matrix, np.diag([1, 1, 2, 1.0]))


def test_all_channels_of_an_image_turn_together(dock, viewer, tmp_path):
    data = np.stack([DATA, DATA])
    path = tmp_path / "c.ome.zarr"
    bake(from_arrays(data, axes="czyx"), path, Move())
    first, second = _layers(viewer, path)
    alone = viewer.add_image(DATA)
    viewer.layers.selection.active = first
    dock.angle.moved.emit(45.0)
    assert np.allclose(first.affine.affine_matrix, second.affine.affine_matrix)
    assert first.affine.affine_matrix[-2, -2] < 0.8
    assert np.array_equal(alone.affine.affine_matrix, np.eye(4))


def _layers(viewer, path):
    from brickfield.plugin.layers.make import open_layers

    made = open_layers(str(path))
    for layer in made:
        viewer.add_layer(layer)
    return made


def test_a_flat_image_is_turned_about_z_alone(dock, viewer):
    layer = viewer.add_image(DATA[0])
    assert dock.axis.currentText() == "z"
    assert not dock.axis.isEnabled()
    assert not dock.shift[0].isEnabled()
    dock.angle.moved.emit(90.0)
    assert np.allclose(layer.affine.affine_matrix @ [4, 5, 1], [5, 4, 1], atol=1e-5)


def test_baking_is_told_beforehand_and_writes_what_is_shown(
    dock, viewer, stored, tmp_path
):
    (layer,) = _layers(viewer, stored)
    assert dock.place == str(stored.with_name("a-turned.ome.zarr"))
    turn_until(lambda: "first" in dock.outlook.text())
    assert not dock.bake.isEnabled()
    dock._choose_axis(0)
    dock.angle.moved.emit(90.0)
    turn_until(dock.bake.isEnabled)
    assert "at most" in dock.outlook.text()
    assert "free there" in dock.outlook.text()
    dock.show_target(str(tmp_path / "new.ome.zarr"))
    dock.bake.click()
    turn_until(lambda: len(viewer.layers) == 2)
    baked = viewer.layers[-1]
    expected = np.rot90(DATA, 1, axes=(2, 1))
    assert np.array_equal(np.asarray(baked.data[0]), expected)
    # It lies where the turned layer lies.
    assert np.allclose(baked.extent.world, layer.extent.world, atol=1e-4)
    assert viewer.layers.selection.active is layer
    assert "new.ome.zarr" in dock.outlook.text()


def test_what_cannot_be_written_is_said_before_the_button_can_be_pressed(
    dock, viewer, stored, tmp_path
):
    _layers(viewer, stored)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "letter.txt").write_text("")
    dock.angle.moved.emit(10.0)
    for place, words in (
        (str(stored), "expected"),
        ("", "Name a new folder"),
        (str(tmp_path / "taken"), "name another"),
    ):
        dock.show_target(place)
        dock.target_edited.emit(place)
        turn_until(lambda w=words: w in dock.outlook.text())
        assert not dock.bake.isEnabled()


def test_an_array_in_memory_is_baked_smoothed(dock, viewer, tmp_path):
    from scipy import ndimage

    viewer.add_image(DATA, scale=(2, 1, 1), name="cells 1")
    assert dock.place.endswith("cells-1-turned.ome.zarr")
    for box in dock.sigma:
        typed(box, "1")
    dock.show_target(str(tmp_path / "s.ome.zarr"))
    dock.bake_to(dock.place)
    turn_until(lambda: len(viewer.layers) == 2)
    smooth = ndimage.gaussian_filter(DATA.astype(float), 1, mode="nearest")
    assert np.array_equal(np.asarray(viewer.layers[-1].data[0]), np.rint(smooth))
    assert viewer.layers[-1].scale.tolist() == [2, 1, 1]


def test_a_layer_that_is_scaled_otherwise_than_its_file_is_baked_as_it_lies(
    dock, viewer, stored, tmp_path
):
    (layer,) = _layers(viewer, stored)
    layer.scale = (4, 1, 1)
    turn = turned_layers.Turn(90, "y", (4, 4, 4))
    recipe = turned_layers.recipe_of(layer, turn)
    from brickfield.transforms.recipes import Place

    matrix = recipe.matrix(Place((9, 9, 9)))
    # A step along z is 4 long, so 4 voxels along x.
    assert np.allclose(matrix[:3, :3] @ [1, 0, 0], [0, 0, 4])


@pytest.mark.bindings
def test_a_dock_that_was_deleted_hears_nothing(viewer):
    made = Transforms(viewer)
    layer = viewer.add_image(DATA)
    made.deleteLater()
    QCoreApplication.sendPostedEvents(made, 52)  # DeferredDelete
    QCoreApplication.processEvents()
    layer.affine = np.diag([1, 1, 2, 1.0])
    viewer.add_image(DATA)
    viewer.layers.clear()


def test_a_stack_of_oblique_planes_is_deskewed_while_numbers_are_typed(dock, viewer):
    """Plane k lies k step sin(angle) behind the first, k step cos(angle) along y."""
    layer = viewer.add_image(DATA, scale=(0.5, 0.2, 0.2), translate=(1, 2, 3))
    dock.oblique.setChecked(True)
    for box, text in zip(dock.deskew, ("60", "0.4", "0.1"), strict=True):
        typed(box, text)
    whole = layer.affine.affine_matrix @ turned_layers.own_matrix(layer)
    k, y, x = 5, 3, 7
    expected = (
        1 + k * 0.4 * np.sin(np.pi / 3),
        2 + k * 0.4 * np.cos(np.pi / 3) + y * 0.1,
        3 + x * 0.1,
        1,
    )
    np.testing.assert_allclose(whole @ (k, y, x, 1), expected)
    dock.oblique.setChecked(False)
    np.testing.assert_array_equal(layer.affine.affine_matrix, np.eye(4))


def test_what_is_offered_for_oblique_planes_is_what_the_image_says(dock, viewer):
    viewer.add_image(DATA, scale=(0.5, 0.2, 0.2))
    assert dock._deskew == (turned_layers.USUAL_ANGLE, 0.5, 0.2)


def test_the_command_bakes_the_matrix_that_is_shown(dock, viewer, stored, tmp_path):
    layers = viewer.open(str(stored), plugin="napari-brickfield")
    dock.oblique.setChecked(True)
    typed(dock.deskew[0], "31.5")
    typed(dock.deskew[1], "0.75")
    shown = layers[0].affine.affine_matrix @ turned_layers.own_matrix(layers[0])
    words = [
        *("transform", "deskew", str(stored), str(tmp_path / "b.ome.zarr")),
        *("--angle", "31.5", "--step", "0.75", "--dry-run", "--json"),
    ]
    told = subprocess.run(
        [sys.executable, "-m", "brickfield.cli.main", *words],
        capture_output=True,
        check=True,
    )
    np.testing.assert_allclose(shown, json.loads(told.stdout)["matrix"], atol=1e-12)


def test_a_deskewed_stack_is_baked_alone(dock, viewer, stored, tmp_path):
    viewer.open(str(stored), plugin="napari-brickfield")
    dock.oblique.setChecked(True)
    typed(dock.deskew[1], "0.75")
    target = tmp_path / "baked.ome.zarr"
    dock.bake_to(str(target))
    turn_until(lambda: "Written" in dock.outlook.text())
    expected = tmp_path / "expected.ome.zarr"
    bake(str(stored), expected, Deskew(30.0, 0.75, 1.0), BakeOptions(fit=True))
    with open_store(str(target)) as ours, open_store(str(expected)) as theirs:
        np.testing.assert_array_equal(ours.read(0), theirs.read(0))
        assert ours.pyramid.levels[0] == theirs.pyramid.levels[0]
    dock.angle.moved.emit(20.0)
    turn_until(lambda: "alone first" in dock.outlook.text())
    assert not dock.bake.isEnabled()


def test_an_angle_that_is_none_is_told_in_the_dock(dock, viewer):
    layer = viewer.add_image(DATA)
    dock.oblique.setChecked(True)
    before = layer.affine.affine_matrix
    typed(dock.deskew[0], "180")
    assert "below 180 degrees" in dock.outlook.text()
    np.testing.assert_array_equal(layer.affine.affine_matrix, before)
