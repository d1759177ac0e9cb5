"""What a user may choose is checked before anything is read."""

import numpy as np
import pytest

import brickfield as bf
from brickfield.errors import OptionError

IMAGE = np.zeros((4, 9, 11), "u2")


@pytest.mark.parametrize(
    "options",
    [
        {"level": 0.5},
        {"levels": "x"},
        {"workers": "2"},
        {"workers": True},
        {"compression_opts": "x"},
        {"channels": 0},
        {"time_points": ["a"]},
        {"chunks": 5},
        {"region": 5},
        {"spacing": "x"},
        {"opening": {"sereis": 1}},
        {"opening": "series"},
    ],
    ids=str,
)
def test_an_option_of_another_type_is_told_in_one_sentence(tmp_path, options):
    with pytest.raises(OptionError, match="expected"):
        bf.to_imaris(IMAGE, tmp_path / "a.ims", **options)
    assert not list(tmp_path.iterdir())


def test_whole_numbers_of_numpy_are_whole_numbers(tmp_path):
    options = {"workers": np.int64(1), "channels": np.array([0]), "levels": np.uint8(1)}
    assert bf.to_imaris(IMAGE, tmp_path / "a.ims", **options).is_complete
