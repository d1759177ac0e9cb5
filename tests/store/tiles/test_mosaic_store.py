"""Images that belong together open as one store, which can be moved and saved."""

import json
import subprocess
import sys
from xml.etree import ElementTree as ET

import h5py
import numpy as np
import pytest

from brickfield.errors import OptionError, StoreWriteError
from brickfield.model import AffineTransform
from brickfield.sources.mosaic import list_tiles
from brickfield.store import MosaicStore, open_mosaic, open_store
from brickfield.testing.zarr_stores import write_group, write_image

AXES = [{"name": a, "type": "space", "unit": "micrometer"} for a in "zyx"]
VOLUMES = np.random.default_rng(0).integers(1, 250, (2, 10, 12, 14)).astype("u1")


def affine(x=0.0):
    return np.column_stack([np.eye(3), [0, 0, x]]).tolist()


@pytest.fixture
def scene(tmp_path):
    """Two tiles, the second 10 further along x."""
    transforms = [
        {
            "type": "affine",
            "affine": affine(10 * i),
            "input": {"path": f"tile_{i}", "name": "own"},
            "output": {"name": "world"},
        }
        for i in range(2)
    ]
    ome = {
        "version": "0.6",
        "scene": {
            "coordinateSystems": [{"name": "world", "axes": AXES}],
            "coordinateTransformations": transforms,
        },
    }
    write_group(tmp_path / "s.zarr", {"ome": ome}, zarr_format=3)
    level = {"type": "identity", "input": {"path": "0"}, "output": {"name": "own"}}
    image = {
        "coordinateSystems": [{"name": "own", "axes": AXES}],
        "datasets": [{"path": "0", "coordinateTransformations": [level]}],
    }
    for i in range(2):
        attributes = {"ome": {"version": "0.6", "multiscales": [image]}}
        folder = tmp_path / "s.zarr" / f"tile_{i}"
        write_image(folder, [VOLUMES[i]], attributes, zarr_format=3)
    return tmp_path / "s.zarr"


@pytest.fixture
def project(tmp_path):
    """A BigDataViewer project of two views, the second turned."""
    with h5py.File(tmp_path / "d.h5", "w") as file:
        for s in range(2):
            file[f"s{s:02d}/resolutions"] = np.array([[1.0, 1, 1]])
            file[f"t00000/s{s:02d}/0/cells"] = VOLUMES[s].astype("i2")
    maps = ["1 0 0 0 0 1 0 0 0 0 1 0", "0 -1 0 11 1 0 0 0 0 0 1 0"]
    views = "".join(
        f"<ViewSetup><id>{i}</id><name>angle {i}</name><size>14 12 10</size></ViewSetup>"
        for i in range(2)
    )
    registrations = "".join(
        f'<ViewRegistration timepoint="0" setup="{i}"><ViewTransform type="affine">'
        f"<affine>{m}</affine></ViewTransform></ViewRegistration>"
        for i, m in enumerate(maps)
    )
    (tmp_path / "d.xml").write_text(
        '<SpimData version="0.2"><BasePath type="relative">.</BasePath>'
        '<SequenceDescription><ImageLoader format="bdv.hdf5">'
        '<hdf5 type="relative">d.h5</hdf5></ImageLoader>'
        f'<ViewSetups>{views}</ViewSetups><Timepoints type="range"><first>0</first>'
        "<last>0</last></Timepoints></SequenceDescription>"
        f"<ViewRegistrations>{registrations}</ViewRegistrations></SpimData>"
    )
    return tmp_path / "d.xml"


def expected(shift):
    width = max(14, 14 + shift)
    result = np.zeros((10, 12, width), "u1")
    result[..., :14] = VOLUMES[0]
    part = result[..., shift : shift + 14]
    np.maximum(part, VOLUMES[1], out=part)
    return result


def test_a_scene_opens_with_all_its_images(scene):
    with open_store(scene) as store:
        assert isinstance(store, MosaicStore)
        assert [name for name, _, _ in store.tiles] == ["tile_0", "tile_1"]
        assert store.tiles[1][2].tolist() == [*affine(10), [0, 0, 0, 1]]
    with open_mosaic(scene, margin=0) as store:
        assert np.array_equal(store.read(0), expected(10))


def test_one_image_of_a_scene_opens_by_its_name(scene):
    with open_store(scene, series="tile_1") as store:
        assert not isinstance(store, MosaicStore)
        assert np.array_equal(store.read(0), VOLUMES[1])
    with open_store(scene, mosaic=False) as store:
        assert np.array_equal(store.read(0), VOLUMES[0])


def test_an_image_that_is_no_scene_opens_as_ever(tmp_path):
    write_image(tmp_path / "a.zarr", [VOLUMES[0]])
    with open_store(tmp_path / "a.zarr") as store:
        assert not isinstance(store, MosaicStore)


def test_a_project_opens_with_all_its_views(project):
    with open_mosaic(project, margin=0) as store:
        assert [p.name for p in store.places] == ["angle 0", "angle 1"]
        turned = np.rot90(VOLUMES[1], -1, axes=(1, 2))
        low = store.transform[:3, 3]
        box = np.zeros(store.pyramid.levels[0].shape_zyx, "u1")
        for volume, at in ((VOLUMES[0], (0, 0, 0)), (turned, (0, 0, 0))):
            start = np.rint(at - low).astype(int)
            where = tuple(
                slice(a, a + n) for a, n in zip(start, volume.shape, strict=True)
            )
            np.maximum(box[where], volume, out=box[where])
        assert np.array_equal(store.read(0), box)


def test_stores_and_matrices_make_a_mosaic():
    tiles = [open_store(v) for v in VOLUMES]
    with open_mosaic(
        tiles, [np.eye(4), [*affine(10), [0, 0, 0, 1]]], margin=0
    ) as store:
        assert np.array_equal(store.read(0), expected(10))
        assert store.tiles[0][1] is tiles[0]
    assert not tiles[0].is_closed
    for tile in tiles:
        tile.close()


def test_matrices_may_be_given_by_name(scene):
    with open_mosaic(scene, {"tile_1": [*affine(12), [0, 0, 0, 1]]}, margin=0) as store:
        assert np.array_equal(store.read(0), expected(12))


@pytest.mark.parametrize(
    ("matrices", "sentence"),
    [
        ({"x": np.eye(4)}, "names of tiles"),
        ([np.eye(4)], "a matrix for each of 2 tiles; found 1"),
        ({"tile_0": np.eye(3)}, "4 × 4 matrix"),
        ({"tile_0": np.zeros((4, 4))}, "4 × 4 matrix"),
        ({"tile_0": "abc"}, "matrix of numbers"),
        ({"tile_0": np.diag([1.0, 0, 1, 1])}, "can be inverted"),
    ],
)
def test_other_matrices_are_refused_in_a_sentence(scene, matrices, sentence):
    with pytest.raises(OptionError, match=sentence):
        open_mosaic(scene, matrices)


def test_a_moved_tile_is_read_where_it_is(scene):
    with open_mosaic(scene) as store:
        before = store.read(0)
        store.move("tile_1", [*affine(11), [0, 0, 0, 1]])
        low = np.rint(-store.transform[:3, 3]).astype(int)
        moved = store.read(0)[tuple(slice(a, None) for a in low)]
        assert np.array_equal(moved[:10, :12, :25], expected(11))
        store.reset()
        assert np.array_equal(store.read(0), before)


def test_places_are_saved_as_json_and_found_again(scene, tmp_path):
    with open_mosaic(scene) as store:
        store.move("tile_1", [*affine(11), [0, 0, 0, 1]])
        store.save_transforms(tmp_path / "moved.json")
    saved = json.loads((tmp_path / "moved.json").read_text())
    found = {tile["name"]: tile["matrix"] for tile in saved["tiles"]}
    with open_mosaic(scene, found, margin=0) as store:
        assert np.array_equal(store.read(0), expected(11))


def test_places_of_a_project_are_saved_as_a_new_project(project, tmp_path):
    old = project.read_bytes()
    (tmp_path / "new").mkdir()
    with open_mosaic(project) as store:
        store.move("angle 1", [*affine(1), [0, 0, 0, 1]])
        before = store.read(0)
        store.save_transforms(tmp_path / "new" / "moved.xml")
    assert project.read_bytes() == old
    root = ET.parse(tmp_path / "new" / "moved.xml").getroot()
    assert root.findtext("BasePath") == ".."
    listed = list_tiles(str(tmp_path / "new" / "moved.xml")).tiles
    assert listed[1][0].matrix.matrix.tolist() == [*affine(1), [0, 0, 0, 1]]
    with open_mosaic(tmp_path / "new" / "moved.xml", follow_links=True) as store:
        found = store.read(0)
    assert found.max() == before.max()
    assert (found > 0).sum() == (before > 0).sum()


def test_a_file_that_is_there_is_never_written_over(scene, project, tmp_path):
    with (
        open_mosaic(project) as store,
        pytest.raises(StoreWriteError, match="new file"),
    ):
        store.save_transforms(project)
    with open_mosaic(scene) as store:
        with pytest.raises(OptionError, match=r"\.json, \.xml or \.zarr"):
            store.save_transforms(tmp_path / "a.txt")
        with pytest.raises(OptionError, match=r"save \.json"):
            store.save_transforms(tmp_path / "a.xml")


def test_nothing_is_saved_inside_of_a_source(scene):
    with open_mosaic(scene) as store, pytest.raises(OptionError):
        store.save_transforms(scene / "tile_1" / "moved.json")
    assert not (scene / "tile_1" / "moved.json").exists()


def test_a_mosaic_names_all_that_it_reads(scene, project, tmp_path):
    with open_mosaic(scene) as store:
        assert scene in store.source.places()
    with open_mosaic(project) as store:
        assert {project, tmp_path / "d.h5"} <= set(store.source.places())
    for i, volume in enumerate(VOLUMES):
        write_image(tmp_path / f"{i}.zarr", [volume])
    both = [tmp_path / "0.zarr", tmp_path / "1.zarr"]
    with open_mosaic(both) as store:
        assert set(both) <= set(store.source.places())


def test_a_missing_tile_is_a_finding(scene):
    import shutil

    shutil.rmtree(scene / "tile_1")
    with open_mosaic(scene) as store:
        assert [p.name for p in store.places] == ["tile_0"]


def test_a_tile_that_is_left_out_is_in_no_level_that_was_read(scene):
    with open_store(scene) as store:
        whole = store.read(0)
        store.show("tile_1", is_shown=False)
        assert not store.is_shown("tile_1")
        assert not np.array_equal(store.read(0), whole)
        store.show("tile_0", "tile_1")
        assert np.array_equal(store.read(0), whole)
        with pytest.raises(OptionError, match="name of a tile"):
            store.show("other")


def test_a_forgotten_mosaic_reads_its_tiles_again(tmp_path):
    array = VOLUMES[0].copy()
    with open_mosaic([array]) as store:
        before = store.read(0)
        array[:] = 7
        assert np.array_equal(store.read(0), before)
        store.forget()
        assert (store.read(0)[store.read(0) > 0] == 7).all()


def test_another_look_of_the_tiles_follows_their_moves(scene):
    with open_store(scene) as store, store.seen_as(colour_by="tile") as colours:
        assert colours.pyramid.levels[0].shape[0] == 2
        matrix = store.place_of("tile_1").matrix.matrix
        matrix[2, 3] -= 1
        store.move("tile_1", matrix)
        both = [colours.read(0, selection=(c,)) for c in (0, 1)]
        assert np.array_equal(np.maximum(*both), store.read(0))
        store.show("tile_0", is_shown=False)
        assert not colours.read(0, selection=(0,)).any()


def test_several_tiles_are_put_elsewhere_together_or_not_at_all(scene):
    told = []
    with open_store(scene) as store:
        store.tiles_changed.connect(lambda: told.append(1))
        before = store.places
        near = AffineTransform.from_scale((1, 1, 1), (0, 0, 0.5))
        far = AffineTransform.from_scale((1, 1, 1), (0, 0, 1e18))
        with pytest.raises(OptionError, match="a size that can be drawn"):
            store.put({"tile_0": near, "tile_1": far})
        assert store.places == before
        assert not told
        store.put({"tile_0": near})
        assert told == [1]


def test_places_of_a_scene_are_saved_as_a_scene_beside_it(scene, tmp_path):
    before = {p: p.read_bytes() for p in scene.rglob("*") if p.is_file()}
    with open_store(scene) as store:
        matrix = store.place_of("tile_1").matrix.matrix
        matrix[2, 3] -= 1.5
        store.move("tile_1", matrix)
        made = store.save_transforms(tmp_path / "moved.zarr")
        moved = store.read(0)
        places = [p.matrix for p in store.places]
    assert {p: p.read_bytes() for p in scene.rglob("*") if p.is_file()} == before
    with open_store(made) as again:
        assert [p.matrix for p in again.places] == places
        found, rest = again.read(0), moved
    low = np.array(found.shape) - rest.shape
    assert found.max() == rest.max()
    assert (low <= 0).all()


def test_of_a_scene_that_could_not_be_saved_nothing_is_left(scene, tmp_path):
    code = f"""
import resource, signal
from brickfield.errors import StoreWriteError
from brickfield.store import open_store
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with open_store({str(scene)!r}) as store:
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
    try:
        store.save_transforms({str(tmp_path / "moved.zarr")!r})
    except StoreWriteError as error:
        print(error)
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert "File too large" in done.stdout, done.stderr
    assert [p.name for p in tmp_path.iterdir()] == [scene.name]


def test_a_scene_is_saved_beside_the_old_one_alone(scene, project, tmp_path):
    (tmp_path / "other").mkdir()
    with open_store(scene) as store:
        with pytest.raises(OptionError, match="expected a place beside"):
            store.save_transforms(tmp_path / "other" / "moved.zarr")
        (tmp_path / "there.zarr").mkdir()
        with pytest.raises(StoreWriteError, match="one that is there"):
            store.save_transforms(tmp_path / "there.zarr")
    with (
        open_store(project) as store,
        pytest.raises(OptionError, match=r"save \.json"),
    ):
        store.save_transforms(tmp_path / "moved.zarr")


def test_a_scene_that_is_opened_has_the_size_of_its_tiles(scene):
    with open_store(scene) as store:
        assert store.pyramid.levels[0].shape == (10, 12, 24)
    with open_store(scene, margin=0.5) as store:
        assert store.pyramid.levels[0].shape == (20, 24, 38)


def test_an_overlap_that_is_none_is_told(scene):
    with pytest.raises(OptionError, match="max, mean, feather, first"):
        open_store(scene, overlap="nope")


def test_images_too_far_apart_for_one_mosaic_open_apart_and_say_why(scene):
    path = scene / "zarr.json"
    about = json.loads(path.read_text())
    transforms = about["attributes"]["ome"]["scene"]["coordinateTransformations"]
    transforms[1]["affine"] = affine(1e18)
    path.write_text(json.dumps(about))
    with open_store(scene) as store:
        assert np.array_equal(store.read(0), VOLUMES[0])
        (finding,) = [f for f in store.findings if f.code == "images-apart"]
        assert "a size that can be drawn" in finding.text
        assert "opened the first image alone" in finding.text


@pytest.mark.parametrize("name", ["tile_0/0/zarr.json", "tile_0/zarr.json"])
@pytest.mark.parametrize("text", ["{}", "{", ""])
def test_a_scene_of_which_one_image_cannot_be_opened_shows_the_others(
    scene, name, text
):
    (scene / name).write_text(text)
    with open_mosaic(scene, margin=0) as store:
        assert np.array_equal(store.read(0), VOLUMES[1])
        (finding,) = [f for f in store.findings if f.code == "tile-left-out"]
        assert "left 'tile_0' out" in finding.text


def test_a_project_whose_first_view_cannot_be_opened_shows_the_others(project):
    with h5py.File(project.with_name("d.h5"), "a") as file:
        del file["s00"]
    with open_store(project) as store:
        assert isinstance(store, MosaicStore)
        (finding,) = [f for f in store.findings if f.code == "tile-left-out"]
        assert finding.path == "angle 0"


def two(x=10.0):
    """Two tiles, the second at x, which can be moved."""
    second = np.eye(4)
    second[2, 3] = x
    return open_mosaic(list(VOLUMES), [np.eye(4), second], margin=0)


@pytest.mark.parametrize("by", [(0, 0, 50), (0, 0, -60), (-30, 25, -40), (7, -9, 0)])
def test_the_mosaic_grows_with_a_tile_that_leaves_it(by):
    with two() as mosaic:
        mosaic.read(0)
        matrix = mosaic.tiles[1][2]
        matrix[:3, 3] += by
        shifts = []
        mosaic.laid_out.connect(shifts.append)
        before = mosaic.transform[:3, 3]
        mosaic.move(mosaic.places[1].name, matrix)
        np.testing.assert_array_equal(mosaic.transform[:3, 3], before - shifts[0])
        found, low = mosaic.read(0), mosaic.transform[:3, 3]
        assert len(shifts) == 1
        whole = np.zeros_like(found)
        for volume, at in ((VOLUMES[0], (0, 0, 0)), (VOLUMES[1], matrix[:3, 3])):
            first = np.rint(at - low).astype(int)
            z, y, x = (
                slice(a, a + n) for a, n in zip(first, volume.shape, strict=True)
            )
            np.maximum(whole[z, y, x], volume, out=whole[z, y, x])
        assert np.array_equal(found, whole)


def test_voxels_of_every_level_stay_where_they_are_when_the_mosaic_grows(tmp_path):
    with two(150) as mosaic:
        before = mosaic.pyramid
        matrix = np.eye(4)
        matrix[:3, 3] = -45, 0, -33
        mosaic.move(mosaic.places[1].name, matrix)
        for old, new in zip(before.levels, mosaic.pyramid.levels, strict=True):
            steps = np.subtract(old.translation_zyx, new.translation_zyx)
            steps /= old.voxel_size_zyx
            np.testing.assert_allclose(steps, np.rint(steps))
            assert old.voxel_size_zyx == new.voxel_size_zyx


def test_a_grown_mosaic_grows_seldom_and_never_beyond_what_can_be_drawn():
    with two() as mosaic:
        shifts = []
        mosaic.laid_out.connect(shifts.append)
        name, matrix = mosaic.places[1].name, np.eye(4)
        for x in range(20):
            matrix[2, 3] = x
            mosaic.move(name, matrix)
        assert len(shifts) == 1
        with pytest.raises(OptionError, match="a size that can be drawn"):
            mosaic.move(name, np.diag([1, 1, 1e18, 1]))
        with pytest.raises(OptionError, match="can be inverted"):
            mosaic.move(name, np.diag([1, 1, np.nan, 1]))
        assert len(shifts) == 1
        assert mosaic.place_of(name).matrix.matrix[2, 3] == 19


def test_another_look_grows_with_its_mosaic():
    with two() as mosaic, mosaic.seen_as(colour_by="tile") as look:
        matrix = np.eye(4)
        matrix[2, 3] = -40
        mosaic.move(mosaic.places[1].name, matrix)
        at = np.rint(-40 - look.transform[2, 3]).astype(int)
        found = look.read(0, selection=(1,))
        assert np.array_equal(found[..., at : at + 14], VOLUMES[1])
        assert not look.read(0, selection=(0,))[..., at : at + 14].any()


def test_a_grown_mosaic_is_found_again_by_what_it_says_of_itself(scene):
    with open_store(scene) as mosaic:
        matrix = np.eye(4)
        matrix[2, 3] = 70
        mosaic.move("tile_1", matrix)
        changes, found = mosaic.tile_changes, mosaic.read(0)
    with open_store(scene, tiles=changes) as again:
        assert np.array_equal(again.read(0), found)
