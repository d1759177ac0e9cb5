"""The file for BigDataViewer beside an Imaris file."""

import numpy as np
import pytest

import brickfield as bf
from brickfield.errors import OptionError

IMAGE = np.arange(60, dtype="u2").reshape(3, 4, 5)


@pytest.mark.parametrize("name", ["a/b & <c> ü", "\x01control", "x\0y", "\ud800half"])
def test_any_name_of_a_channel_gives_a_file_that_opens(tmp_path, name):
    bf.to_imaris(IMAGE, tmp_path / "a.ims", channel_names=[name], bdv_xml=True)
    with bf.open_store(tmp_path / "a.xml") as opened:
        np.testing.assert_array_equal(opened.read(0), IMAGE)


def test_a_file_of_that_name_is_kept_unless_it_may_be_replaced(tmp_path):
    (tmp_path / "a.xml").write_text("mine")
    with pytest.raises(OptionError, match="exists"):
        bf.to_imaris(IMAGE, tmp_path / "a.ims", bdv_xml=True)
    assert (tmp_path / "a.xml").read_text() == "mine"
    bf.to_imaris(IMAGE, tmp_path / "a.ims", bdv_xml=True, overwrite=True)
    assert (tmp_path / "a.xml").read_text() != "mine"


def test_the_file_that_a_source_was_opened_by_is_never_written_over(tmp_path):
    bf.to_imaris(IMAGE, tmp_path / "a.ims", bdv_xml=True)
    (tmp_path / "b.xml").write_text((tmp_path / "a.xml").read_text())
    before = (tmp_path / "b.xml").read_text()
    with pytest.raises(OptionError, match="never over it"):
        bf.to_imaris(
            tmp_path / "b.xml", tmp_path / "b.ims", bdv_xml=True, overwrite=True
        )
    assert (tmp_path / "b.xml").read_text() == before
