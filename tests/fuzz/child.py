"""Opens and reads what it is told to, line by line; runs apart from the tests.

Each line of the input is a number and a place. What is done first is said (so that
a crash has a name), then how it ended: ``ok``, ``refused`` with the sentence,
``unforeseen`` where the boundary of the readers made the sentence, or ``raw`` with the traceback of an error that is none of ours.
"""

from __future__ import annotations

import json
import resource
import sys
import traceback
import warnings
from itertools import product
from typing import Any

import numpy as np

from brickfield.camera import camera_spec, fit_camera
from brickfield.cli.commands.info import describe
from brickfield.errors import BrickfieldError, UnforeseenDataError
from brickfield.store import ChunkedImageStore, open_store

MOST_BYTES = 12 << 30
MOST_VOXELS = 1 << 20


def use(uri: str) -> None:
    """Do with an image what every picture of it does."""
    with open_store(uri) as store:
        json.dumps(describe(store.source), default=str)
        for part in (_contrast, _corner, _plan):
            try:
                part(store)
            except BrickfieldError as error:
                _check_sentence(error)


def _contrast(store: ChunkedImageStore) -> None:
    store.estimate_contrast()


def _corner(store: ChunkedImageStore) -> None:
    for level in {0, store.pyramid.n_levels - 1}:
        ends = tuple(min(n, 40) for n in store.pyramid.levels[level].shape_zyx)
        store.read(level, ((0, 0, 0), ends))


def _plan(store: ChunkedImageStore) -> None:
    level = store.pyramid.levels[0]
    shape = level.shape_zyx
    ends = product(*((-0.5, n - 0.5) for n in shape))
    corners = np.array(list(ends)) * level.voxel_size_zyx + level.translation_zyx
    camera = fit_camera(camera_spec("orbit:30,20"), corners, (64, 48), shape)
    store.get_data_request(camera)


def _check_sentence(error: BrickfieldError) -> None:
    text = str(error)
    assert text.strip(), "an error without words"
    assert "Traceback" not in text, text


def main() -> None:
    """Work through the input."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    for line in sys.stdin:
        number, uri = json.loads(line)
        _say(number, "began")
        try:
            use(uri)
            _say(number, "ok")
        except UnforeseenDataError:
            _say(number, "unforeseen", traceback.format_exc())
        except BrickfieldError as error:
            _check_sentence(error)
            _say(number, "refused", str(error))
        except Exception:  # noqa: BLE001 - the parent says it
            _say(number, "raw", traceback.format_exc())


def _say(*words: Any) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
