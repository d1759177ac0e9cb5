"""Whatever is wrong with a file, whoever opens it gets an image or a sentence."""

from __future__ import annotations

import os

from tests.fuzz.inputs import failures_of, make, names

SEEDS = range(2)


def test_no_mutated_image_provokes_an_error_of_another_family(tmp_path):
    """Every format × every mutation, in a process that may neither crash nor hang.

    ``BRICKFIELD_FUZZ=7:20`` in the environment takes other seeds.
    """
    first, _, last = os.environ.get("BRICKFIELD_FUZZ", "").partition(":")
    seeds = range(int(first), int(last)) if last else SEEDS
    inputs = [
        make(tmp_path / "bases", tmp_path / f"{i}", name)
        for i, name in enumerate(names(seeds))
    ]
    assert not failures_of(inputs)
