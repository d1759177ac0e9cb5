"""``brickfield stem fft`` keeps the spectrum that its options describe."""

import json

import h5py
import numpy as np
import pytest

from brickfield.testing.emd import write_emd

PATTERNS = np.random.default_rng(6).integers(0, 999, (4, 5, 8, 9)).astype(np.uint16)


@pytest.fixture
def emd(tmp_path):
    return write_emd(tmp_path / "scan.emd", PATTERNS)


@pytest.mark.parametrize(("mode", "axes"), [("4d", None), ("scan", (0, 1))])
def test_a_spectrum_is_kept_in_the_file(command, emd, mode, axes):
    words = ("stem", "fft", emd, "--mode", mode, "--json")
    ended = command(*words)
    about = json.loads(ended.out)
    assert (ended.status, about["complete"], about["cached"]) == (0, True, False)
    exact = np.fft.fftn(PATTERNS.astype(float), axes=axes)
    with h5py.File(emd) as file:
        found = file[about["dataset"]][...]
    np.testing.assert_allclose(found, exact, atol=1e-5 * abs(exact).max())
    assert json.loads(command(*words).out)["cached"]
    assert "was there" in command("stem", "fft", emd, "--mode", mode).out


def test_options_reach_the_spectrum(command, emd):
    words = ("--half", "--region", "1:3,0:4", "--bin", "2", "--cache", "sidecar")
    about = json.loads(command("stem", "fft", emd, *words, "--json").out)
    assert about["path"].endswith("scan.emd.cache.h5")
    assert about["full_shape"] == [2, 4, 4, 4]
    assert about["shape"] == [2, 4, 4, 3]


@pytest.mark.parametrize(
    "words",
    [
        ("--mode", "sideways"),
        ("--mode", "scan", "--half"),
        ("--bin", "0"),
        ("--bin", "99"),
        ("--region", "0:9,0:1"),
        ("--budget", "1 kB"),
        ("--dataset", "/nothing"),
        ("--cache", "none"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(command, emd, words):
    ended = command("stem", "fft", emd, *words)
    assert ended.status == 2
    assert "Traceback" not in ended.err
