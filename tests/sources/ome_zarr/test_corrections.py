"""What the user says of scale and axes goes before what a store says."""

import pytest

from brickfield.errors import OptionError, StoreFormatError
from brickfield.sources.open import open_source
from brickfield.testing.zarr_stores import image_attributes, ramp, write_image


@pytest.fixture
def short_scales(tmp_path):
    """An image of three axes with two numbers in its first scale."""
    attributes = image_attributes("zyx", [[3, 3], [1, 6, 6]])
    return write_image(
        tmp_path / "image.zarr", [ramp((8, 8, 8)), ramp((8, 4, 4))], attributes
    )


def test_a_scale_of_a_wrong_length_is_refused(short_scales):
    with pytest.raises(StoreFormatError, match=r"expected 3 numbers.*found 2.*--scale"):
        open_source(short_scales)


def test_with_a_given_scale_the_levels_follow_their_shapes(short_scales):
    info = open_source(short_scales, scale=(2, 0.5, 0.5)).info
    assert [lv.voxel_size for lv in info.pyramid.levels] == [(2, 0.5, 0.5), (2, 1, 1)]
    assert info.pyramid.levels[1].translation == (0, 0.25, 0.25)
    assert "transform-length" in {f.code for f in info.findings}


def test_a_given_scale_is_for_the_axes_of_space_or_for_all(tmp_path):
    attributes = image_attributes("cyx", [[1, 1]])
    store = write_image(tmp_path / "image.zarr", [ramp((2, 8, 8))], attributes)
    for scale in ((3, 4), (1, 3, 4)):
        (level,) = open_source(store, scale=scale).info.pyramid.levels
        assert level.voxel_size == (1, 3, 4)
    with pytest.raises(OptionError, match="expected a scale of 2 numbers"):
        open_source(store, scale=(1,))


def test_two_axes_of_one_name_open_with_names_that_are_given(tmp_path):
    store = write_image(
        tmp_path / "image.zarr", [ramp((4, 8, 8))], image_attributes("zzx", [[1, 2, 3]])
    )
    with pytest.raises(StoreFormatError, match="--axes or axes="):
        open_source(store)
    info = open_source(store, axes="zyx").info
    assert [a.name for a in info.pyramid.axes] == ["z", "y", "x"]
    assert info.pyramid.levels[0].voxel_size == (1, 2, 3)
