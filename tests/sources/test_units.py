"""All axes of space have one unit of length."""

from contextlib import closing

import numpy as np
import pytest
import tifffile

from brickfield.sources.open import open_source
from brickfield.sources.units import metres
from brickfield.testing.zarr_stores import image_attributes, write_image

VOLUME = np.ones((4, 6, 8), "u1")


def image_with(tmp_path, units, scales=((1, 4, 4),), **more):
    attributes = image_attributes("zyx", scales, **more)
    for axis, unit in zip(attributes["multiscales"][0]["axes"], units, strict=True):
        if unit:
            axis["unit"] = unit
    levels = [VOLUME[:: 2**i, :: 2**i, :: 2**i] for i in range(len(scales))]
    return write_image(tmp_path / "a.zarr", levels, attributes)


def facts(source):
    source.close()
    pyramid = source.info.pyramid
    return pyramid.levels[0].voxel_size, [a.unit for a in pyramid.axes]


def codes(source):
    return [f.code for f in source.info.findings]


def test_lengths_are_converted_to_the_unit_of_x(tmp_path):
    units = ("micrometer", "nanometer", "nanometer")
    path = image_with(tmp_path, units, translations=[(2, 3, 5)])
    source = open_source(path)
    size, named = facts(source)
    assert size == pytest.approx((1000, 4, 4))
    assert source.info.pyramid.levels[0].translation == pytest.approx((2000, 3, 5))
    assert named == ["nanometer"] * 3
    assert "mixed-units" in codes(source)


def test_every_level_is_converted(tmp_path):
    units = ("micrometer", "nanometer", "nanometer")
    path = image_with(tmp_path, units, [(1, 4, 4), (2, 8, 8)])
    sizes = [lv.voxel_size for lv in open_source(path).info.pyramid.levels]
    assert sizes == [pytest.approx((1000, 4, 4)), pytest.approx((2000, 8, 8))]


@pytest.mark.parametrize("unit", [None, "furlong"])
def test_what_has_no_known_unit_stays_as_it_is_with_a_finding(tmp_path, unit):
    source = open_source(image_with(tmp_path, (unit, "micrometer", "micrometer")))
    assert facts(source) == ((1, 4, 4), [unit, "micrometer", "micrometer"])
    assert "mixed-units" in codes(source)


def test_equal_units_and_none_stay_as_they_are(tmp_path):
    source = open_source(image_with(tmp_path, ("micrometer",) * 3))
    assert facts(source) == ((1, 4, 4), ["micrometer"] * 3)
    assert "mixed-units" not in codes(source)
    assert facts(open_source(VOLUME))[1] == [None] * 3


def test_a_voxel_size_of_the_user_is_in_one_unit_already(tmp_path):
    path = image_with(tmp_path, ("micrometer", "nanometer", "nanometer"))
    assert facts(open_source(path, scale=(7, 8, 9)))[0] == (7, 8, 9)


def test_units_of_ome_tiff_that_differ_are_converted(tmp_path):
    about = {"PhysicalSizeX": 4, "PhysicalSizeY": 4, "PhysicalSizeZ": 0.04}
    about |= {"PhysicalSizeXUnit": "nm", "PhysicalSizeYUnit": "nm"}
    tifffile.imwrite(tmp_path / "a.ome.tif", VOLUME, metadata={"axes": "ZYX", **about})
    size, _ = facts(open_source(tmp_path / "a.ome.tif"))
    assert size == pytest.approx((40, 4, 4))


def test_a_z_unit_of_imagej_is_converted(tmp_path):
    about = {"axes": "ZYX", "unit": "nm", "zunit": "um", "spacing": 0.04}
    tifffile.imwrite(
        tmp_path / "a.tif", VOLUME, imagej=True, resolution=(0.25, 0.25), metadata=about
    )
    size, named = facts(open_source(tmp_path / "a.tif"))
    assert size == pytest.approx((40, 4, 4))
    assert named == ["nanometer"] * 3


@pytest.mark.parametrize("unit", [{}, {"unit": "pixel"}, {"unit": "pixels"}])
def test_imagej_without_a_unit_keeps_the_proportions(tmp_path, unit):
    tifffile.imwrite(
        tmp_path / "a.tif",
        VOLUME,
        imagej=True,
        resolution=(10, 10),
        metadata={"axes": "ZYX", "spacing": 0.3, **unit},
    )
    size, named = facts(open_source(tmp_path / "a.tif"))
    assert size == pytest.approx((0.3, 0.1, 0.1))
    assert named == [None] * 3


@pytest.mark.parametrize(
    ("scale", "is_odd"),
    [
        ((1e4, 1, 1), True),
        ((1e-6, 1, 1), True),
        ((900, 1, 1), False),
        ((1, 1, 1), False),
    ],
)
def test_voxels_a_thousand_times_longer_than_wide_are_a_finding(
    tmp_path, scale, is_odd
):
    with closing(open_source(image_with(tmp_path, [None] * 3, (scale,)))) as source:
        assert ("odd-proportions" in codes(source)) is is_odd


def test_the_length_of_an_axis_of_one_voxel_does_not_matter(tmp_path):
    path = write_image(
        tmp_path / "a.zarr", [VOLUME[:1]], image_attributes("zyx", [(1e6, 1, 1)])
    )
    with closing(open_source(path)) as source:
        assert "odd-proportions" not in codes(source)


@pytest.mark.parametrize(
    ("unit", "length"),
    [
        ("nm", 1e-9),
        ("Micrometre", 1e-6),
        ("microns", 1e-6),
        ("mm", 1e-3),
        ("m", 1.0),
        ("pixel", None),
        (None, None),
        ("Å", 1e-10),
    ],
)
def test_a_unit_is_known_in_many_spellings(unit, length):
    assert metres(unit) == length
