"""A folder is put in place whole, whatever happens meanwhile."""

from __future__ import annotations

import doctest
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import closing, suppress

import pytest

from brickfield.errors import OptionError, StoreWriteError
from brickfield.sources import open_source
from brickfield.writing import commit
from brickfield.writing.commit import building, remove_leftovers

posix = pytest.mark.skipif(os.name != "posix", reason="kills a process with a signal")


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def store(folder, text="{}"):
    """Make the least that counts as a store."""
    folder.mkdir(parents=True, exist_ok=True)
    document = '{"zarr_format": 3, "node_type": "group", "attributes": '
    (folder / "zarr.json").write_text(f'{document}{{"ome": {{"text": "{text}"}}}}}}')


def text_of(folder):
    return (folder / "zarr.json").read_text().split('"text": "')[1].split('"')[0]


def test_the_example_runs():
    assert doctest.testmod(commit).failed == 0


def test_nothing_is_under_the_name_before_the_end(tmp_path):
    target = tmp_path / "deep" / "a.zarr"
    with building(target) as folder:
        store(folder, "new")
        assert not target.exists()
    assert text_of(target) == "new"
    assert names(target.parent) == ["a.zarr"]


def test_what_fails_leaves_the_old_store_and_nothing_else(tmp_path):
    target = tmp_path / "a.zarr"
    store(target, "old")
    with suppress(ZeroDivisionError), building(target, overwrite=True) as folder:
        store(folder, "new")
        raise ZeroDivisionError
    assert text_of(target) == "old"
    assert names(tmp_path) == ["a.zarr"]


def test_a_store_is_replaced_when_asked_and_somebodys_folder_never(tmp_path):
    target = tmp_path / "a.zarr"
    store(target, "old")
    with pytest.raises(OptionError, match="or overwrite"), building(target):
        pass
    with building(target, overwrite=True) as folder:
        store(folder, "new")
    assert text_of(target) == "new"
    (target / "thesis.txt").write_text("mine")
    with pytest.raises(OptionError, match=r"thesis\.txt"):
        build_over(target)
    assert (target / "thesis.txt").read_text() == "mine"


def build_over(target, text="new"):
    with building(target, overwrite=True) as folder:
        store(folder, text)


def test_what_appears_under_the_name_meanwhile_is_not_replaced(tmp_path):
    target = tmp_path / "a.zarr"
    with pytest.raises(OptionError, match="something in it"):
        build_beside(target)
    assert text_of(target) == "other"
    assert names(tmp_path) == ["a.zarr"]


def build_beside(target):
    with building(target) as folder:
        store(folder, "new")
        store(target, "other")


def test_a_source_that_is_read_is_not_replaced(layouts, tmp_path):
    target = tmp_path / "a.zarr"
    layouts.image(target)
    with closing(open_source(str(target))) as source:
        with (
            pytest.raises(OptionError, match="is read"),
            building(target, overwrite=True, sources=[source]),
        ):
            pass
        assert source.read_storage_chunk(0, (0, 0, 0)).data is not None


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
def test_a_link_is_kept_and_what_it_names_is_replaced(tmp_path):
    (tmp_path / "far").mkdir()
    store(tmp_path / "far" / "real.zarr", "old")
    (tmp_path / "a.zarr").symlink_to(tmp_path / "far" / "real.zarr")
    build_over(tmp_path / "a.zarr")
    assert (tmp_path / "a.zarr").is_symlink()
    assert text_of(tmp_path / "far" / "real.zarr") == "new"


def test_a_folder_without_the_right_to_write_is_told_in_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises((StoreWriteError, OptionError), match="expected"),
        building(tmp_path / "file" / "a.zarr"),
    ):
        pass


CODE = """
import sys, time
from pathlib import Path
from brickfield.writing.commit import building
target = Path(sys.argv[1])
print("ready", flush=True)
for i in range(100000):
    with building(target, overwrite=True) as folder:
        for k in range(5):
            (folder / str(k)).mkdir()
            (folder / str(k) / "zarr.json").write_text('{"node_type": "group"}')
        text = '{"zarr_format": 3, "node_type": "group", "attributes": '
        (folder / "zarr.json").write_text(text + '{"ome": {"series": []}}}')
"""
CODE = CODE.replace('"ome": {"series"', '"bioformats2raw.layout": 3, "ome": {"series"')


def start(target):
    run = subprocess.Popen(
        [sys.executable, "-c", CODE, str(target)], stdout=subprocess.PIPE
    )
    assert run.stdout.readline().strip() == b"ready"
    return run


@posix
@pytest.mark.slow
def test_a_kill_anywhere_leaves_the_old_store_or_the_new_one(tmp_path):
    """The rest is taken away, and the old store put back, by the next run."""
    target, times = tmp_path / "a.zarr", random.Random(7)
    store(target, "first")
    for _ in range(6):
        run = start(target)
        time.sleep(times.uniform(0.02, 0.2))
        run.send_signal(signal.SIGKILL)
        run.communicate()
        remove_leftovers(target)
        assert names(tmp_path) == ["a.zarr"]
        inside = names(target)
        assert inside in (["zarr.json"], ["0", "1", "2", "3", "4", "zarr.json"])


@posix
@pytest.mark.slow
def test_a_run_under_way_is_not_taken_for_a_dead_one(tmp_path):
    target = tmp_path / "a.zarr"
    with building(target) as folder:
        code = "import sys; from pathlib import Path\n"
        code += "from brickfield.writing.commit import remove_leftovers\n"
        code += "remove_leftovers(Path(sys.argv[1]))"
        subprocess.run([sys.executable, "-c", code, str(target)], check=True)
        store(folder, "new")
    assert text_of(target) == "new"


def test_a_store_that_a_kill_left_moved_away_is_put_back(tmp_path):
    """The moment between the two renames."""
    beside = tmp_path / ".a.zarr.0123456789ab.unfinished"
    store(beside / "old", "old")
    store(beside / "new", "new")
    (beside / "lock").write_bytes(b"")
    remove_leftovers(tmp_path / "a.zarr")
    assert names(tmp_path) == ["a.zarr"]
    assert text_of(tmp_path / "a.zarr") == "old"


def test_folders_of_other_names_are_left_alone(tmp_path):
    for name in (".b.zarr.0123456789ab.unfinished", ".a.zarr.xyz.unfinished"):
        (tmp_path / name).mkdir()
    remove_leftovers(tmp_path / "a.zarr")
    assert len(names(tmp_path)) == 2
