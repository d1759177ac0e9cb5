"""``brickfield stem`` writes what numpy computes, and wrong usage is one sentence."""

import json

import numpy as np
import pytest
from PIL import Image

from brickfield.testing.mib import write_hdr, write_mib

PATTERNS = np.random.default_rng(5).integers(0, 4096, (4, 5, 8, 9)).astype(np.uint16)


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scan")
    write_hdr(folder / "scan.hdr", ScanX=5, ScanY=4)
    return write_mib(folder / "scan.mib", PATTERNS.reshape(-1, 8, 9))


def test_info_says_what_is_known(command, scan):
    ended = command("stem", "info", scan, "--json")
    about = json.loads(ended.out)
    assert ended.status == 0
    assert about["shape"] == [4, 5, 8, 9]
    assert about["dtype"] == "uint16"
    assert about["orientation"].startswith("file order")
    assert (about["scan_from"], about["scan_confidence"]) == ("header", 1.0)
    assert (about["bit_depth"], about["frames"], about["frames_unused"]) == (12, 20, 0)
    assert [set(c) for c in about["calibration"]] == [
        {"name", "size", "unit", "origin"}
    ] * 4
    assert about["cached"] == []
    assert "4 × 5 positions" in command("stem", "info", scan).out


def test_the_user_says_the_scan(command, scan):
    words = ("--scan", "2x4", "--skip-frames", "1", "--line-skip", "2", "--json")
    about = json.loads(command("stem", "info", scan, *words).out)
    assert about["shape"][:2] == [2, 4]
    assert (about["scan_from"], about["frames_unused"]) == ("user", 12)


def test_a_frame_is_written_in_every_format(command, scan, tmp_path):
    for end in ("npy", "tif", "png"):
        out = tmp_path / f"frame.{end}"
        ended = command("stem", "frame", scan, 2, 3, "-o", out, "--json")
        assert (ended.status, json.loads(ended.out)["shape"]) == (0, [8, 9])
    np.testing.assert_array_equal(np.load(tmp_path / "frame.npy"), PATTERNS[2, 3])
    tiff = np.asarray(Image.open(tmp_path / "frame.tif"))
    np.testing.assert_array_equal(tiff, PATTERNS[2, 3])


def written(command, tmp_path, *words):
    out = tmp_path / "out.npy"
    ended = command("stem", *words, "-o", out)
    assert ended.status == 0, ended.err
    return np.load(out)


@pytest.mark.parametrize(("kind", "axes"), [("mean", (0, 1)), ("max", (0, 1))])
def test_an_overview_is_that_of_numpy(command, scan, tmp_path, kind, axes):
    found = written(command, tmp_path, "overview", scan, "--kind", kind)
    np.testing.assert_allclose(found, getattr(PATTERNS, kind)(axis=axes))


def test_the_scan_is_the_overview_if_no_other_is_named(command, scan, tmp_path):
    found = written(command, tmp_path, "overview", scan)
    np.testing.assert_array_equal(found, PATTERNS.sum((2, 3)))


def test_detectors_are_given_in_rows_and_columns(command, scan, tmp_path):
    y, x = np.mgrid[:8, :9]
    d2 = (y - 3) ** 2 + (x - 4.5) ** 2
    np.save(tmp_path / "mask.npy", d2 <= 2)
    for words, mask in (
        (("--disc", "3,4.5,2"), d2 <= 4),
        (("--annulus", "3,4.5,1,3"), (d2 >= 1) & (d2 <= 9)),
        (("--rectangle", "0,1,2,3"), (y <= 1) & (x >= 2) & (x <= 3)),
        (("--wedge", "3,4.5,0,9,0,180"), (y >= 3) & (d2 <= 81)),
        (("--mask", tmp_path / "mask.npy"), d2 <= 2),
    ):
        found = written(command, tmp_path, "virtual", scan, *words)
        np.testing.assert_array_equal(found, (PATTERNS * mask).sum((2, 3)))


def test_the_sum_of_the_patterns_of_a_region_is_written(command, scan, tmp_path):
    found = written(
        command, tmp_path, "pattern", scan, "--roi", "1:3,:2", "--kind", "sum"
    )
    np.testing.assert_array_equal(found, PATTERNS[1:3, :2].sum((0, 1)))


def test_raw_frames_are_described_by_the_user(command, tmp_path):
    path = tmp_path / "frames.bin"
    path.write_bytes(bytes(16) + PATTERNS.astype(">u2").tobytes())
    words = ("frame", path, 3, 4, "--raw", ">u2,4,5,8,9,16")
    np.testing.assert_array_equal(written(command, tmp_path, *words), PATTERNS[3, 4])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("info", "{scan}", "--scan", "5by4"), "--scan"),
        (("info", "{scan}", "--scan", "0x4"), "--scan"),
        (("info", "{scan}", "--scan", "9x9"), "frames"),
        (("info", "{scan}", "--skip-frames", "-1"), "0 frames or more"),
        (("info", "nowhere.mib"), "found nothing"),
        (("info", "nowhere.txt"), "Unsupported file format"),
        (("frame", "{scan}", "9", "0", "-o", "{out}"), "within the scan of 4x5"),
        (("frame", "{scan}", "0", "0", "-o", "out.jpg"), "ends in"),
        (("virtual", "{scan}", "-o", "{out}"), "expected one of --disc"),
        (("virtual", "{scan}", "--disc", "1,2", "-o", "{out}"), "CY,CX,R"),
        (("virtual", "{scan}", "--disc", "1,2,-3", "-o", "{out}"), "radii"),
        (("virtual", "{scan}", "--mask", "none.npy", "-o", "{out}"), "--mask"),
        (("pattern", "{scan}", "--roi", "1-3", "-o", "{out}"), "--roi"),
        (("overview", "{scan}", "--kind", "moon", "-o", "{out}"), "of the kind"),
        (("overview", "{scan}", "--budget", "lots", "-o", "{out}"), "size such as"),
        (
            ("overview", "{scan}", "--budget", "100", "-o", "{out}"),
            "budget of at least",
        ),
    ],
)
def test_wrong_usage_ends_with_one_sentence(command, scan, tmp_path, words, says):
    out = tmp_path / "out.npy"
    ended = command("stem", *(w.format(scan=scan, out=out) for w in words))
    assert ended.status == 2
    assert says in ended.err
    assert len(ended.err.strip().splitlines()) == 1
    assert not out.exists()


def test_a_scan_is_converted_and_read_again(command, scan, tmp_path):
    out = tmp_path / "scan.emd"
    words = ("--region", "1:3,:", "--bin", "2", "--compression", "gzip", "--json")
    ended = command("stem", "convert", scan, out, *words)
    about = json.loads(ended.out)
    assert (ended.status, about["complete"]) == (0, True)
    assert about["shape"] == [2, 5, 4, 4]
    found = written(command, tmp_path, "frame", out, 1, 4)
    expected = PATTERNS[2, 4, :8, :8].reshape(4, 2, 4, 2).sum((1, 3))
    np.testing.assert_array_equal(found, expected)
    again = command("stem", "convert", scan, out)
    assert again.status == 2
    assert "--overwrite" in again.err


def test_centres_of_mass_and_what_follows(command, scan, tmp_path):
    y, x = np.mgrid[:8, :9]
    mass = PATTERNS.sum((2, 3))
    centres = np.stack([(PATTERNS * a).sum((2, 3)) / mass for a in (y, x)])
    found = written(command, tmp_path, "virtual", scan, "--com")
    np.testing.assert_allclose(found, centres)
    ring = ((y - 4) ** 2 + (x - 4) ** 2 <= 9) * PATTERNS
    found = written(command, tmp_path, "virtual", scan, "--com-annulus", "4,4,0,3")
    np.testing.assert_allclose(found[1], (ring * x).sum((2, 3)) / ring.sum((2, 3)))
    words = ("virtual", scan, "--dpc", "--descan", "--rotation", "auto")
    assert written(command, tmp_path, *words).shape == (2, 4, 5)
    words = ("virtual", scan, "--icom", "--rotation", "12.5", "--flip")
    assert written(command, tmp_path, *words).shape == (4, 5)


@pytest.mark.parametrize(
    "words",
    [
        ("--com", "--dpc"),
        ("--com-annulus", "1,2,3"),
        ("--com-annulus", "4,4,0,3", "--disc", "1,1,1"),
        ("--com", "--rotation", "left"),
    ],
)
def test_centres_that_cannot_be_are_said_in_a_sentence(command, scan, tmp_path, words):
    ended = command("stem", "virtual", scan, *words, "-o", tmp_path / "a.npy")
    assert ended.status == 2
