"""What writing a pyramid takes, told before."""

from contextlib import closing

import numpy as np
import pytest

from brickfield.pyramid import outlook as module
from brickfield.pyramid.command import write_pyramid
from brickfield.pyramid.outlook import look_ahead
from brickfield.sources import open_source
from brickfield.testing.zarr_stores import write_image
from brickfield.writing.stores import JOURNAL


@pytest.fixture
def source(tmp_path):
    """One level of 130 x 130 x 130 bytes, which gets two more: 65 and 33."""
    data = np.full((130, 130, 130), 7, "u1")
    path = write_image(tmp_path / "one.zarr", [data])
    with closing(open_source(path)) as source:
        yield source


def test_the_size_is_that_of_the_levels_that_are_written(source, tmp_path):
    told = look_ahead(source, tmp_path / "new.ome.zarr")
    assert told.refusal == ""
    result = write_pyramid(source, tmp_path / "new.ome.zarr")
    assert told.n_bytes == sum(int(np.prod(lv.shape)) for lv in result.levels)
    assert told.n_bytes == result.bytes_written


def test_nothing_is_written_by_looking_ahead(source, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    look_ahead(source, tmp_path / "a" / "new.ome.zarr")
    assert sorted(tmp_path.rglob("*")) == before


def test_what_is_in_the_way_is_said(source, tmp_path):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    told = look_ahead(source, tmp_path / "taken")
    assert told.refusal.endswith("something is at taken already: name another")


def test_a_folder_marked_read_only_is_said_to_a_superuser_too(source, tmp_path):
    (tmp_path / "marked").mkdir(mode=0o555)
    told = look_ahead(source, tmp_path / "marked" / "new.ome.zarr")
    assert told.refusal.endswith("marked read-only")


def test_the_source_is_no_target(source, tmp_path):
    assert look_ahead(source, tmp_path / "one.zarr" / "inside").refusal


def test_too_little_room_is_said_with_both_numbers(source, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_free_bytes", lambda _target: 1 << 20)
    told = look_ahead(source, tmp_path / "new.ome.zarr")
    assert "of free space at most; found 1 MiB" in told.refusal


def test_what_an_interrupted_run_left_is_gone_on_with(source, tmp_path):
    journal = tmp_path / "half.ome.zarr" / JOURNAL
    journal.mkdir(parents=True)
    (journal / "journal.jsonl").touch()
    told = look_ahead(source, tmp_path / "half.ome.zarr")
    assert told.is_resumed
    assert told.refusal == ""


def test_time_counts_reading_and_writing():
    told = module.Outlook(None, n_bytes=200_000_000)
    assert told.seconds(read_a_second=50e6) == pytest.approx(4 + 2)
