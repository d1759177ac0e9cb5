"""The five workers, run on the spot."""

import numpy as np
import pytest
from scipy import ndimage

from brickfield.errors import OptionError
from brickfield.transforms import (
    CombinedTransformWorker,
    DownsampleWorker,
    GaussianSmoothWorker,
    RotationTransformWorker,
    TranslationWorker,
)
from brickfield.transforms.operations import gaussian, joining
from brickfield.transforms.requests.workers import content_key

CUBE = np.random.default_rng(0).integers(0, 255, (7, 7, 7), np.uint8)


def test_each_worker_makes_what_numpy_and_scipy_make():
    turned = np.rot90(CUBE, 1, axes=(0, 2))
    rotation = RotationTransformWorker(channel_id=0, volume=CUBE, rotation_deg=90)
    assert np.array_equal(rotation.run(), turned)
    shift = TranslationWorker(channel_id=0, volume=CUBE, offset_voxels=(0, 2, 0))
    assert np.array_equal(shift.run()[:, 2:], CUBE[:, :-2])
    both = CombinedTransformWorker(
        volume=CUBE, rotation_deg=90, offset_voxels=(0, 1, 0)
    )
    assert np.array_equal(both.run()[:, 1:], turned[:, :-1])
    smooth = GaussianSmoothWorker(volume=CUBE.astype(float), sigma=1.5)
    expected = ndimage.gaussian_filter(CUBE.astype(float), 1.5, mode="nearest")
    assert np.array_equal(smooth.run(), expected)
    small = DownsampleWorker(volume=CUBE, factor=7)
    assert small.run().tolist() == [[[round(CUBE.mean())]]]


def test_a_turn_takes_centre_axis_voxel_size_and_order():
    worker = RotationTransformWorker(
        channel_id=3,
        volume=CUBE.astype(float),
        rotation_deg=20,
        center_voxels=(1, 2, 3),
        axis="x",
        voxel_size=(2, 1, 1),
        order=3,
        priority=5,
    )
    pull = np.linalg.inv(worker.matrix(CUBE.shape))
    expected = ndimage.affine_transform(
        CUBE.astype(float), pull[:3, :3], pull[:3, 3], order=3
    )
    assert np.allclose(worker.run(), expected)


def test_results_are_read_only_and_of_their_own():
    made = TranslationWorker(volume=CUBE, offset_voxels=(0, 0, 0)).run()
    assert not made.flags.writeable
    assert not np.shares_memory(made, CUBE)


@pytest.mark.parametrize(
    "worker",
    [
        RotationTransformWorker(volume=np.zeros((80, 70, 130), "f4"), rotation_deg=5),
        GaussianSmoothWorker(volume=np.zeros((30, 40, 50), "f4"), sigma=(1, 0, 3)),
        DownsampleWorker(volume=np.zeros((30, 40, 50), "f4"), factor=2),
    ],
    ids=lambda w: type(w).__name__,
)
def test_progress_goes_up_to_100(worker, monkeypatch):
    monkeypatch.setattr(gaussian, "_TAPS_AT_ONCE", 1e5)
    monkeypatch.setattr(joining, "MOST_BOX", 5000)
    told = []
    worker.run(told.append)
    assert told == sorted(told)
    assert told[0] == 0
    assert told[-1] == 100
    assert 80 < told[-2] < 100
    assert len(told) > 4


def test_what_a_step_raises_ends_the_work():
    def stop(percent):
        raise KeyError(percent)

    with pytest.raises(KeyError):
        GaussianSmoothWorker(volume=CUBE, sigma=2).run(stop)


@pytest.mark.parametrize(
    "volume",
    [
        np.zeros((3, 3)),
        np.zeros((0, 3, 3)),
        np.zeros((2, 2, 2), complex),
        "abc",
        None,
        np.zeros((1, 2, 2, 2)),
        np.array([[["a"]]]),
        np.zeros((2, 2, 2), "longdouble"),
    ],
)
def test_what_is_no_volume_is_refused(volume):
    with pytest.raises(OptionError, match="expected"):
        TranslationWorker(volume=volume, offset_voxels=(0, 0, 0)).run()


def test_foreign_byte_order_is_read_right():
    volume = np.arange(8, dtype=">u2").reshape(2, 2, 2)
    made = TranslationWorker(volume=volume, offset_voxels=(0, 0, 0)).run()
    assert made.dtype == np.uint16
    assert np.array_equal(made, volume)


def test_keys_tell_every_byte_and_parameter_apart():
    def key(volume=CUBE, **how):
        return content_key(RotationTransformWorker(volume=volume, **how))

    other = CUBE.copy()
    other[3, 3, 3] ^= 1
    keys = [
        key(rotation_deg=5),
        key(rotation_deg=5, order=0),
        key(rotation_deg=5, axis="z"),
        key(rotation_deg=5, voxel_size=(2, 1, 1)),
        key(rotation_deg=5.000001),
        key(other, rotation_deg=5),
        key(CUBE.view(np.int8), rotation_deg=5),
        key(CUBE.reshape(7, 49, 1), rotation_deg=5),
    ]
    assert len(set(keys)) == len(keys)


def test_keys_of_equal_content_are_equal_wherever_it_lies():
    def key(volume):
        return content_key(GaussianSmoothWorker(volume=volume, sigma=1))

    assert key(CUBE) == key(CUBE.copy()) == key(np.asfortranarray(CUBE))
    assert key(CUBE[::-1]) != key(CUBE)
