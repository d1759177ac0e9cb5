"""TIFF: layouts, axes, sizes, pyramids and damage."""

from __future__ import annotations

import sys
from contextlib import closing

import numpy as np
import pytest
import tifffile
from PIL import Image

from brickfield.errors import (
    ChunkReadError,
    MissingExtraError,
    OptionError,
    StoreFormatError,
    StoreNotFoundError,
)
from brickfield.sources.protocol import ChunkSource
from brickfield.sources.tiff.source import matches, open_source


@pytest.fixture
def stack():
    shape = (2, 3, 5, 70, 90)
    return np.random.default_rng(0).integers(0, 4000, shape).astype("u2")


LAYOUTS = {
    "contiguous": {},
    "big-endian": {"byteorder": ">"},
    "bigtiff": {"bigtiff": True},
    "strips": {"rowsperstrip": 16, "compression": "zlib"},
    "tiles": {"tile": (32, 48), "compression": "zlib"},
    "tiles-raw": {"tile": (32, 48)},
    "tiles-big-endian": {"tile": (32, 48), "compression": "zlib", "byteorder": ">"},
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("suffix", [".tif", ".ome.tif"])
def test_every_layout_gives_its_voxels(tmp_path, stack, layout, suffix, read_level):
    path = tmp_path / f"a{suffix}"
    tifffile.imwrite(path, stack, metadata={"axes": "TCZYX"}, **LAYOUTS[layout])
    with closing(open_source(str(path))) as source:
        assert isinstance(source, ChunkSource)
        assert "".join(a.name for a in source.info.pyramid.axes) == "tczyx"
        assert np.array_equal(read_level(source, 0), stack)


def test_compressed_stacks_are_read_page_by_page_or_tile_by_tile(tmp_path, stack):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, stack[0, 0], **LAYOUTS["strips"])
    with closing(open_source(str(path))) as source:
        assert source.info.pyramid.levels[0].storage_chunk_shape == (1, 70, 90)
    tifffile.imwrite(path, stack[0, 0], **LAYOUTS["tiles"])
    with closing(open_source(str(path))) as source:
        assert source.info.pyramid.levels[0].storage_chunk_shape == (1, 32, 48)


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((70, 90, 3), {"photometric": "rgb"}),
        ((70, 90, 3), {"photometric": "rgb", "tile": (32, 32), "compression": "zlib"}),
        ((3, 70, 90), {"photometric": "rgb", "planarconfig": "separate"}),
        (
            (3, 70, 90),
            {
                "photometric": "rgb",
                "planarconfig": "separate",
                "tile": (32, 32),
                "compression": "zlib",
            },
        ),
    ],
)
def test_colour_pictures_have_a_channel_axis(tmp_path, shape, options, read_level):
    picture = np.random.default_rng(0).integers(0, 255, shape).astype("u1")
    tifffile.imwrite(tmp_path / "a.tif", picture, **options)
    with closing(open_source(str(tmp_path / "a.tif"))) as source:
        assert np.array_equal(read_level(source, 0), picture)
        assert source.info.pyramid.channel_axis == shape.index(3)
        assert len(source.info.channels) == 3


def test_a_pyramid_in_sub_files_gives_levels(tmp_path, stack, read_level):
    path, options = tmp_path / "a.ome.tif", {"tile": (32, 32), "compression": "zlib"}
    with tifffile.TiffWriter(path) as writer:
        writer.write(stack[0], subifds=1, metadata={"axes": "CZYX"}, **options)
        writer.write(stack[0, :, :, ::2, ::2], subfiletype=1, **options)
    with closing(open_source(str(path))) as source:
        assert np.array_equal(read_level(source, 1), stack[0, :, :, ::2, ::2])
        coarse = source.info.pyramid.levels[1]
    assert coarse.voxel_size == (1, 1, 2, 2)
    assert coarse.translation == (0, 0, 0.5, 0.5)


def test_several_series_can_be_chosen(tmp_path, stack, read_level):
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as writer:
        writer.write(stack[0, 0], metadata={"axes": "ZYX"})
        writer.write(stack[0, 0, 0, :20, :20], metadata={"axes": "YX"})
    with closing(open_source(str(path))) as source:
        names = source.info.series
        assert len(names) == 2
        assert [f.code for f in source.info.findings] == ["several-images"]
    with closing(open_source(str(path), series=names[1])) as source:
        assert np.array_equal(read_level(source, 0), stack[0, 0, 0, :20, :20])
    with pytest.raises(OptionError, match="expected one of"):
        open_source(str(path), series="nothing")


def test_damaged_and_cut_off_pages_fail_and_the_others_are_read(tmp_path, stack):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, stack[0, 0], rowsperstrip=70, compression="zlib")
    with tifffile.TiffFile(path) as tiff:
        offset = tiff.pages[2].dataoffsets[0]
    raw = bytearray(path.read_bytes())
    raw[offset : offset + 40] = b"x" * 40
    path.write_bytes(raw)
    with closing(open_source(str(path))) as source:
        with pytest.raises(ChunkReadError, match="decode"):
            source.read_storage_chunk(0, (2, 0, 0))
        first = source.read_storage_chunk(0, (0, 0, 0))
        assert np.array_equal(first.data[0], stack[0, 0, 0])


def test_a_file_cut_off_fails_where_it_is_cut(tmp_path, stack):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, stack[:, 0].reshape(-1, 70, 90), metadata={"axes": "ZYX"})
    path.write_bytes(path.read_bytes()[:100_000])
    with closing(open_source(str(path))) as source:
        chunk = source.info.pyramid.levels[0].storage_chunk_shape
        last = (-(-10 // chunk[0]) - 1, 1, 0)
        with pytest.raises(ChunkReadError):
            source.read_storage_chunk(0, last)


def test_what_is_no_tiff_is_refused_with_a_sentence(tmp_path):
    with pytest.raises(StoreNotFoundError):
        open_source(str(tmp_path / "none.tif"))
    for content in (b"", b"plain text", b"II*\0\x08\0\0\0"):
        (tmp_path / "a.tif").write_bytes(content)
        with pytest.raises(StoreFormatError, match="expected"):
            open_source(str(tmp_path / "a.tif"))


def test_without_tifffile_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tifffile", None)
    with pytest.raises(MissingExtraError, match=r"napari-brickfield\[tiff\]"):
        open_source(str(tmp_path / "a.tif"))


def test_without_the_codec_the_extra_is_named(tmp_path, stack):
    if tifffile.TIFF.DECOMPRESSORS.get(5) is not None:
        pytest.skip("imagecodecs is installed and reads LZW")
    path = tmp_path / "a.tif"
    Image.fromarray(stack[0, 0, 0]).save(path, compression="tiff_lzw")
    with pytest.raises(MissingExtraError, match="imagecodecs"):
        open_source(str(path))


def test_files_are_known_by_suffix_or_first_bytes(tmp_path, stack):
    assert matches("a.TIFF")
    tifffile.imwrite(tmp_path / "odd", stack[0, 0], bigtiff=True)
    assert matches(str(tmp_path / "odd"))
    assert not matches(str(tmp_path))


@pytest.mark.parametrize(
    ("name", "size", "unit"),
    [
        ("xyz_8bit_calibrated_anisotropic__mri_head.tif", (7, 0.5, 0.5), "millimeter"),
        ("xyz_8bit__chromosomes.tif", (0.15, 0.0338542, 0.0338542), "micrometer"),
    ],
)
def test_real_files_equal_what_tifffile_reads(real_data, name, size, unit, read_level):
    path = real_data / "volumes" / name
    with closing(open_source(str(path))) as source:
        assert np.array_equal(read_level(source, 0), tifffile.imread(path))
        assert source.info.pyramid.levels[0].voxel_size == pytest.approx(size, rel=1e-5)
        assert source.info.pyramid.unit == unit


@pytest.mark.parametrize("tile", [None, (16, 16)])
@pytest.mark.parametrize("dtype", ["u1", "u2"])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_red_green_and_blue_have_their_colours_wherever_they_lie(
    tmp_path, planar, dtype, tile
):
    rgb = np.random.default_rng(0).integers(0, 200, (4, 32, 48, 3)).astype(dtype)
    data = rgb if planar == "contig" else np.moveaxis(rgb, -1, 1)
    tifffile.imwrite(
        tmp_path / "a.tif", data, photometric="rgb", planarconfig=planar, tile=tile
    )
    source = open_source(str(tmp_path / "a.tif"))
    source.close()
    colors = [channel.color for channel in source.info.channels]
    assert colors == [(255, 0, 0), (0, 255, 0), (0, 0, 255)]


@pytest.mark.parametrize(
    ("photometric", "code"), [("miniswhite", "min-is-white"), ("palette", "palette")]
)
def test_colours_that_are_not_drawn_are_a_finding(tmp_path, photometric, code):
    table = np.zeros((3, 256), "u2") if photometric == "palette" else None
    tifffile.imwrite(
        tmp_path / "a.tif",
        np.ones((32, 48), "u1"),
        photometric=photometric,
        colormap=table,
    )
    source = open_source(str(tmp_path / "a.tif"))
    source.close()
    assert code in [f.code for f in source.info.findings]
