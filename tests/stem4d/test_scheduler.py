"""Work on a dask cluster comes to what threads come to."""

import h5py
import numpy as np
import pytest

from brickfield.sources.scans import ScanOptions
from brickfield.stem4d import (
    ChunkedFFTProcessor,
    ConvertOptions,
    CorrectionOptions,
    Disc,
    FFTOptions,
    LazyDataManager,
    OpenOptions,
    convert_scan,
)
from brickfield.stem4d.emd_file import DATASET

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.filterwarnings("ignore")  # of the library's shutdown


@pytest.fixture(scope="module")
def address():
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        dashboard_address=None,
    ) as cluster:
        yield cluster.scheduler_address


@pytest.fixture(scope="module")
def chunked(tmp_path_factory, scan):
    """The scan in an HDF5 dataset that is stored in chunks."""
    path = tmp_path_factory.mktemp("chunked") / "scan.emd"
    convert_scan(scan, path, "gzip")
    return path


@pytest.mark.parametrize("compression", ["none", "gzip", "lz4"])
def test_a_conversion_on_a_cluster_writes_the_same(
    scan, patterns, address, tmp_path, compression
):
    options = ConvertOptions(scheduler=address)
    found = convert_scan(scan, tmp_path / "a.emd", compression, options=options)
    assert found.is_complete
    with h5py.File(tmp_path / "a.emd") as file:
        np.testing.assert_array_equal(file[DATASET][...], patterns)
        np.testing.assert_array_equal(
            file["cached/scan_overview/data"][...], patterns.sum((2, 3))
        )


def test_corrections_and_regions_travel_to_the_workers(
    chunked, patterns, address, tmp_path
):
    dark = np.full(patterns.shape[2:], 2.0)
    opening = OpenOptions(ScanOptions(), corrections=CorrectionOptions(dark=dark))
    options = ConvertOptions(opening, scheduler=address)
    region = (slice(1, 4), slice(2, 6))
    convert_scan(chunked, tmp_path / "a.emd", region=region, options=options)
    with h5py.File(tmp_path / "a.emd") as file:
        np.testing.assert_allclose(file[DATASET][...], patterns[1:4, 2:6] - 2.0)


@pytest.mark.parametrize("mode", ["detector", "scan", "4d"])
def test_a_transform_on_a_cluster_is_that_of_numpy(
    scan, patterns, address, tmp_path, mode
):
    path = tmp_path / "a.emd"
    convert_scan(scan, path, "gzip")
    axes = {"detector": (2, 3), "scan": (0, 1), "4d": (0, 1, 2, 3)}[mode]
    with LazyDataManager.create_viewer(path) as viewer:
        options = FFTOptions(mode, scheduler=address, budget="16 MB")
        found = ChunkedFFTProcessor(viewer.cache, options).compute_and_store_fft()
    assert found.is_complete
    with h5py.File(path) as file:
        stored = file[found.dataset][...]
    expected = np.fft.fftn(patterns, axes=axes)
    error = np.sqrt(np.mean(np.abs(stored - expected) ** 2))
    assert error < 1e-6 * np.sqrt(np.mean(np.abs(expected) ** 2))
    assert [p.name for p in tmp_path.iterdir()] == ["a.emd"]


def test_detectors_and_overviews_are_the_same(chunked, patterns, address):
    with LazyDataManager.create_viewer(chunked, cache="none") as viewer:
        disc = Disc(6, 5, 3)
        found = viewer.virtual(disc, scheduler=address)
        mask = disc.mask(patterns.shape[2:])
        np.testing.assert_array_equal(found, patterns[..., mask].sum(-1))
        total = viewer.overview("sum", scheduler=address)
        np.testing.assert_array_equal(total, patterns.sum((0, 1)))
