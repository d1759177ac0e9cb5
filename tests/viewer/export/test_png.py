"""Pictures on disk are whole, and say what they are."""

import numpy as np
import pytest
from PIL import Image

from brickfield.errors import OptionError
from brickfield.viewer.export.files import write_png

OPAQUE = np.full((4, 5, 4), 255, np.uint8)


def read(path):
    with Image.open(path) as image:
        return np.asarray(image), image.text


def test_an_opaque_picture_has_no_alpha(tmp_path):
    write_png(tmp_path / "a.png", OPAQUE)
    assert np.array_equal(read(tmp_path / "a.png")[0], OPAQUE[..., :3])
    clear = OPAQUE.copy()
    clear[0, 0, 3] = 7
    write_png(tmp_path / "b.png", clear)
    assert np.array_equal(read(tmp_path / "b.png")[0], clear)


def test_notes_are_in_the_file(tmp_path):
    write_png(tmp_path / "a.png", OPAQUE, {"Description": "complete · 3 µm"})
    assert read(tmp_path / "a.png")[1] == {"Description": "complete · 3 µm"}


def test_a_place_that_cannot_be_written_is_named_and_nothing_is_left(tmp_path):
    (tmp_path / "a.png").mkdir()
    with pytest.raises(OptionError, match=r"expected to write .*a\.png"):
        write_png(tmp_path / "a.png", OPAQUE)
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]
