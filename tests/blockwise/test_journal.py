"""A journal knows what was recorded, wherever the file was cut off, and has one owner."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from brickfield.blockwise.journal import Journal
from brickfield.errors import OptionError

WORK = {"source": "a", "levels": [1, 2]}


def test_what_was_recorded_is_known_after_reopening(tmp_path):
    path = tmp_path / "j" / "journal.jsonl"
    with Journal(path, WORK) as journal:
        journal.record("0", [3, 1])
        journal.record("1", [0])
        journal.record("0", [4])
    with Journal(path, WORK) as journal:
        assert list(journal.mask("0", 6)) == [0, 1, 0, 1, 1, 0]
        assert list(journal.mask("1", 2)) == [1, 0]
        assert list(journal.mask("2", 2)) == [0, 0]


def test_every_cut_of_the_file_is_a_journal_that_knows_no_more(tmp_path):
    """A kill may tear the last line anywhere."""
    path = tmp_path / "journal.jsonl"
    with Journal(path, WORK) as journal:
        journal.record("0", [0])
        journal.record("0", [1])
    whole = path.read_bytes()
    for n in range(len(whole) + 1):
        path.write_bytes(whole[:n])
        with Journal(path, WORK) as journal:
            mask = list(journal.mask("0", 3))
            journal.record("0", [2])
        assert mask in ([0, 0, 0], [1, 0, 0], [1, 1, 0])
        with Journal(path, WORK) as journal:
            assert list(journal.mask("0", 3)) == [*mask[:2], 1]


def test_a_journal_of_other_work_is_refused_and_names_the_difference(tmp_path):
    path = tmp_path / "journal.jsonl"
    Journal(path, WORK).close()
    with pytest.raises(OptionError, match="found other levels"):
        Journal(path, {**WORK, "levels": [1]})


def test_restart_forgets_what_was_there(tmp_path):
    path = tmp_path / "journal.jsonl"
    with Journal(path, WORK) as journal:
        journal.record("0", [0])
    with Journal(path, {"source": "b"}, restart=True) as journal:
        assert list(journal.mask("0", 1)) == [0]


def test_two_processes_cannot_hold_one_journal(tmp_path):
    path = tmp_path / "journal.jsonl"
    code = (
        "from pathlib import Path; from brickfield.blockwise.journal import Journal\n"
        f"Journal(Path({str(path)!r}), {WORK!r})"
    )
    with Journal(path, WORK):
        second = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False
        )
    if os.name == "posix":
        assert second.returncode != 0
        assert "no other process" in second.stderr


def test_remove_leaves_nothing(tmp_path):
    journal = Journal(tmp_path / "journal.jsonl", WORK)
    journal.remove()
    assert list(tmp_path.iterdir()) == []
