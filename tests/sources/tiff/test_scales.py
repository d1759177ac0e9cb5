"""Sizes, units and channels of OME and ImageJ files."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from brickfield.sources.tiff.scales import read_scales


def _scales(path):
    with tifffile.TiffFile(path) as tiff:
        return read_scales(tiff, 0)


def test_ome_sizes_units_times_and_channels_are_read(tmp_path):
    tifffile.imwrite(
        tmp_path / "a.ome.tif",
        np.zeros((2, 3, 4, 8, 8), "u1"),
        metadata={
            "axes": "TCZYX",
            "PhysicalSizeX": 0.25,
            "PhysicalSizeXUnit": "nm",
            "PhysicalSizeY": 0.5,
            "PhysicalSizeYUnit": "nm",
            "PhysicalSizeZ": 2.0,
            "TimeIncrement": 30.0,
            "TimeIncrementUnit": "s",
            "Channel": {"Name": ["a", "b", "c"], "Color": [-16776961, 16711935, 65535]},
        },
    )
    found = _scales(tmp_path / "a.ome.tif")
    assert found.voxel_size == (30, 1, 2, 0.5, 0.25)
    assert [a.unit for a in found.axes] == [
        "second",
        None,
        "micrometer",
        "nanometer",
        "nanometer",
    ]
    assert [c.name for c in found.channels] == ["a", "b", "c"]
    assert [c.color for c in found.channels] == [
        (255, 0, 0),
        (0, 255, 0),
        (0, 0, 255),
    ]


def test_imagej_spacing_and_resolution_are_read(tmp_path):
    tifffile.imwrite(
        tmp_path / "a.tif",
        np.zeros((4, 2, 8, 8), "u2"),
        imagej=True,
        resolution=(4, 2),
        metadata={"axes": "ZCYX", "spacing": 3.0, "unit": "um"},
    )
    found = _scales(tmp_path / "a.tif")
    assert found.voxel_size == (3, 1, 0.5, 0.25)
    assert {a.unit for a in found.axes if a.kind == "space"} == {"micrometer"}


def test_printing_resolution_of_plain_files_is_not_a_voxel_size(tmp_path):
    tifffile.imwrite(
        tmp_path / "a.tif", np.zeros((8, 8), "u1"), resolution=(300, 300), metadata=None
    )
    assert _scales(tmp_path / "a.tif").voxel_size == (1, 1)


def test_planes_without_a_name_are_z_with_a_finding(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((5, 8, 8), "u1"), metadata=None)
    found = _scales(tmp_path / "a.tif")
    assert "".join(a.name for a in found.axes) == "zyx"
    assert [f.code for f in found.findings] == ["planes-as-z"]


@pytest.mark.parametrize("size", [0.0, -1.0])
def test_a_size_that_is_no_size_is_one_with_a_finding(tmp_path, size):
    tifffile.imwrite(
        tmp_path / "a.ome.tif",
        np.zeros((8, 8), "u1"),
        metadata={"axes": "YX", "PhysicalSizeX": size},
    )
    found = _scales(tmp_path / "a.ome.tif")
    assert found.voxel_size == (1, 1)
    assert [f.code for f in found.findings] == ["no-voxel-size"]


def test_colours_and_ranges_of_imagej_are_those_of_the_channels(tmp_path):
    ramp = np.arange(256, dtype="u1")
    none = np.zeros(256, "u1")
    tables = [np.stack([ramp, none, none]), np.stack([none, ramp, ramp])]
    tifffile.imwrite(
        tmp_path / "a.tif",
        np.zeros((3, 2, 8, 8), "u2"),
        imagej=True,
        metadata={"axes": "ZCYX", "LUTs": tables, "Ranges": (10, 200, 5, 4000)},
    )
    channels = _scales(tmp_path / "a.tif").channels
    assert [c.color for c in channels] == [(255, 0, 0), (0, 255, 255)]
    assert [c.window for c in channels] == [(10, 200), (5, 4000)]


def test_a_table_of_colours_that_is_no_ramp_is_a_finding(tmp_path):
    table = np.random.default_rng(0).integers(0, 255, (3, 256)).astype("u1")
    tifffile.imwrite(
        tmp_path / "a.tif",
        np.zeros((3, 8, 8), "u2"),
        imagej=True,
        metadata={"axes": "ZYX", "LUTs": [table]},
    )
    found = _scales(tmp_path / "a.tif")
    assert found.channels[0].color is None
    assert [f.code for f in found.findings] == ["lut"]


def test_scifio_lists_the_sizes_of_the_axes_that_it_names(tmp_path):
    description = (
        "SCIFIO=0.42.0\naxes=X,Y,Z\nlengths=6,5,4\nscales=0.5,0.25,2.0\n"
        "units=\\u00b5m,\\u00b5m,\\u00b5m\nimages=4\nchannels=1\nslices=4\nframes=1\n"
    )
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for z in range(4):
            plane = np.full((5, 6), z, "u2")
            file.write(
                plane, description=description if z == 0 else None, metadata=None
            )
    found = _scales(tmp_path / "a.tif")
    assert found.voxel_size == (2, 0.25, 0.5)
    assert [a.unit for a in found.axes] == ["micrometer"] * 3
