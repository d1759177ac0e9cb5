"""The record of a movie is whole, and trusts no name that leads elsewhere."""

import json

import pytest

from brickfield.errors import StoreWriteError
from brickfield.viewer.export.movie_record import FrameRecord, MovieRecord, read_record


def test_a_record_is_read_as_it_was_written(tmp_path):
    record = MovieRecord("abc", 25.0, 3, (4, 2))
    record.add(
        FrameRecord(1, "frame_00001.png", True, 0.5, {"pixels": {"empty": 0.0}}),
        tmp_path,
    )
    record.add(FrameRecord(0, "frame_00000.png", False, 0.1), tmp_path)
    record.save(tmp_path)
    again = read_record(tmp_path)
    assert again is not None
    assert again.in_order() == record.in_order()
    assert (again.signature, again.fps, again.n_frames, again.size) == (
        "abc",
        25.0,
        3,
        (4, 2),
    )


def test_a_frame_is_there_when_it_is_complete_and_on_disk(tmp_path):
    record = MovieRecord("abc", 25.0, 3)
    record.add(FrameRecord(0, "frame_00000.png", True, 0.5), tmp_path)
    assert not record.has(tmp_path, 0)
    (tmp_path / "frame_00000.png").touch()
    assert record.has(tmp_path, 0)
    assert not record.has(tmp_path, 1)
    record.add(FrameRecord(0, "frame_00000.png", False, 0.5), tmp_path)
    assert not record.has(tmp_path, 0)


def test_names_outside_the_folder_are_not_taken(tmp_path):
    record = MovieRecord("abc", 25.0, 2)
    record.add(FrameRecord(0, "frame_00000.png", True, 0.5), tmp_path)
    record.save(tmp_path)
    data = json.loads((tmp_path / "frames.json").read_text())
    data["frames"].append(data["frames"][0] | {"index": 1, "file": "../secret.png"})
    (tmp_path / "frames.json").write_text(json.dumps(data))
    assert list(read_record(tmp_path).frames) == [0]


def test_a_record_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "frames.json").mkdir()
    with pytest.raises(StoreWriteError, match=r"frames\.json; found"):
        MovieRecord("abc", 25.0, 2).save(tmp_path)
