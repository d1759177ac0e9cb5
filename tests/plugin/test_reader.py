"""What napari may ask us to open, and what we say to it."""

import json
import os
import threading
import tracemalloc

import h5py
import numpy as np
import pytest
import tifffile

from brickfield.errors import BrickfieldError
from brickfield.plugin.reader import get_reader, read
from brickfield.plugin.slicing import lazy
from brickfield.testing.zarr_stores import ramp, write_group, write_image

PLUGIN = "napari-brickfield"
DATA = ramp((8, 16, 32))


@pytest.fixture
def image(tmp_path):
    return write_image(tmp_path / "a.ome.zarr", [DATA])


@pytest.fixture
def h5(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["data"] = DATA
    return path


# -- ours -------------------------------------------------------------------------


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("name", ["a.ome.zarr", "no ending", "ünï çode #1"])
def test_a_folder_with_zarr_metadata_is_ours(tmp_path, name, zarr_format):
    folder = write_image(tmp_path / name, [DATA], zarr_format=zarr_format)
    ((levels, about, kind),) = get_reader(str(folder))(str(folder))
    assert np.array_equal(np.asarray(levels[0]), DATA)
    assert kind == "image"
    assert about["multiscale"]


def test_a_folder_with_an_image_inside_is_ours(tmp_path):
    write_image(tmp_path / "outer" / "0", [DATA])
    assert get_reader(str(tmp_path / "outer")) is not None


def test_a_metadata_file_that_is_dropped_stands_for_its_folder(tmp_path):
    folder = write_image(tmp_path / "a.ome.zarr", [DATA], zarr_format=3)
    path = str(folder / "zarr.json")
    ((levels, _, _),) = get_reader(path)(path)
    assert np.array_equal(np.asarray(levels[0]), DATA)


def test_one_path_in_a_list_is_ours_and_a_stack_is_not(image):
    assert get_reader([str(image)])([str(image)])
    assert get_reader([str(image), str(image)]) is None


def test_hdf5_is_known_by_its_signature(tmp_path, h5):
    ((levels, _, _),) = get_reader(str(h5))(str(h5))
    assert np.array_equal(np.asarray(levels[0]), DATA)
    (tmp_path / "b.h5").write_bytes(b"no such thing" * 300)
    assert get_reader(str(tmp_path / "b.h5")) is None


def test_a_data_set_in_a_file_can_be_named(h5):
    ((levels, _, _),) = get_reader(f"{h5}:/data")(f"{h5}:/data")
    assert np.array_equal(np.asarray(levels[0]), DATA)


def test_xml_is_ours_when_it_is_bigdataviewers(tmp_path):
    (tmp_path / "a.xml").write_text('<?xml version="1.0"?><SpimData version="0.2"/>')
    (tmp_path / "b.xml").write_text("<html/>")
    assert get_reader(str(tmp_path / "a.xml")) is not None
    assert get_reader(str(tmp_path / "b.xml")) is None


def test_n5_and_precomputed_are_known_by_what_their_files_say(tmp_path):
    for name, file, document in (
        ("a", "attributes.json", {"n5": "2.0.0"}),
        ("b", "info", {"@type": "neuroglancer_multiscale_volume", "scales": []}),
        ("c.n5", "other", {}),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / file).write_text(json.dumps(document))
        assert get_reader(str(tmp_path / name)) is not None, name


# -- not ours ---------------------------------------------------------------------


def test_other_files_and_folders_are_not_ours(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", DATA)
    (tmp_path / "info").write_text("read me")
    (tmp_path / "attributes.json").write_text('{"of": "another program"}')
    (tmp_path / "a.csv").write_text("x")
    others = [tmp_path, *tmp_path.iterdir(), tmp_path / "nothing", tmp_path / "no.h5"]
    assert [path for path in others if get_reader(str(path)) is not None] == []


@pytest.mark.parametrize("path", ["", " ", "\0", "a\0b", "x" * 5000, "~", "."])
def test_odd_names_are_not_ours_and_raise_nothing(path):
    assert get_reader(path) is None


def test_of_a_full_folder_only_a_few_names_are_read(tmp_path, monkeypatch):
    """Whole lists take time, and memory, which is what is measured here."""
    for i in range(20_000):
        os.close(
            os.open(tmp_path / f"a rather long name of a plane {i:06}.tif", os.O_CREAT)
        )

    def listdir(*_):
        raise AssertionError("the whole folder was listed")

    monkeypatch.setattr(os, "listdir", listdir)
    tracemalloc.start()
    assert get_reader(str(tmp_path)) is None
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 200_000


def test_a_folder_that_may_not_be_read_is_not_ours(tmp_path, monkeypatch):
    def denied(*_):
        raise PermissionError

    monkeypatch.setattr(os, "scandir", denied)
    assert get_reader(str(tmp_path)) is None


# -- addresses --------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://x.org/a.zarr",
        "https://x.org/a.ome.zarr/0?version=1",
        "s3://bucket/deep/a.zarr/",
        "precomputed://gs://bucket/em",
        "https://x.org/a.ozx",
        "gs://bucket/a.n5/setup0",
    ],
)
def test_addresses_that_say_what_they_are_are_ours_without_asking(url, monkeypatch):
    monkeypatch.setattr("brickfield.sources.open_image.find_format", None)
    assert get_reader(url) is not None


@pytest.mark.parametrize(
    "url", ["s3://bucket/table.csv", "gs://b/x.png", "https://x/y.js"]
)
def test_addresses_of_other_files_are_not_ours(url, monkeypatch):
    monkeypatch.setattr("brickfield.sources.open_image.find_format", None)
    assert get_reader(url) is None


def test_a_server_that_says_no_in_time_is_believed(monkeypatch):
    def refuse(url):
        raise BrickfieldError(url)

    monkeypatch.setattr("brickfield.plugin.reader.PATIENCE_S", 30)
    monkeypatch.setattr("brickfield.sources.open_image.find_format", refuse)
    assert get_reader("s3://bucket/folder") is None


def test_a_server_that_says_nothing_is_not_waited_for(monkeypatch):
    answer = threading.Event()
    monkeypatch.setattr(
        "brickfield.sources.open_image.find_format", lambda _: answer.wait(30)
    )
    assert get_reader("s3://bucket/folder") is not None
    answer.set()


# -- ours, but broken --------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.ims", "a.emd", "a.mib", "a.ozx", "a.zarr"])
def test_a_broken_file_that_nobody_else_reads_is_said_in_one_sentence(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"nothing of the kind")
    reader = get_reader(str(path))
    with pytest.raises(BrickfieldError) as caught:
        reader(str(path))
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_group_without_an_image_adds_no_layer(tmp_path, make_napari_viewer):
    write_group(tmp_path / "a.zarr", {"multiscales": [{"datasets": [{"path": "0"}]}]})
    viewer = make_napari_viewer()
    with pytest.raises(Exception, match=r"a\.zarr"):
        viewer.open(str(tmp_path / "a.zarr"), plugin=PLUGIN)
    assert not len(viewer.layers)


# -- through napari ---------------------------------------------------------------


def test_napari_opens_a_folder_through_the_plugin(image, make_napari_viewer):
    viewer = make_napari_viewer()
    (layer,) = viewer.open(str(image), plugin=PLUGIN, colormap="magma")
    assert lazy.wait_until_loaded(layer, 20)
    assert layer.source.reader_plugin == PLUGIN
    assert layer.colormap.name == "magma"
    z = round(viewer.dims.point[0])
    assert np.array_equal(layer._slice.image.raw, DATA[z])


def test_a_reader_returns_what_opening_returns(image):
    ((levels, _, _),) = read(str(image))
    assert np.array_equal(np.asarray(levels[0]), DATA)


def test_images_of_spatialdata_in_one_system_are_layers_where_they_lie(tmp_path):
    root = tmp_path / "s.zarr"
    axes = [{"name": a, "type": "space"} for a in "yx"]
    turn = [[0.6, -0.8, 3], [0.8, 0.6, 5]]
    ways = {"a": "global", "b": "global", "c": "other"}
    for name, system in ways.items():
        outer = {
            "type": "affine",
            "affine": turn,
            "input": {"name": "yx", "axes": axes},
            "output": {"name": system, "axes": axes},
        }
        level = [{"type": "scale", "scale": [1.0, 1.0]}]
        image = {
            "axes": axes,
            "datasets": [{"path": "0", "coordinateTransformations": level}],
            "coordinateTransformations": [outer],
        }
        about = {"ome": {"version": "0.5-dev-spatialdata", "multiscales": [image]}}
        write_image(root / "images" / name, [ramp((6, 8))], about, zarr_format=3)
    for group, about in (("", {"spatialdata_attrs": {}}), ("images", {})):
        write_group(root / group, about, zarr_format=3)
    found = get_reader(str(root))(str(root))
    assert [look["name"] for _, look, _ in found] == ["a", "b"]
    expected = [*turn, [0, 0, 1]]
    assert all(np.allclose(look["affine"], expected) for _, look, _ in found)
