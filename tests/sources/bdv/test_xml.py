"""Registrations compose to z, y, x maps as BigDataViewer applies them."""

from __future__ import annotations

import numpy as np
import pytest

from brickfield.errors import StoreFormatError
from brickfield.sources.bdv.xml import parse

SHELL = (
    '<SpimData><SequenceDescription><ImageLoader format="bdv.n5"><n5>a.n5</n5>'
    "</ImageLoader><ViewSetups><ViewSetup><id>3</id></ViewSetup></ViewSetups>"
    "{times}</SequenceDescription><ViewRegistrations>"
    '<ViewRegistration timepoint="{t}" setup="3">{maps}</ViewRegistration>'
    "</ViewRegistrations></SpimData>"
)
RANGE = '<Timepoints type="range"><first>0</first><last>0</last></Timepoints>'


def _affine(text):
    return f'<ViewTransform type="affine"><affine>{text}</affine></ViewTransform>'


def _parsed(times=RANGE, maps="", t=0):
    return parse(SHELL.format(times=times, maps=maps, t=t).encode(), "a.xml")


def test_the_map_listed_last_is_applied_first():
    shift, scale = "1 0 0 5 0 1 0 0 0 0 1 0", "2 0 0 0 0 2 0 0 0 0 2 0"
    (setup,) = _parsed(maps=_affine(shift) + _affine(scale)).setups
    assert (setup.voxel_size, setup.translation) == ((2, 2, 2), (0, 0, 5))
    (setup,) = _parsed(maps=_affine(scale) + _affine(shift)).setups
    assert (setup.voxel_size, setup.translation) == ((2, 2, 2), (0, 0, 10))


def test_maps_are_turned_to_z_y_x():
    (setup,) = _parsed(maps=_affine("1 0 0 10 0 2 0 20 0 0 3 30")).setups
    assert (setup.voxel_size, setup.translation) == ((3, 2, 1), (30, 20, 10))
    assert setup.placement is None


@pytest.mark.parametrize(
    "text",
    [
        "-1 0 0 0 0 1 0 0 0 0 1 0",
        "1 1 0 0 0 1 0 0 0 0 1 0",
        "0.8 -0.6 0 7 0.6 0.8 0 8 0 0 4 9",
        "0 0 1 1 1 0 0 2 0 1 0 3",
    ],
)
def test_voxel_size_and_placement_together_are_the_whole_map(text):
    (setup,) = _parsed(maps=_affine(text)).setups
    xyz = np.vstack([np.array(text.split(), float).reshape(3, 4), [0, 0, 0, 1]])
    size = np.diag([*setup.voxel_size, 1.0])
    np.testing.assert_allclose(
        setup.placement.matrix @ size, xyz[[2, 1, 0, 3]][:, [2, 1, 0, 3]], atol=1e-12
    )


def test_a_chain_of_oblique_maps_is_composed_whole():
    turn, size = "0.8 -0.6 0 0 0.6 0.8 0 0 0 0 1 0", "1 0 0 0 0 1 0 0 0 0 3 0"
    (setup,) = _parsed(maps=_affine(turn) + _affine(size)).setups
    assert setup.voxel_size == pytest.approx((3, 1, 1))
    assert setup.placement.apply((0, 0, 1)) == pytest.approx((0, 0.6, 0.8))


@pytest.mark.parametrize(
    "text", ["1 0 0 0 0 1 0 0 0 0 0 0", "nan 0 0 0 0 1 0 0 0 0 1 0", "1 2 3"]
)
def test_a_registration_that_cannot_be_used_is_marked(text):
    (setup,) = _parsed(maps=_affine(text)).setups
    assert setup.is_unusable
    assert setup.placement is None


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (RANGE, (0,)),
        (RANGE.replace("<last>0", "<last>3"), (0, 1, 2, 3)),
        (
            '<Timepoints type="pattern"><integerpattern>1, 3-5,10-20:5'
            "</integerpattern></Timepoints>",
            (1, 3, 4, 5, 10, 15, 20),
        ),
        (
            '<Timepoints type="list"><Timepoint><id>7</id></Timepoint></Timepoints>',
            (7,),
        ),
    ],
)
def test_time_points_come_as_range_pattern_or_list(times, expected):
    assert _parsed(times).times == expected


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"<a", "XML"),
        (b"<html/>", "SpimData"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><SpimData/>', "document type"),
        (SHELL.format(times="", maps="", t=0).encode(), "time points"),
        (SHELL.format(times=RANGE, maps="", t="x").encode(), "numbers"),
    ],
)
def test_other_xml_is_refused_with_a_sentence(text, sentence):
    with pytest.raises(StoreFormatError, match=sentence):
        parse(text, "a.xml")


def test_a_range_of_a_million_million_time_points_is_refused():
    times = '<Timepoints type="range"><first>0</first><last>1000000000000</last></Timepoints>'
    loader = '<ImageLoader format="bdv.hdf5"><hdf5>a.h5</hdf5></ImageLoader>'
    text = f"<SpimData><SequenceDescription>{loader}{times}</SequenceDescription></SpimData>"
    with pytest.raises(StoreFormatError, match="1 to 1000000 time points"):
        parse(text.encode(), "a.xml")
