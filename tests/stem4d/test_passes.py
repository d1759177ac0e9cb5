"""One pass over a scan: its memory, its order, and stopping."""

import pickle
import subprocess
import sys
from threading import Event

import numpy as np
import pytest

from brickfield.blockwise import ThreadBuffers
from brickfield.errors import ChunkReadError
from brickfield.stem4d.open import open_scan
from brickfield.stem4d.passes import PassOptions, scan_pass
from brickfield.testing.mib import MIBOptions, header

MEMORY = """
import sys
from brickfield.stem4d.viewers import MIBLazyViewer
import brickfield.stem4d.reductions
def own():
    with open("/proc/self/status") as file:
        return next(int(r.split()[1]) for r in file if r.startswith("RssAnon"))
viewer = MIBLazyViewer(sys.argv[1], scan=(64, 64), budget="32 MB", workers=2)
viewer.frame(0, 0)
before, most = own(), 0
def watch(*_):
    global most
    most = max(most, own())
viewer.overview("scan", progress=watch)
viewer.overview("max", progress=watch)
print(most - before)
"""


def test_a_pass_takes_no_more_than_its_budget(tmp_path):
    """Memory of the process's own, of a file fifteen times as large as the budget."""
    path = tmp_path / "large.mib"
    with path.open("wb") as file:
        file.write(header((256, 256), MIBOptions()))
        file.truncate(64 * 64 * (384 + 2 * 256 * 256))
    command = [sys.executable, "-c", MEMORY, str(path)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(run.stdout) * 1024 < 32e6 + (64 << 20)


def test_a_pass_can_be_stopped(scan):
    cancel = Event()
    cancel.set()
    data = open_scan(scan).data
    found = scan_pass(
        data, lambda _b, _p: 1, lambda s, _b, v: s + v, 0, PassOptions(cancel=cancel)
    )
    assert not found.is_complete
    with pytest.raises(ChunkReadError, match="cancelled"):
        found.require()


def test_every_position_is_seen_once_and_the_first_blocks_are_spread(scan, patterns):
    order, previews = [], []

    def note(seen, block, value):
        order.append(block.start)
        seen[block.slices] += value
        return seen

    options = PassOptions(
        "20 kB", 1, stride=3, preview=lambda s: previews.append(s.copy())
    )
    data = open_scan(scan).data
    seen = scan_pass(
        data,
        lambda _b, p: p.whole()[:, :, 0, 0].astype(int),
        note,
        np.zeros((6, 7), int),
        options,
    ).require()
    np.testing.assert_array_equal(seen, patterns[:, :, 0, 0])
    assert order != sorted(order)
    assert len(previews) == 1


def test_a_file_that_is_cut_off_during_a_pass_fails_in_a_sentence(tmp_path, scan):
    path = tmp_path / "cut.mib"
    path.write_bytes(scan.read_bytes())
    data = open_scan(path).data
    path.write_bytes(scan.read_bytes()[:2000])
    with pytest.raises(ChunkReadError, match=r"cut\.mib; the file ends"):
        scan_pass(data, lambda _b, p: list(p), lambda s, _b, _v: s, 0).require()


def test_a_scan_can_be_sent_to_another_process(scan, patterns):
    data = pickle.loads(pickle.dumps(open_scan(scan).data))
    found = data.view(slice(1, 3), slice(2, 5), ThreadBuffers())
    np.testing.assert_array_equal(found, patterns[1:3, 2:5])
