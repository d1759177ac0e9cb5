"""Who writes one image of several is told which, and what is not written."""

import numpy as np
import pytest

import brickfield as bf
from brickfield.errors import OptionError
from brickfield.imaris import to_imaris
from brickfield.pyramid import write_pyramid
from brickfield.testing.zarr_stores import ramp, write_group, write_image
from brickfield.transforms import BakeOptions, Downsample, Gaussian, Move, bake

AXES = [{"name": a, "type": "space", "unit": "micrometer"} for a in "zyx"]


def scene(root):
    level = {"type": "identity", "input": {"path": "0"}, "output": {"name": "own"}}
    image = {
        "coordinateSystems": [{"name": "own", "axes": AXES}],
        "datasets": [{"path": "0", "coordinateTransformations": [level]}],
    }
    ways = []
    for i in range(2):
        about = {"ome": {"version": "0.6", "multiscales": [image]}}
        write_image(root / f"i{i}", [ramp((4, 8, 8), seed=i)], about, zarr_format=3)
        turn = [[1, 0, 0, 0], [0, 0.6, -0.8, 0], [0, 0.8, 0.6, 9 * i]]
        ways.append(
            {
                "type": "affine",
                "affine": turn,
                "input": {"path": f"i{i}", "name": "own"},
                "output": {"name": "world"},
            }
        )
    about = {
        "coordinateSystems": [{"name": "world", "axes": AXES}],
        "coordinateTransformations": ways,
    }
    write_group(root, {"ome": {"version": "0.6", "scene": about}}, zarr_format=3)
    return str(root)


def test_a_pyramid_of_a_scene_says_which_image_it_took_and_what_it_lost(tmp_path):
    notes = write_pyramid(scene(tmp_path / "s.zarr"), tmp_path / "p.zarr").notes
    assert any("2 images that belong together; took 'i0' alone" in n for n in notes)
    assert any("turns, shears or mirrors" in n for n in notes)


def test_version_06_keeps_what_turns_an_image(tmp_path):
    uri = scene(tmp_path / "s.zarr")
    opening = {"series": "i1"}
    kept = write_pyramid(uri, tmp_path / "p.zarr", version="0.6", opening=opening)
    assert kept.notes == ()
    with bf.open_store(uri, series="i1") as one, bf.open_store(kept.path) as written:
        assert np.array_equal(one.transform, written.transform)


def test_levels_added_to_a_turned_image_lose_nothing(tmp_path):
    first = tmp_path / "p.zarr"
    opening = {"series": "i1"}
    write_pyramid(
        scene(tmp_path / "s.zarr"), first, version="0.6", opening=opening, levels=1
    )
    with bf.open_store(first) as before:
        expected = before.transform
    added = write_pyramid(str(first), first, levels=2, factors=2)
    assert (added.notes, len(added.levels)) == ((), 1)
    with bf.open_store(first) as after:
        assert np.array_equal(after.transform, expected)
        assert not after.findings
        found = after.pyramid.levels[1].voxel_size_zyx
    np.testing.assert_allclose(found, (2, 2, 2))


@pytest.mark.parametrize("recipe", [Gaussian(1), Downsample(2)])
def test_voxels_that_stay_in_place_keep_what_turns_them_in_06(tmp_path, recipe):
    uri = scene(tmp_path / "s.zarr")
    opening = {"series": "i1"}
    with pytest.raises(OptionError, match=r"--version 0\.6"):
        bake(uri, tmp_path / "a.zarr", recipe, opening=opening)
    bake(uri, tmp_path / "b.zarr", recipe, BakeOptions(version="0.6"), opening=opening)
    joined = recipe.factor if isinstance(recipe, Downsample) else 1
    box = np.diag([joined] * 3 + [1.0])
    box[:3, 3] = (joined - 1) / 2
    with (
        bf.open_store(uri, series="i1") as one,
        bf.open_store(tmp_path / "b.zarr") as b,
    ):
        np.testing.assert_allclose(b.transform, one.transform @ box, atol=1e-12)


def test_of_a_chosen_image_only_what_is_lost_is_said(tmp_path):
    uri = scene(tmp_path / "s.zarr")
    chosen = {"series": "i1"}
    notes = write_pyramid(uri, tmp_path / "p.zarr", opening=chosen).notes
    assert not any("belong together" in n for n in notes)
    assert any("turns, shears or mirrors" in n for n in notes)


@pytest.fixture
def collection(tmp_path):
    """Two images that only lie in one folder, as a converter of series leaves them."""
    root = tmp_path / "c.zarr"
    write_group(
        root, {"ome": {"version": "0.5", "bioformats2raw.layout": 3}}, zarr_format=3
    )
    write_group(
        root / "OME", {"ome": {"version": "0.5", "series": ["0", "1"]}}, zarr_format=3
    )
    for i in range(2):
        about = {
            "ome": {
                "version": "0.5",
                "multiscales": [
                    {
                        "name": f"n{i}",
                        "axes": AXES,
                        "datasets": [
                            {
                                "path": "0",
                                "coordinateTransformations": [
                                    {"type": "scale", "scale": [1, 1, 1]}
                                ],
                            }
                        ],
                    }
                ],
            }
        }
        write_image(root / str(i), [ramp((4, 8, 8), seed=i)], about, zarr_format=3)
    return str(root)


WRITERS = {
    "pyramid": lambda uri, to, how: write_pyramid(uri, to / "p.zarr", opening=how),
    "transform": lambda uri, to, how: bake(
        uri, to / "t.zarr", Move(by=(1, 0, 0)), opening=how
    ),
    "imaris": lambda uri, to, how: to_imaris(uri, to / "i.ims", opening=how),
}


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_of_several_images_without_a_choice_the_one_taken_is_named(
    collection, tmp_path, write
):
    text = "found 2 images; took the first image alone, 'n0'"
    assert any(text in note for note in write(collection, tmp_path, None).notes)


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_a_chosen_image_needs_no_note(collection, tmp_path, write):
    notes = write(collection, tmp_path, {"series": "1"}).notes
    assert not any("found 2 images" in note for note in notes)
