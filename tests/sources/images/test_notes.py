"""Who writes one image of a scene is told which, and what is not written."""

from brickfield.pyramid import write_pyramid
from brickfield.testing.zarr_stores import ramp, write_group, write_image

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


def test_of_a_chosen_image_only_what_is_lost_is_said(tmp_path):
    uri = scene(tmp_path / "s.zarr")
    chosen = {"series": "i1"}
    notes = write_pyramid(uri, tmp_path / "p.zarr", opening=chosen).notes
    assert not any("belong together" in n for n in notes)
    assert any("turns, shears or mirrors" in n for n in notes)
