"""The tests: what each does in one iteration, and what is made ready before.

A test is a context: what it needs is made on the way in and removed on the way out, and
neither is timed. `full_pipeline` smooths, turns and shifts, one after the other.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from brickfield.benchmarks.flight import Flight
from brickfield.benchmarks.subject import Subject
from brickfield.transforms import Downsample, Gaussian, Move, Recipe, apply_recipe

SIGMA = 1.0
"""Voxels."""
SHIFT = (1.5, -2.25, 3.75)
"""Voxels (z, y, x)."""
Volume = NDArray[Any]


@dataclass(frozen=True)
class Case:
    """One test on one image.

    Attributes
    ----------
    run : callable
        One iteration.
    begin : callable
        What comes before an iteration and is not timed.
    further : callable
        What the test tells beside its times.
    """

    run: Callable[[], object]
    begin: Callable[[], object] = field(default=lambda: None)
    further: Callable[[], Mapping[str, float]] = field(default=dict)


def _recipe(*recipes: Recipe) -> Callable[[Volume], Volume]:
    """Return what applies recipes one after the other."""

    def work(volume: Volume) -> Volume:
        for recipe in recipes:
            volume = apply_recipe(recipe, volume)
        return volume

    return work


_SMOOTH, _SHIFT = Gaussian(SIGMA), Move(by=SHIFT)
_ON_VOXELS: dict[str, Callable[[Volume], Volume]] = {
    "gaussian": _recipe(_SMOOTH),
    "rotation_15": _recipe(Move(15, "z")),
    "rotation_45": _recipe(Move(45, "z")),
    "rotation_90": _recipe(Move(90, "z")),
    "shift": _recipe(_SHIFT),
    "downsample_3": _recipe(Downsample(3)),
    "full_pipeline": _recipe(_SMOOTH, Move(15, "z"), _SHIFT),
}


@contextmanager
def open_case(test: str, subject: Subject) -> Iterator[Case]:
    """Make a test ready.

    Parameters
    ----------
    test : str
        One of :data:`TESTS`.
    subject : Subject

    Raises
    ------
    BrickfieldError
        When the image cannot be read or drawn.
    """
    if test in _ON_VOXELS:
        volume, work = subject.volume, _ON_VOXELS[test]
        yield Case(lambda: work(volume))
        return
    with _ON_IMAGES[test](subject) as case:
        yield case


@contextmanager
def _read(subject: Subject) -> Iterator[Case]:
    """Read and decode every storage chunk, by as many threads as a view would."""
    source, level, chunks = subject.source, subject.box.level, subject.chunks()
    with ThreadPoolExecutor(source.concurrency) as pool:

        def run() -> None:
            jobs = [pool.submit(source.read_storage_chunk, level, c) for c in chunks]
            for job in jobs:
                job.result()

        yield Case(run)


@contextmanager
def _stream(subject: Subject) -> Iterator[Case]:
    """Write the volume plane by plane, in the image's chunks, until it is on disk."""
    from brickfield.streaming import StreamWriter

    volume = subject.volume
    path = subject.new_folder("stream.ome.zarr")
    chunk = tuple(
        min(c, n) for c, n in zip(subject.chunk_zyx, volume.shape, strict=True)
    )

    def begin() -> None:
        shutil.rmtree(path, ignore_errors=True)

    def run() -> None:
        with StreamWriter(
            path, volume.shape, "zyx", volume.dtype, chunks=chunk
        ) as writer:
            for plane in volume:
                writer.append(plane)

    try:
        yield Case(run, begin)
    finally:
        begin()


@contextmanager
def _render(subject: Subject) -> Iterator[Case]:
    """Fly round the image, waiting for every picture."""
    with Flight(subject.source) as flight:
        yield Case(flight.fly, flight.forget, flight.further)


_ON_IMAGES = {"read": _read, "render": _render, "stream": _stream}
TESTS = (*_ON_VOXELS, *_ON_IMAGES)
"""Names of all tests, in the order in which they are made."""
