"""Tiles are listed with the places that their files say, and nothing is opened for it."""

import shutil

import h5py
import numpy as np
import pytest

from brickfield.errors import StoreFormatError
from brickfield.sources.mosaic import list_tiles, open_mosaic_source
from brickfield.testing.zarr_stores import image_attributes, write_group, write_image

AXES = [{"name": a, "type": "space", "unit": "micrometer"} for a in "zyx"]
VOLUME = np.random.default_rng(0).integers(1, 250, (4, 6, 8)).astype("u1")


def image_06(further=None):
    level = {"type": "scale", "scale": [2, 1, 1], "input": {"path": "0"}}
    image = {
        "coordinateSystems": [{"name": "own", "axes": AXES}],
        "datasets": [
            {
                "path": "0",
                "coordinateTransformations": [level | {"output": {"name": "own"}}],
            }
        ],
    }
    return {"ome": {"version": "0.6", "multiscales": [image | (further or {})]}}


def write_scene(root, transforms):
    scene = {
        "coordinateSystems": [{"name": "world", "axes": AXES}],
        "coordinateTransformations": [
            {
                **t,
                "input": {"path": f"i{n}", "name": "own"},
                "output": {"name": "world"},
            }
            for n, t in enumerate(transforms)
        ],
    }
    write_group(root, {"ome": {"version": "0.6", "scene": scene}}, zarr_format=3)
    for n in range(len(transforms)):
        write_image(root / f"i{n}", [VOLUME], image_06(), zarr_format=3)
    return str(root)


def test_an_image_of_a_scene_lies_where_the_path_from_its_array_leads(tmp_path):
    turn = [[1, 0, 0, 5], [0, 0, -1, 6], [0, 1, 0, 7]]
    uri = write_scene(tmp_path / "s.zarr", [{"type": "affine", "affine": turn}])
    ((place, _),) = list_tiles(uri).tiles
    assert place.shape == (4, 6, 8)
    expected = np.array([*turn, [0, 0, 0, 1]]) @ np.diag([2, 1, 1, 1])
    np.testing.assert_array_equal(place.matrix.matrix, expected)


def test_an_image_without_a_usable_path_is_left_out_with_a_finding(tmp_path):
    uri = write_scene(
        tmp_path / "s.zarr",
        [{"type": "identity"}, {"type": "displacements", "path": "d"}],
    )
    listed = list_tiles(uri)
    assert [place.name for place, _ in listed.tiles] == ["i0"]
    (finding,) = [f for f in listed.findings if f.code == "tile-left-out"]
    assert "displacements" in finding.text


def test_images_that_a_scene_names_and_lacks_are_told_together(tmp_path):
    uri = write_scene(tmp_path / "s.zarr", [{"type": "identity"}] * 14)
    for n in range(2, 14):
        shutil.rmtree(tmp_path / "s.zarr" / f"i{n}")
    listed = list_tiles(uri)
    assert [place.name for place, _ in listed.tiles] == ["i0", "i1"]
    (finding,) = [f for f in listed.findings if f.code == "tile-left-out"]
    assert "'i2', 'i3'" in finding.text
    assert "and 2 others" in finding.text


def test_images_in_other_units_than_the_scene_are_told(tmp_path):
    uri = write_scene(tmp_path / "s.zarr", [{"type": "identity"}] * 2)
    assert not [f for f in list_tiles(uri).findings if f.code == "mixed-units"]
    place = tmp_path / "s.zarr" / "i1" / "zarr.json"
    text = place.read_text("utf-8")
    assert "micrometer" in text
    place.write_text(text.replace("micrometer", "nanometer"), "utf-8")
    (finding,) = [f for f in list_tiles(uri).findings if f.code == "mixed-units"]
    assert "in micrometer as the scene is; found nanometer" in finding.text


def test_numbers_that_are_none_leave_their_image_out(tmp_path):
    shift = {"type": "translation", "translation": [0.0, 0.0, float("nan")]}
    uri = write_scene(tmp_path / "s.zarr", [{"type": "identity"}, shift])
    listed = list_tiles(uri)
    assert [place.name for place, _ in listed.tiles] == ["i0"]
    assert any("expected finite numbers" in f.text for f in listed.findings)


def test_images_that_lead_to_one_another_alone_are_refused_in_a_sentence(tmp_path):
    """A cycle that the scene's own system is no part of is a dead end."""
    uri = write_scene(tmp_path / "s.zarr", [{"type": "identity"}] * 2)
    round_about = [
        {
            "type": "identity",
            "input": {"path": f"i{a}", "name": "own"},
            "output": {"path": f"i{b}", "name": "own"},
        }
        for a, b in ((0, 1), (1, 0))
    ]
    scene = {
        "coordinateSystems": [{"name": "world", "axes": AXES}],
        "coordinateTransformations": round_about,
    }
    about = {"ome": {"version": "0.6", "scene": scene}}
    write_group(tmp_path / "s.zarr", about, zarr_format=3)
    with pytest.raises(StoreFormatError, match="no path between them"):
        open_mosaic_source(uri)


def test_more_images_than_can_be_listed_are_refused_before_any_is_looked_for(
    tmp_path, monkeypatch
):
    uri = write_scene(tmp_path / "s.zarr", [{"type": "identity"}] * 5)
    monkeypatch.setattr("brickfield.sources.mosaic.listing.MOST_TILES", 4)
    with pytest.raises(StoreFormatError, match="at most 4 images in a scene; found 5"):
        list_tiles(uri)


def test_a_scene_of_which_nothing_is_there_is_refused_in_a_sentence(tmp_path):
    uri = write_scene(tmp_path / "s.zarr", [{"type": "displacements", "path": "d"}])
    with pytest.raises(
        StoreFormatError, match=r"images to put together.*displacements"
    ):
        open_mosaic_source(uri)


def test_images_of_a_collection_lie_where_each_says(tmp_path):
    root = tmp_path / "c.zarr"
    write_group(root, {"bioformats2raw.layout": 3})
    write_group(root / "OME", {"series": ["0", "1"]})
    for i in range(2):
        attributes = image_attributes("zyx", [[1, 1, 1]], translations=[[0, 0, 8 * i]])
        write_image(root / str(i), [VOLUME], attributes)
    listed = list_tiles(str(root))
    assert listed.kind == "collection"
    assert not listed.is_scene
    source = open_mosaic_source(str(root))
    found = source.read_storage_chunk(0, (0, 0, 0)).data
    assert np.array_equal(found, np.concatenate([VOLUME, VOLUME], axis=2))


def write_project(folder, registrations, n_times):
    with h5py.File(folder / "d.h5", "w") as file:
        file["s00/resolutions"] = np.array([[1.0, 1, 1]])
        for t in range(n_times):
            file[f"t{t:05d}/s00/0/cells"] = VOLUME.astype("i2") + t
    places = "".join(
        f'<ViewRegistration timepoint="{t}" setup="0"><ViewTransform type="affine">'
        f"<affine>{text}</affine></ViewTransform></ViewRegistration>"
        for t, text in enumerate(registrations)
    )
    (folder / "d.xml").write_text(
        '<SpimData version="0.2"><BasePath type="relative">.</BasePath>'
        '<SequenceDescription><ImageLoader format="bdv.hdf5">'
        '<hdf5 type="relative">d.h5</hdf5></ImageLoader><ViewSetups><ViewSetup><id>0</id>'
        "<name>v</name><size>8 6 4</size></ViewSetup></ViewSetups>"
        f'<Timepoints type="range"><first>0</first><last>{n_times - 1}</last></Timepoints>'
        f"</SequenceDescription><ViewRegistrations>{places}</ViewRegistrations></SpimData>"
    )
    return str(folder / "d.xml")


def test_a_view_that_moves_with_time_is_a_tile_for_each_time(tmp_path):
    still, moved = "1 0 0 0 0 1 0 0 0 0 1 0", "1 0 0 8 0 1 0 0 0 0 1 0"
    uri = write_project(tmp_path, [still, moved], 2)
    places = [place for place, _ in list_tiles(uri).tiles]
    assert [(p.name, p.time, p.matrix.matrix[2, 3]) for p in places] == [
        ("v t0", 0, 0),
        ("v t1", 1, 8),
    ]
    source = open_mosaic_source(uri)
    assert "moving-registration" not in {f.code for f in source.info.findings}
    first = source.read_storage_chunk(0, (0, 0, 0, 0, 0)).data[0, 0]
    second = source.read_storage_chunk(0, (1, 0, 0, 0, 0)).data[0, 0]
    assert np.array_equal(first[..., :8], VOLUME)
    assert not first[..., 8:].any()
    assert np.array_equal(second[..., 8:], VOLUME + 1)


def test_listing_a_project_opens_no_array(tmp_path):
    uri = write_project(tmp_path, ["1 0 0 0 0 1 0 0 0 0 1 0"], 1)
    (tmp_path / "d.h5").unlink()
    ((place, _),) = list_tiles(uri).tiles
    assert place.shape == (4, 6, 8)
