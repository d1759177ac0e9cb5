"""From a name to the options that open an image."""

import numpy as np
import pytest

from brickfield.errors import OptionError
from brickfield.sources.images.choice import find_image, without_image
from brickfield.sources.open import open_source
from brickfield.testing.zarr_stores import write_group, write_image, write_plate


@pytest.fixture(scope="module")
def plate(tmp_path_factory):
    return str(write_plate(tmp_path_factory.mktemp("plate") / "p.zarr"))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("A/1/0", {"well": "A/1", "field": "0"}),
        ("/B/02/1/", {"well": "B/02", "field": "1"}),
        ("B/02", {"well": "B/02"}),
    ],
)
def test_a_name_in_a_plate_is_well_and_field(plate, name, options):
    assert find_image(plate, name) == options


@pytest.mark.parametrize(
    ("name", "listed"),
    [("C/3/0", "A/1, B/02"), ("A/1/7", "A/1/0, A/1/1"), ("", "A/1, B/02")],
)
def test_a_name_that_is_not_there_is_an_error_that_lists_what_is(plate, name, listed):
    with pytest.raises(OptionError, match=f"an image out of {listed}; found {name}"):
        open_source(plate, image=name)


def test_an_image_is_chosen_in_one_way(plate):
    with pytest.raises(OptionError, match="image or well, one of the two"):
        open_source(plate, image="A/1/0", well="A/1")


def test_several_names_are_for_layers(plate):
    with pytest.raises(OptionError, match="the name of one image; found"):
        without_image(plate, {"image": ["A/1/0", "A/1/1"]})


def test_arrays_have_no_images_to_choose():
    with pytest.raises(OptionError, match="only scale and axes with arrays"):
        open_source(np.zeros((4, 4), "u1"), image="0")


def test_a_label_image_has_its_short_and_its_long_name(tmp_path):
    root = tmp_path / "i.zarr"
    write_image(root, [np.zeros((4, 4), "u1")])
    write_group(root / "labels", {"labels": ["nuclei"]})
    write_image(root / "labels" / "nuclei", [np.ones((4, 4), "u1")])
    names = ("nuclei", "labels/nuclei")
    assert [find_image(str(root), n) for n in names] == [{"label": "nuclei"}] * 2
