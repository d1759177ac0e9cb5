"""One owner of an HDF5 file: readers share it, a writer has it for a moment."""

from __future__ import annotations

import gc
import subprocess
import sys
from contextlib import closing, suppress
from threading import Event, Thread

import h5py
import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from brickfield.errors import (
    ChunkReadError,
    StoreAccessError,
    StoreFormatError,
    StoreNotFoundError,
    StoreWriteError,
)
from brickfield.sources.hdf5.handles import HeldObject, is_shared, share, writing
from brickfield.sources.open import open_source

DATA = np.arange(8 * 8 * 8, dtype=np.uint16).reshape(8, 8, 8)


@pytest.fixture
def path(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("d", data=DATA, chunks=(4, 8, 8))
    return tmp_path / "a.h5"


def read(source, index=(0, 0, 0)):
    return source.read_storage_chunk(0, index).data


def test_readers_of_one_file_share_a_handle_and_the_last_closes_it(path):
    one, two = share(path), share(path.parent / "." / "a.h5")
    assert one.file is two.file
    file = one.file
    one.close()
    assert file
    two.close()
    assert not file
    assert not is_shared(path)
    with pytest.raises(ValueError, match="closed"):
        _ = two.file


def test_a_reader_goes_on_after_somebody_wrote_and_sees_what_was_written(path):
    with closing(open_source(str(path))) as source:
        np.testing.assert_array_equal(read(source), DATA[:4])
        with writing(path) as file:
            file["d"][0] = 7
            file.attrs["note"] = "x"
        np.testing.assert_array_equal(read(source)[0], np.full((8, 8), 7))
        np.testing.assert_array_equal(read(source, (1, 0, 0)), DATA[4:])
    assert not is_shared(path)


def test_chunks_that_a_writer_adds_are_no_longer_missing(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("d", (8, 8, 8), "u2", chunks=(4, 8, 8))
    indices = np.array([[0, 0, 0], [1, 0, 0]])
    with closing(open_source(str(path))) as source:
        assert source.missing_chunks(0, indices).tolist() == [True, True]
        with writing(path) as file:
            file["d"][:4] = 3
        assert source.missing_chunks(0, indices).tolist() == [False, True]
        assert (read(source) == 3).all()


def test_readers_of_other_threads_wait_for_the_writer(path):
    with closing(open_source(str(path))) as source:
        found, started = [], Event()

        def look():
            started.set()
            found.append(read(source))

        thread = Thread(target=look)
        with writing(path) as file:
            thread.start()
            started.wait()
            file["d"][:4] = 9
            assert not found
        thread.join()
    assert (found[0] == 9).all()


def test_a_reader_of_the_writing_thread_has_the_writers_file(path):
    with closing(open_source(str(path))) as source, writing(path) as file:
        file["d"][:4] = 5
        assert (read(source) == 5).all()
        with writing(path) as inner:
            assert inner is file
    assert not file


def test_a_source_that_was_closed_stays_closed_after_a_writer(path):
    source = open_source(str(path))
    read(source)
    source.close()
    with writing(path):
        pass
    with pytest.raises((ChunkReadError, ValueError)):
        read(source)


def test_links_and_imaris_groups_are_found_again(tmp_path):
    with h5py.File(tmp_path / "part.h5", "w") as file:
        file.create_dataset("d", data=DATA, chunks=(4, 8, 8))
    with h5py.File(tmp_path / "master.h5", "w") as file:
        file["entry"] = h5py.ExternalLink("part.h5", "/d")
    with closing(open_source(f"{tmp_path / 'master.h5'}:/entry")) as source:
        np.testing.assert_array_equal(read(source), DATA[:4])
        for name in ("part.h5", "master.h5"):
            with writing(tmp_path / name) as file:
                file.attrs["seen"] = 1
        np.testing.assert_array_equal(read(source, (1, 0, 0)), DATA[4:])
    for name in ("part.h5", "master.h5"):
        assert not is_shared(tmp_path / name)


def test_a_file_put_in_the_place_of_another_is_another(path):
    with closing(open_source(str(path))) as source:
        with h5py.File(path.parent / "new.h5", "w") as file:
            file.create_dataset("d", data=DATA + 1, chunks=(4, 8, 8))
        (path.parent / "new.h5").replace(path)
        np.testing.assert_array_equal(read(source), DATA[:4])
        with closing(open_source(str(path))) as other:
            np.testing.assert_array_equal(read(other), DATA[:4] + 1)


def test_a_renamed_file_is_written_to_under_its_new_name(path):
    with closing(open_source(str(path))) as source:
        path.rename(path.parent / "b.h5")
        with closing(open_source(str(path.parent / "b.h5"))) as other:
            with writing(path.parent / "b.h5") as file:
                file["d"][:4] = 2
            assert (read(source) == 2).all()
            assert (read(other) == 2).all()


def test_a_share_that_nobody_closed_ends_with_its_reader(path):
    share(path)
    gc.collect()
    assert not is_shared(path)


def test_an_error_inside_gives_the_file_back(path):
    with closing(open_source(str(path))) as source:
        with suppress(ZeroDivisionError), writing(path) as file:
            file["d"][:4] = 1
            raise ZeroDivisionError
        assert (read(source) == 1).all()


def test_what_cannot_be_written_to_is_told_in_a_sentence(path, tmp_path):
    with pytest.raises(StoreNotFoundError, match="nothing"), writing(tmp_path / "no"):
        pass
    (tmp_path / "junk.h5").write_bytes(b"junk")
    with pytest.raises(StoreFormatError, match="HDF5"), writing(tmp_path / "junk.h5"):
        pass
    with (
        h5py.File(path, "r") as kept,
        pytest.raises((StoreAccessError, StoreWriteError), match="open elsewhere"),
        writing(path),
    ):
        pass
    assert not kept


def test_a_file_that_another_program_reads_is_refused_and_reading_goes_on(path):
    code = (
        "import h5py, sys; f = h5py.File(sys.argv[1], 'r');"
        "print('open', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert other.stdout.readline().strip() == b"open"
        with closing(open_source(str(path))) as source:
            with pytest.raises(StoreAccessError, match="close it there"), writing(path):
                pass
            np.testing.assert_array_equal(read(source), DATA[:4])
    finally:
        other.communicate()


def test_objects_of_other_files_are_kept_as_they_are(path):
    with h5py.File(path, "r") as file:
        held = HeldObject(file["d"])
        assert held.get().shape == (8, 8, 8)
    assert not held.get()


class Handles(RuleBasedStateMachine):
    """Opening, closing, reading and writing in any order."""

    def __init__(self):
        super().__init__()
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.path = f"{self.folder.name}/a.h5"
        self.data = DATA.copy()
        with h5py.File(self.path, "w") as file:
            file.create_dataset("d", data=self.data, chunks=(4, 8, 8))
        self.readers = []

    @rule()
    def open(self):
        self.readers.append(open_source(self.path))

    @precondition(lambda self: self.readers)
    @rule(which=st.integers(0, 99))
    def close(self, which):
        self.readers.pop(which % len(self.readers)).close()

    @rule(z=st.integers(0, 7), value=st.integers(0, 65535))
    def write(self, z, value):
        with writing(self.path) as file:
            file["d"][z] = self.data[z] = value

    @rule()
    def read(self):
        for reader in self.readers:
            np.testing.assert_array_equal(read(reader, (1, 0, 0)), self.data[4:])

    @invariant()
    def it_is_open_as_long_as_anybody_reads(self):
        assert is_shared(self.path) == bool(self.readers)

    def teardown(self):
        for reader in self.readers:
            reader.close()
        self.folder.cleanup()


TestHandles = Handles.TestCase
TestHandles.settings = settings(max_examples=20, stateful_step_count=15, deadline=None)
