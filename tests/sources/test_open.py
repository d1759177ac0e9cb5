"""A name, the files in a folder or the first bytes decide the format."""

import json

import numpy as np
import pytest

from brickfield.errors import (
    ChunkReadError,
    OptionError,
    StoreAccessError,
    StoreFormatError,
    StoreNotFoundError,
    StoreUnreachableError,
)
from brickfield.sources.open import open_source, opening_options
from brickfield.sources.open_image import find_format
from brickfield.testing.http_server import FaultServer, Rule
from brickfield.testing.zarr_stores import ramp, write_image


@pytest.mark.parametrize(
    ("uri", "module"),
    [
        ("a/b.ims", "hdf5.imaris"),
        ("a/B.IMS", "hdf5.imaris"),
        ("a.h5", "hdf5.source"),
        ("a.h5:/entry/data", "hdf5.source"),
        ("a.emd", "hdf5.source"),
        ("a.ome.tif", "tiff.source"),
        ("a.xml", "bdv.source"),
        ("http://h/a.xml", "bdv.source"),
        ("http://h/a.n5/", "n5.source"),
        ("precomputed://gs://b/p", "n5.precomputed"),
        ("a.ozx", "ome_zarr.source"),
        ("https://h/a.zip", "ome_zarr.source"),
    ],
)
def test_a_name_can_decide(uri, module):
    found, known = find_format(uri)
    assert found.module == module
    assert known is None


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("zarr.json", "ome_zarr.source"),
        (".zgroup", "ome_zarr.source"),
        (".zattrs", "ome_zarr.source"),
        (".zarray", "ome_zarr.source"),
        ("attributes.json", "n5.source"),
        ("info", "n5.precomputed"),
    ],
)
def test_else_the_files_in_a_folder_decide(tmp_path, name, module):
    (tmp_path / name).write_text("{}")
    found, known = find_format(str(tmp_path))
    assert found.module == module
    assert known[name] == b"{}"


def test_a_tiff_with_a_strange_name_is_known_by_its_first_bytes(tmp_path):
    (tmp_path / "data.bin").write_bytes(b"II*\0" + bytes(20))
    assert find_format(str(tmp_path / "data.bin"))[0].module == "tiff.source"


def test_arrays_open_with_scale_and_axes():
    source = open_source(ramp((3, 8, 8)), axes="cyx", scale=(2, 1))
    level = source.info.pyramid.levels[0]
    assert level.spatial_axes == (-1, 1, 2)
    assert level.voxel_size_zyx == (1, 2, 1)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"label": "a"}, "label"),
        ({"well": "A/1"}, "well"),
        ({"chunk_edge": 2}, "chunk edge"),
    ],
)
def test_an_option_that_means_nothing_here_is_refused(options, says):
    with pytest.raises(OptionError, match=says):
        open_source(np.zeros((4, 4, 4)), **options)


@pytest.mark.parametrize("uri", ["", "  ", "ftp://host/a.zarr"])
def test_a_place_that_cannot_be_is_an_option_error(uri):
    with pytest.raises(OptionError, match="expected a path"):
        open_source(uri)


def test_nothing_there_is_not_found(tmp_path):
    for name in ("nothing", "nothing.zarr"):
        with pytest.raises(StoreNotFoundError, match=name):
            open_source(tmp_path / name)


@pytest.mark.parametrize("name", ["empty", "empty.zarr"])
def test_an_empty_folder_is_no_store(tmp_path, name):
    (tmp_path / name).mkdir()
    with pytest.raises(StoreFormatError, match=name):
        open_source(tmp_path / name)


def test_a_file_of_no_format_is_refused_with_the_list(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(StoreFormatError, match="OME-Zarr, N5"):
        open_source(tmp_path / "notes.txt")


def test_a_folder_without_permission_is_denied(as_nobody):
    (as_nobody / "closed").mkdir(mode=0)
    with as_nobody.identity(), pytest.raises(StoreAccessError, match="closed"):
        open_source(as_nobody / "closed")


def test_the_wished_chunk_edge_is_used(tmp_path):
    write_image(tmp_path / "a.zarr", [ramp((200, 200, 200), "u1")], chunks=(100,) * 3)
    source = open_source(tmp_path / "a.zarr", chunk_edge=100)
    assert source.info.pyramid.levels[0].chunk_shape == (100, 100, 100)
    source = open_source(ramp((200, 200, 200), "u1"), chunk_edge=100)
    assert source.info.pyramid.levels[0].chunk_shape == (100, 100, 100)


@pytest.fixture
def hdf5(tmp_path):
    import h5py

    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["data"] = ramp((8, 9, 10))
    return tmp_path / "a.h5"


def test_other_formats_take_a_scale_and_a_chunk_edge_too(hdf5):
    source = open_source(hdf5, scale=(3, 2, 1), chunk_edge=32)
    assert source.info.pyramid.levels[0].voxel_size_zyx == (3, 2, 1)
    source.close()


def test_an_option_that_a_format_has_not_is_refused(hdf5):
    with pytest.raises(OptionError, match="HDF5 has; found well"):
        open_source(hdf5, well="A/1")


# ----- servers


@pytest.mark.parametrize(
    ("rule", "error", "says"),
    [
        (Rule("*", "error", 404), StoreNotFoundError, "none of them"),
        (Rule("*", "error", 403), StoreAccessError, "denied"),
        (Rule("*", "error", 503), StoreUnreachableError, "503"),
        (Rule("*", "short"), StoreFormatError, "JSON"),
        (Rule("*", "corrupt"), StoreFormatError, "JSON"),
    ],
    ids=lambda value: getattr(value, "kind", None),
)
def test_a_server_that_fails_is_told_in_a_sentence(tmp_path, rule, error, says):
    write_image(tmp_path / "a.zarr", [ramp((8, 8, 8))])
    with FaultServer(tmp_path, rule) as server:
        with pytest.raises(error, match=says) as caught:
            open_source(f"{server.url}/a.zarr")
        assert server.url in str(caught.value)


def test_a_server_that_is_gone_is_unreachable(tmp_path):
    with FaultServer(tmp_path) as server:
        url = server.url
    with pytest.raises(StoreUnreachableError, match="expected a readable file"):
        open_source(f"{url}/a.zarr")


def test_a_bucket_that_refuses_absent_names_still_opens(tmp_path, read_level):
    data = ramp((8, 8, 8))
    write_image(tmp_path / "a.zarr", [data], zarr_format=3)
    denied = [
        Rule(f"a.zarr/{name}", "error", 403)
        for name in (".z*", "attributes.json", "info", "labels/*", "0/.z*")
    ]
    with FaultServer(tmp_path, *denied) as server:
        source = open_source(f"{server.url}/a.zarr", treat_403_as_missing=True)
        np.testing.assert_array_equal(read_level(source, 0), data)


def test_a_slash_or_a_metadata_file_at_the_end_of_a_url_is_taken_off(tmp_path):
    write_image(tmp_path / "a.zarr", [ramp((8, 8, 8))])
    with FaultServer(tmp_path) as server:
        for end in ("", "/", "/.zattrs", "/0", "/0/.zarray"):
            source = open_source(f"{server.url}/a.zarr{end}")
            assert source.info.pyramid.levels[0].shape == (8, 8, 8)


def test_an_s3_address_is_read_from_the_endpoint_in_the_environment(
    tmp_path, monkeypatch, read_level
):
    data = ramp((8, 8, 8))
    write_image(tmp_path / "bucket" / "deep" / "a.zarr", [data])
    with FaultServer(tmp_path) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        source = open_source("s3://bucket/deep/a.zarr")
        np.testing.assert_array_equal(read_level(source, 0), data)


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_refusal_of_a_name_that_need_not_be_there_does_not_count(
    tmp_path, read_level, zarr_format
):
    """A public bucket answers 403 for what does not exist: the image opens without
    any option."""
    data = ramp((8, 8, 8))
    write_image(
        tmp_path / "a.zarr", [data, data[::2, ::2, ::2]], zarr_format=zarr_format
    )
    with FaultServer(tmp_path, Rule("*", "absent", 403)) as server:
        source = open_source(f"{server.url}/a.zarr")
        assert source.info.pyramid.n_levels == 2
        assert not [f for f in source.info.findings if f.severity == "error"]
        np.testing.assert_array_equal(read_level(source, 0), data)


def test_a_refusal_of_the_finest_level_counts_and_the_message_offers_the_option(
    tmp_path,
):
    """An image must not quietly become a coarser one."""
    data = ramp((8, 8, 8))
    write_image(tmp_path / "a.zarr", [data, data[::2, ::2, ::2]], zarr_format=3)
    with (
        FaultServer(tmp_path, Rule("a.zarr/0/*", "error", 403)) as server,
        pytest.raises(StoreAccessError, match=r"a.zarr/0.*--treat-403-as-missing"),
    ):
        open_source(f"{server.url}/a.zarr")


def test_n5_and_precomputed_open_from_a_server_that_refuses_what_is_absent(tmp_path):
    """Levels s0, s1, … end where nothing is stored, whatever the server says there;
    chunks refused are missing only for who says so."""
    for name in ("s0", "s1"):
        (tmp_path / "a.n5" / name).mkdir(parents=True)
        shape = [8, 8, 8] if name == "s0" else [4, 4, 4]
        text = {"dimensions": shape, "blockSize": [4, 4, 4], "dataType": "uint8"}
        (tmp_path / "a.n5" / name / "attributes.json").write_text(
            json.dumps({**text, "compression": {"type": "raw"}})
        )
    with FaultServer(tmp_path, Rule("*", "absent", 403)) as server:
        url = f"{server.url}/a.n5"
        assert open_source(url).info.pyramid.n_levels == 2
        with pytest.raises(ChunkReadError, match="--treat-403-as-missing"):
            open_source(url).read_storage_chunk(0, (0, 0, 0))
        source = open_source(url, treat_403_as_missing=True)
        assert source.read_storage_chunk(0, (0, 0, 0)).data is None


def test_options_handed_on_are_named_when_they_are_none():
    assert opening_options(None) == {}
    assert opening_options({"series": 1}) == {"series": 1}
    with pytest.raises(OptionError, match=r"series, .*found sereis"):
        opening_options({"sereis": 1})
