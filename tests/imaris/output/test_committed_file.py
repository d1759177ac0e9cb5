"""A file that is what it was at the last commit, whatever ends the process."""

import errno
import os

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brickfield.errors import StoreWriteError
from brickfield.imaris.output import committed_file
from brickfield.imaris.output.committed_file import CommittedFile

LIBRARY = ("v108", "v108")


def opened(path):
    raw = CommittedFile(path)
    return raw, h5py.File(raw, "w" if raw.is_new else "r+", libver=LIBRARY)


def begun(path):
    raw, file = opened(path)
    file["first"] = np.arange(1000)
    file.flush()
    raw.commit()
    return raw, file


def kill(raw, file):
    """End as a killed process does: nothing more is written."""
    raw.error = raw.error or OSError("killed")
    file.close()
    raw.close()


def test_what_was_not_committed_is_gone_at_the_next_opening(tmp_path):
    path = tmp_path / "a.part"
    raw, file = begun(path)
    for i in range(50):
        file.create_group(f"group {i}").attrs["x"] = i
    file["first"][...] = 0
    file.flush()
    kill(raw, file)
    _, again = opened(path)
    assert list(again) == ["first"]
    assert again["first"][-1] == 999
    again.close()


def test_a_commit_lasts(tmp_path):
    path = tmp_path / "a.part"
    raw, file = begun(path)
    file["second"] = np.arange(5)
    file.flush()
    raw.commit()
    kill(raw, file)
    with h5py.File(path) as plain:
        assert sorted(plain) == ["first", "second"]


def test_a_file_that_was_cut_off_is_begun_anew(tmp_path):
    path = tmp_path / "a.part"
    kill(*begun(path))
    with path.open("r+b") as file:
        file.truncate(3000)
    raw = CommittedFile(path)
    assert raw.is_new
    raw.close()


def test_what_is_flushed_beside_the_work_is_committed_as_all_else(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(committed_file, "_FLUSH_BYTES", 1 << 12)
    raw, file = begun(tmp_path / "a.part")
    for i in range(30):
        file[f"part {i}"] = np.arange(5000) + i
    file.flush()
    raw.commit()
    kill(raw, file)
    with h5py.File(tmp_path / "a.part") as plain:
        assert plain["part 29"][-1] == 5028


def test_a_write_that_failed_beside_the_work_is_told_by_the_commit(
    tmp_path, monkeypatch
):
    raw, file = begun(tmp_path / "a.part")
    told = iter([OSError(errno.EIO, "Input/output error")])
    sync = os.fsync

    def told_once(number):
        for error in told:
            raise error
        sync(number)

    monkeypatch.setattr(committed_file.os, "fsync", told_once)
    monkeypatch.setattr(committed_file, "_FLUSH_BYTES", 1)
    file["second"] = np.arange(5)
    file.flush()
    with pytest.raises(StoreWriteError, match="Input/output error"):
        raw.commit()
    kill(raw, file)


def test_closing_twice_leaves_another_file_with_the_same_number_open(tmp_path):
    raw = CommittedFile(tmp_path / "a.part")
    raw.close()
    with (tmp_path / "b").open("w") as other:
        raw.close()
        other.write("x")


@pytest.mark.parametrize("is_torn", [False, True])
def test_a_whole_log_is_finished_and_a_torn_one_dropped(tmp_path, monkeypatch, is_torn):
    path = tmp_path / "a.part"
    raw, file = begun(path)
    file["second"] = np.arange(5)
    file.flush()

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(raw, "_apply", stop)
    with pytest.raises(KeyboardInterrupt):
        raw.commit()
    kill(raw, file)
    monkeypatch.undo()
    log = tmp_path / "a.part.log"
    if is_torn:
        log.write_bytes(log.read_bytes()[:-3])
    _, again = opened(path)
    assert ("second" in again) != is_torn
    assert not log.exists()
    again.close()


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 12_000), st.binary(min_size=1, max_size=5000)),
        max_size=8,
    )
)
def test_reads_see_every_write(tmp_path_factory, writes):
    path = tmp_path_factory.mktemp("raw") / "a"
    raw = CommittedFile(path)
    raw.write(bytes(range(256)) * 30)
    raw.commit()
    wanted = bytearray(bytes(range(256)) * 30)
    for start, data in writes:
        wanted.extend(bytes(max(0, start + len(data) - len(wanted))))
        wanted[start : start + len(data)] = data
        raw.seek(start)
        raw.write(data)
    raw.seek(0)
    assert raw.read(len(wanted)) == wanted
    raw.commit()
    assert path.read_bytes()[: len(wanted)] == wanted
    raw.close()
