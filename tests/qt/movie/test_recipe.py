"""A movie is resumed only if everything that it depends on is the same."""

from pathlib import Path

import numpy as np

from brickfield.errors import StoreWriteError
from brickfield.qt.movie.recipe import looks_of, outcome
from brickfield.viewer.export import MovieResult

PLACE = Path("frames")


def test_a_change_of_the_layers_is_another_movie(scene, blob):
    port = scene.add(blob)
    texts = [looks_of(scene)]
    assert looks_of(scene) == texts[0]
    for name, value in (
        ("mode", "iso"),
        ("contrast", (0.0, 10.0)),
        ("colormap", "magma"),
        ("gamma", 0.5),
        ("visible", False),
        ("clip_box", ((0.0, 0.0, 0.0), (5.0, 5.0, 5.0))),
    ):
        setattr(port, name, value)
        texts.append(looks_of(scene))
    scene.add(np.zeros((4, 4, 4), np.uint8))
    texts.append(looks_of(scene))
    assert len(set(texts)) == len(texts)


def test_what_was_saved_is_said():
    whole = MovieResult(PLACE, Path("a.mp4"), 8, 0, is_cancelled=False)
    assert outcome(whole, None, (8, 8)) == "movie saved: a.mp4"
    partly = MovieResult(PLACE, None, 8, 2, is_cancelled=False, problem="No encoder.")
    assert outcome(partly, None, (8, 8)) == (
        "movie saved: frames, 2 of 8 frames incomplete. No encoder."
    )


def test_what_was_stopped_can_be_gone_on_with():
    stopped = "stopped at frame 3 of 8; recording it again goes on there"
    assert outcome(None, None, (3, 8)) == stopped
    result = MovieResult(PLACE, None, 3, 0, is_cancelled=True)
    assert outcome(result, None, (3, 8)) == stopped


def test_an_error_is_a_sentence():
    ours = StoreWriteError("expected to write; found: no room")
    assert outcome(None, ours, (3, 8)) == "no movie: expected to write; found: no room"
    assert outcome(None, KeyError("x"), (3, 8)) == "no movie: KeyError('x')"
