"""Own memory stays within budget + 64 MB, whatever is computed of however much."""

import subprocess
import sys

import pytest

from brickfield.stem4d import convert_scan
from brickfield.testing.mib import MIBOptions, header

BUDGET = 20_000_000
RUN = """
import sys
from threading import Event, Thread

from brickfield.stem4d import *
from brickfield.stem4d.overviews import ITEMS, OverviewOptions
import brickfield.stem4d.corrections, brickfield.stem4d.fft.store, scipy.fft, h5py
what, path = sys.argv[1:]
how = {"budget": "20 MB", "workers": 2}
viewer = LazyDataManager.create_viewer(path, **how)
viewer.frame(0, 0)
def own():
    with open("/proc/self/status") as file:
        return next(int(r.split()[1]) for r in file if r.startswith("RssAnon"))
most, over, before = 0, Event(), own()
def watch():
    global most
    while not over.wait(0.005):
        most = max(most, own())
thread = Thread(target=watch)
thread.start()
try:
    if what == "overviews":
        viewer.cache.overviews(OverviewOptions(ITEMS, n_binned=4), viewer.options)
    elif what == "convert":
        convert_scan(path, path + ".emd", "gzip", options=ConvertOptions(**how))
    else:
        options = FFTOptions(what, store_amplitude=what == "detector", **how)
        ChunkedFFTProcessor(viewer.cache, options).compute_and_store_fft()
finally:
    over.set()
    thread.join()
print(most - before)
"""


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A scan of 84 MB, four times the budget, whose spectrum has 336 MB."""
    folder = tmp_path_factory.mktemp("large")
    with (folder / "large.mib").open("wb") as file:
        file.write(header((128, 128), MIBOptions()))
        file.truncate(40 * 64 * (384 + 2 * 128 * 128))
    return folder / "large.mib"


@pytest.fixture(scope="module")
def emd(large):
    path = large.with_name("large.emd")
    convert_scan(large, path, overviews=False)
    return path


def most_taken(what, path):
    command = [sys.executable, "-c", RUN, what, str(path)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(run.stdout) * 1024


@pytest.mark.parametrize("what", ["overviews", "detector", "scan", "4d"])
def test_what_is_computed_of_an_emd_file_stays_within_the_budget_and_64_mib(emd, what):
    assert most_taken(what, emd) < BUDGET + (64 << 20)


def test_a_conversion_stays_within_the_budget_and_64_mib(large):
    assert most_taken("convert", large) < BUDGET + (64 << 20)
