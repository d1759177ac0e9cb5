"""Mutated images, and the child process that opens them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import IO

from tests.fuzz.images import FORMATS
from tests.fuzz.mutations import MUTATIONS

SILENCE_S = 60
"""A child that says nothing for so long hangs; usually it takes a few ms."""
_TRIES = 5


@dataclass(frozen=True)
class Input:
    """One mutated image.

    Attributes
    ----------
    name : str
        Format, mutation and seed, from which it can be made again.
    what : str
        Which place of which file was changed.
    uri : str
    """

    name: str
    what: str
    uri: str


def make(bases: Path, folder: Path, name: str) -> Input:
    """Make the input of a name (``format/mutation/seed``) in an empty folder."""
    form, kind, _seed = name.split("/")
    base = bases / form
    if not base.exists():
        base.mkdir(parents=True)
        (base / ".uri").write_text(FORMATS[form](base))
    uri = Path((base / ".uri").read_text())
    place = folder / uri.relative_to(base)
    rng = Random(name)
    for _ in range(_TRIES):
        shutil.copytree(base, folder, ignore=shutil.ignore_patterns(".uri"))
        what = MUTATIONS[kind](rng, folder)
        if what is not None:
            return Input(name, f"{kind}: {what}", str(place))
        shutil.rmtree(folder)
    # Nothing in this format can be changed so: a file that is cut off, then.
    shutil.copytree(base, folder, ignore=shutil.ignore_patterns(".uri"))
    what = MUTATIONS["truncated"](rng, folder)
    return Input(name, f"truncated: {what}", str(place))


def names(seeds: range) -> list[str]:
    """Name an input for each format, mutation and seed."""
    return [
        f"{form}/{kind}/{seed}"
        for seed in seeds
        for form in FORMATS
        for kind in MUTATIONS
    ]


def failures_of(inputs: list[Input], kinds: Sequence[str] = ("raw",)) -> list[str]:
    """Open all inputs in child processes; say which provoked what.

    Parameters
    ----------
    inputs : list of Input
    kinds : sequence of str
        Ends that count: ``raw``; or ``unforeseen``, too, to find what readers could
        say better.

    Returns
    -------
    list of str
        One for each input that ended in another error than ours, in a crash or in a
        hang.
    """
    found: list[str] = []
    at = 0
    while at < len(inputs):
        at = _run(inputs, at, found, kinds)
    return found


def _run(
    inputs: list[Input], first: int, found: list[str], kinds: Sequence[str]
) -> int:
    """Run a child from an input on; return where the next one has to begin."""
    command = [sys.executable, "-m", "tests.fuzz.child"]
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=root,
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        errors: list[str] = []
        told = threading.Thread(target=_drain, args=(child.stderr, errors))
        told.start()
        feeder = threading.Thread(target=_feed, args=(child.stdin, inputs, first))
        feeder.start()
        began = first - 1
        while line := _line(child):
            number, how, *rest = json.loads(line)
            began = number
            if how in kinds:
                found.append(_words(inputs[number], rest[0]))
        status = child.wait()
        told.join()
        feeder.join()
    if status == 0:
        return len(inputs)
    ending = f"the child ended with {status}: {''.join(errors)[-2000:]}"
    found.append(_words(inputs[max(began, first)], ending))
    return max(began, first) + 1


def _words(given: Input, text: str) -> str:
    return f"{given.name} ({given.what}): {text}"


def _line(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    timer = threading.Timer(SILENCE_S, child.kill)
    timer.start()
    try:
        return child.stdout.readline()
    finally:
        timer.cancel()


def _drain(stream: IO[str], errors: list[str]) -> None:
    for line in stream:
        errors.append(line)
        del errors[:-60]


def _feed(stream: IO[str], inputs: list[Input], first: int) -> None:
    try:
        for number in range(first, len(inputs)):
            stream.write(json.dumps([number, inputs[number].uri]) + "\n")
        stream.close()
    except (BrokenPipeError, OSError):
        return
