"""Transforms in chunks against one of the whole array, and what interrupts them."""

import json
import subprocess
import sys
from threading import Event

import h5py
import numpy as np
import pytest
import scipy.fft

from brickfield.errors import (
    BudgetError,
    OptionError,
    StoreNotFoundError,
    StoreWriteError,
)
from brickfield.stem4d.cache.bulk import BulkFile
from brickfield.stem4d.cache.manager import EMDCacheManager
from brickfield.stem4d.fft import store
from brickfield.stem4d.fft.access import LazyFFTAccessor
from brickfield.stem4d.fft.plan import AXES, FFTOptions
from brickfield.stem4d.fft.store import ChunkedFFTProcessor, share_done
from brickfield.testing.emd import write_emd

SMALL = "60 kB"


@pytest.fixture
def emd(tmp_path, patterns):
    return write_emd(tmp_path / "scan.emd", patterns)


def transform(path, progress=None, cancel=None, **options):
    with EMDCacheManager(path) as cache:
        processor = ChunkedFFTProcessor(cache, FFTOptions(**options))
        return processor.compute_and_store_fft(progress, cancel)


def rms(found, exact):
    return np.sqrt(np.mean(np.abs(found - exact) ** 2))


@pytest.mark.parametrize("budget", [SMALL, "64 MB"])
@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("mode", ["detector", "scan", "4d"])
def test_chunks_are_as_exact_as_the_whole(emd, patterns, mode, half, budget):
    """Root mean square error, beside that of a transform in memory."""
    if half and mode == "scan":
        with pytest.raises(OptionError, match="half"):
            FFTOptions(mode, half)
        return
    result = transform(emd, mode=mode, half=half, budget=budget, workers=2)
    assert result.is_complete
    exact = np.fft.fftn(patterns.astype(np.float64), axes=AXES[mode])
    plain = scipy.fft.fftn(patterns.astype(np.float32), axes=AXES[mode])
    with LazyFFTAccessor(emd, mode) as accessor:
        found = accessor[...]
    assert found.dtype == np.complex64
    assert rms(found, exact) <= 1.5 * rms(plain, exact)
    with h5py.File(emd) as file:
        dataset = file[f"cached/fft_{mode}/complex"]
        assert dataset.dtype == np.complex64
        assert dataset.attrs["complete"] == 1
        assert dataset.attrs["mode"] == mode
        assert dataset.attrs["spectrum"] == ("half" if half else "full")
        assert dataset.attrs["full_shape"].tolist() == [6, 7, 12, 10]
        stored = exact[..., : dataset.shape[3]]
        np.testing.assert_allclose(dataset[...], stored, atol=1e-5 * abs(exact).max())
        about = file[f"cached/fft_{mode}/metadata"]
        assert set(about) == {"computation_params", "chunk_info", "fft_axes_info"}
        axes = json.loads(about["fft_axes_info"][()])
        assert axes["axes"] == list(AXES[mode])
    assert sorted(p.name for p in emd.parent.iterdir()) == ["scan.emd"]


@pytest.mark.parametrize("half", [False, True])
def test_parts_are_read_as_numpy_indexes(emd, patterns, half):
    transform(emd, half=half, budget=SMALL, workers=2)
    exact = np.fft.fftn(patterns.astype(np.float64))
    shifted = np.fft.fftshift(exact)
    most = abs(exact).max()
    with LazyFFTAccessor(emd) as fft:
        assert (fft.shape, len(fft), fft.is_half) == ((6, 7, 12, 10), 6, half)
        for index in [
            (2, 3),
            (-1, 0),
            (slice(1, 5, 2), 3, 4),
            (..., 7),
            5,
            (0, 0, 0, 9),
        ]:
            close = {"atol": 1e-5 * most}
            np.testing.assert_allclose(fft[index], exact[index], **close)
            np.testing.assert_allclose(fft.shifted[index], shifted[index], **close)
            np.testing.assert_allclose(fft.amplitude[index], abs(exact[index]), **close)
            np.testing.assert_allclose(
                fft.shifted.log[index], np.log1p(abs(shifted[index])), rtol=1e-3
            )
            np.testing.assert_allclose(fft.real[index], exact[index].real, **close)
            np.testing.assert_allclose(fft.imag[index], exact[index].imag, **close)
        y, x = fft.shape[0] // 2, fft.shape[1] // 2
        assert abs(fft.phase[0, 0, 0, 0]) < 1e-6
        assert fft.shifted[y, x, 6, 5].real == pytest.approx(patterns.sum(), rel=1e-6)
        box = fft.roi(slice(0, 2), slice(3, 5), slice(1, 4))
        np.testing.assert_allclose(box, exact[:2, 3:5, 1:4], atol=1e-5 * most)
        with pytest.raises(IndexError):
            fft[6]
        with pytest.raises(IndexError):
            fft["a"]


def test_a_region_and_bins_are_transformed_alone(emd, patterns):
    region = (slice(1, 5), slice(2, 6))
    transform(emd, region=region, n_binned=3)
    part = patterns[1:5, 2:6, :, :9].reshape(4, 4, 4, 3, 3, 3).sum((3, 5))
    exact = np.fft.fftn(part.astype(np.float64))
    with LazyFFTAccessor(emd) as fft:
        np.testing.assert_allclose(fft[...], exact, atol=1e-5 * abs(exact).max())


def test_what_is_there_is_not_computed_again(emd):
    assert not transform(emd).was_there
    assert transform(emd).was_there
    assert not transform(emd, recompute=True).was_there
    assert not transform(emd, half=True).was_there  # other parameters


def test_amplitude_and_phase_are_stored_on_request(emd, patterns):
    transform(emd)
    assert not transform(emd, store_amplitude=True, budget=SMALL).was_there
    exact = np.fft.fftn(patterns.astype(np.float64))
    with h5py.File(emd) as file:
        group = file["cached/fft_4d"]
        found = group["amplitude"][...] * np.exp(1j * group["phase"][...])
        assert group["amplitude"].dtype == np.float32
    np.testing.assert_allclose(found, exact, atol=1e-5 * abs(exact).max())
    assert transform(emd, store_amplitude=True).was_there


def test_a_transform_of_a_changed_source_is_not_shown(emd):
    transform(emd)
    with h5py.File(emd, "r+") as file:
        file["version_1/data/datacubes/datacube_000/data"][0, 0, 0, 0] += 1
    with pytest.raises(StoreNotFoundError, match="stem fft"):
        LazyFFTAccessor(emd)


@pytest.mark.parametrize("n_writes", [3, 20, 40, 60])
def test_cancelled_work_is_gone_on_with(emd, patterns, n_writes, monkeypatch):
    cancel, written = Event(), []
    write = BulkFile.write

    def counted(self, offset, values):
        written.append(offset)
        if len(written) == n_writes:
            cancel.set()
        return write(self, offset, values)

    with monkeypatch.context() as patch:
        patch.setattr(BulkFile, "write", counted)
        first = transform(emd, None, cancel, budget=SMALL, workers=2)
    assert not first.is_complete
    with EMDCacheManager(emd) as cache:
        assert 0 < share_done(cache, FFTOptions()) < 1
        assert cache.get("fft_4d") is None
    second = transform(emd, budget="1 MB", workers=2)
    assert second.is_complete
    assert second.n_resumed > 0
    exact = np.fft.fftn(patterns.astype(np.float64))
    with LazyFFTAccessor(emd) as fft:
        np.testing.assert_allclose(fft[...], exact, atol=1e-5 * abs(exact).max())


KILLED = """
import os, sys
from brickfield.stem4d.cache.bulk import BulkFile
from brickfield.stem4d.cache.bulk import BulkFile
from brickfield.stem4d.cache.manager import EMDCacheManager
from brickfield.stem4d.fft import store
from brickfield.stem4d.fft.plan import FFTOptions
left = int(sys.argv[2])
write = BulkFile.write
def counted(self, offset, values):
    global left
    left -= 1
    if left < 0:
        write(self, offset, values.reshape(-1)[: values.size // 2])
        os.kill(os.getpid(), 9)
    return write(self, offset, values)
BulkFile.write = counted
if sys.argv[2] == "1000000":
    store.complete = lambda *a: os.kill(os.getpid(), 9)
cache = EMDCacheManager(sys.argv[1])
store.ChunkedFFTProcessor(cache, FFTOptions(budget="60 kB", workers=2)).compute_and_store_fft()
"""


@pytest.mark.parametrize("n_writes", [0, 7, 35, 36, 40, 55, 71, 1000000])
def test_a_kill_in_the_middle_of_a_write_is_gone_on_with(emd, patterns, n_writes):
    """Of the first pass, and of the second, whose tiles are written where they lie."""
    command = [sys.executable, "-c", KILLED, str(emd), str(n_writes)]
    run = subprocess.run(command, check=False)
    assert run.returncode == -9
    with h5py.File(emd) as file:
        data = file["version_1/data/datacubes/datacube_000/data"]
        np.testing.assert_array_equal(data, patterns)
    result = transform(emd, budget=SMALL, workers=2)
    assert result.is_complete
    exact = np.fft.fftn(patterns.astype(np.float64))
    with LazyFFTAccessor(emd) as fft:
        np.testing.assert_allclose(fft[...], exact, atol=1e-5 * abs(exact).max())
    assert [p.name for p in emd.parent.iterdir()] == ["scan.emd"]


def test_too_little_room_or_memory_is_told_with_what_is_needed(emd, monkeypatch):
    with pytest.raises(BudgetError, match="budget of at least"):
        transform(emd, budget="1 kB")
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(store.shutil, "disk_usage", lambda _p: usage)
    with pytest.raises(StoreWriteError, match=r"free space.*found"):
        transform(emd)


def test_a_file_of_another_format_is_to_be_converted(scan):
    with pytest.raises(OptionError, match="convert it to EMD"):
        transform(scan)
    with pytest.raises(OptionError, match="mode"):
        FFTOptions("sideways")


def test_a_folder_that_may_not_be_written_to_is_told(emd):
    emd.parent.chmod(0o555)
    try:
        with pytest.raises(OptionError, match="may not be written to"):
            transform(emd)
    finally:
        emd.parent.chmod(0o755)


HELD = """
import sys
from brickfield.stem4d import ChunkedFFTProcessor, EMDCacheManager, FFTOptions
from brickfield.stem4d.cache.lock import CacheLock
with EMDCacheManager(sys.argv[1]) as cache:
    processor = ChunkedFFTProcessor(cache, FFTOptions("detector"))
    with CacheLock(cache.lock_path, "the Fourier transform"):
        print("held", flush=True)
        input()
        processor._run(None, __import__("threading").Event(), 0.0)
"""


def test_the_transform_of_another_process_is_waited_for_and_taken(emd):
    command = [sys.executable, "-c", HELD, str(emd)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as other:
        assert other.stdout.readline() == "held\n"
        seen = []

        def let_go(owner):
            seen.append(owner.pid)
            other.stdin.write("\n")
            other.stdin.flush()

        with EMDCacheManager(emd) as cache:
            processor = ChunkedFFTProcessor(cache, FFTOptions("detector"))
            found = processor.compute_and_store_fft(on_wait=let_go)
        assert seen == [other.pid]
    assert found.was_there
