"""Results are kept with a scan, listed, verified and dropped by ``brickfield stem cache``."""

import json

import h5py
import numpy as np
import pytest

from brickfield.testing.emd import write_emd

PATTERNS = np.random.default_rng(6).integers(0, 999, (4, 5, 8, 9)).astype(np.uint16)


@pytest.fixture
def emd(tmp_path):
    return write_emd(tmp_path / "scan.emd", PATTERNS)


def listed(command, emd, *words):
    ended = command("stem", "cache", emd, "--json", *words)
    return ended.status, json.loads(ended.out)


def test_an_overview_is_kept_and_listed(command, emd, tmp_path):
    assert listed(command, emd) == (0, {"items": [], "computing": None})
    assert command("stem", "overview", emd, "-o", tmp_path / "a.npy").status == 0
    _, about = listed(command, emd)
    items = {i["item"]: i for i in about["items"]}
    assert {"scan_overview", "pattern_mean", "com"} <= set(items)
    assert all(i["valid"] and i["complete"] and i["bytes"] for i in items.values())
    info = json.loads(command("stem", "info", emd, "--json").out)
    assert info["cached"] == about["items"]
    assert "scan_overview" in command("stem", "info", emd).out
    assert "scan_overview" in command("stem", "cache", emd).out


def test_nothing_is_kept_where_it_is_not_wanted(command, emd, tmp_path):
    words = ("stem", "overview", emd, "-o", tmp_path / "a.npy", "--cache", "none")
    before = emd.read_bytes()
    assert command(*words).status == 0
    assert emd.read_bytes() == before
    assert command(*words[:-1], "elsewhere").status == 2


def test_an_item_is_dropped_and_space_given_back(command, emd, tmp_path):
    command("stem", "overview", emd, "-o", tmp_path / "a.npy")
    status, about = listed(command, emd, "--drop", "com", "--repack", "--yes")
    assert status == 0
    assert "com" not in [i["item"] for i in about["items"]]
    assert about["bytes_given_back"] >= 0
    assert command("stem", "cache", emd, "--drop", "com").status == 2


def test_verifying_a_changed_file_is_incomplete(command, emd, tmp_path):
    command("stem", "overview", emd, "-o", tmp_path / "a.npy")
    assert listed(command, emd, "--verify")[0] == 0
    with h5py.File(emd, "r+") as file:
        file["version_1/data/datacubes/datacube_000/data"][0, 0, 0, 0] += 1
    status, about = listed(command, emd, "--verify")
    assert status == 3
    assert not any(i["valid"] for i in about["items"])


def test_a_script_is_not_asked_whether_it_means_it(command, emd):
    status, about = listed(command, emd, "--repack")
    assert status == 0
    assert about["bytes_given_back"] >= 0
