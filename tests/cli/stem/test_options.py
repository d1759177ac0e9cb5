"""Every ``stem`` command takes the options that all have in common."""

import json

import numpy as np
import pytest
from typer.main import get_command

from brickfield.cli.stem.app import app
from brickfield.testing.mib import write_hdr, write_mib

PATTERNS = np.random.default_rng(7).integers(9, 99, (4, 5, 8, 8)).astype(np.uint16)
READING = {"--scan", "--skip-frames", "--line-skip", "--this-file-only", "--raw"}
READING |= {"--dataset", "--series", "--dead", "--dark", "--gain", "--cross"}
COMMON = READING | {"--budget", "--scheduler", "--cache", "--json"}
COMMANDS = get_command(app).commands


@pytest.fixture
def scan(tmp_path):
    write_hdr(tmp_path / "scan.hdr", ScanX=5, ScanY=4)
    return write_mib(tmp_path / "scan.mib", PATTERNS.reshape(-1, 8, 8))


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_command_has_the_common_options(name):
    options = {o for p in COMMANDS[name].params for o in p.opts}
    assert options >= COMMON


def test_corrections_are_said_and_applied(command, scan, tmp_path):
    dead = np.zeros((8, 8), np.bool_)
    dead[4, 4] = True
    np.save(tmp_path / "dead.npy", dead)
    np.save(tmp_path / "dark.npy", np.full((8, 8), 3.0))
    words = ("--dead", tmp_path / "dead.npy", "--dark", tmp_path / "dark.npy")
    about = json.loads(command("stem", "info", scan, *words, "--json").out)
    assert about["dtype"] == "float32"
    assert about["corrections"]["dead"]["pixels"] == 1
    out = tmp_path / "out.npy"
    assert command("stem", "frame", scan, 1, 2, "-o", out, *words).status == 0
    expected = PATTERNS[1, 2] - 3.0
    around = np.delete(expected[3:6, 3:6].ravel(), 4)
    expected[4, 4] = np.median(around)
    np.testing.assert_allclose(np.load(out), expected)


def test_the_whole_scans_pattern_is_kept_beside_it_when_asked(command, scan, tmp_path):
    words = ("-o", tmp_path / "out.npy", "--cache", "sidecar")
    assert command("stem", "pattern", scan, "--kind", "max", *words).status == 0
    about = json.loads(command("stem", "cache", scan, "--json").out)
    assert "pattern_max" in [i["item"] for i in about["items"]]
    assert scan.with_name("scan.mib.cache.h5").exists()


def test_a_conversion_keeps_overviews_where_it_is_told(command, scan, tmp_path):
    for where, is_inside, is_beside in (
        ("auto", True, False),
        ("sidecar", False, True),
        ("none", False, False),
    ):
        out = tmp_path / f"{where}.emd"
        assert command("stem", "convert", scan, out, "--cache", where).status == 0
        beside = out.with_name(f"{out.name}.cache.h5")
        about = json.loads(command("stem", "cache", out, "--json").out)
        files = {i["file"] for i in about["items"]}
        assert files == ({str(out)} if is_inside else set()) | (
            {str(beside)} if is_beside else set()
        )
        assert beside.exists() is is_beside
    assert command("stem", "convert", scan, "b.emd", "--cache", "there").status == 2


def test_a_scan_that_is_written_is_followed_to_its_end(command, scan, tmp_path):
    out = tmp_path / "out.npy"
    ended = command("stem", "follow", scan, "-o", out, "--json")
    about = json.loads(ended.out)
    assert (ended.status, about["frames"], about["complete"]) == (0, 20, True)
    np.testing.assert_array_equal(np.load(out), PATTERNS.sum((2, 3)))
    short = ("--scan", "9x9", "--idle", "0")
    assert command("stem", "follow", scan, "-o", out, *short).status == 3
    dead, mask = tmp_path / "dead.npy", np.zeros(PATTERNS.shape[2:], bool)
    mask[1, 1] = True
    np.save(dead, mask)
    assert command("stem", "follow", scan, "-o", out, "--dead", dead).status == 0
    assert (np.load(out) != PATTERNS.sum((2, 3))).any()
    assert command("stem", "follow", scan, "-o", out, "--dead", "auto").status == 2
