"""The status line is quiet when all is done and never claims too much."""

from dataclasses import replace

import pytest

from brickfield.model import ChunkId
from brickfield.model.requests import ChunkFailure
from brickfield.qt.reports.status import Progress
from brickfield.store import LayerSnapshot
from brickfield.viewer.live import ViewReport
from brickfield.viewer.live.frame_state import FrameState

FAILURE = ChunkFailure(ChunkId(0, (1, 2, 3)), "c/1/2/3", "the file is damaged")


@pytest.fixture
def state(scene, blob):
    return FrameState(layers=(LayerSnapshot.of(scene.add(blob).data),))


@pytest.fixture
def complete(state):
    return ViewReport(
        state=state,
        is_complete=True,
        fidelity="final",
        has_base=True,
        wanted=8,
        done=8,
        to_draw=8,
        drawn=8,
        levels=(0, 0),
        factors=(1.0, 1.0),
    )


@pytest.fixture
def loading(complete):
    return replace(
        complete,
        is_complete=False,
        fidelity="improving",
        done=3,
        drawn=1,
        waiting=5,
        levels=(0, 2),
        factors=(1.0, 4.0),
        rate=4e6,
    )


def test_a_complete_picture_is_quiet(complete):
    shown = Progress().look([complete], 0.0)
    assert shown.text == "full resolution"
    assert shown.percent is None
    assert not shown.is_busy


def test_without_layers_there_is_nothing_to_say():
    assert Progress().look([ViewReport()], 0.0).text == ""


def test_what_is_done_at_once_is_never_told_of(complete, loading):
    progress = Progress()
    progress.look([complete], 0.0)
    early = progress.look([loading], 1.0)
    assert (early.text, early.percent) == ("full to 1/4 resolution", None)
    assert early.fidelity == "improving", "it is not final while it is worked on"
    assert early.is_busy, "somebody has to look again"
    later = progress.look([loading], 1.4)
    assert later.text == "sharpening 25 % · 1/4 → full resolution · 4.0 MB/s"
    assert later.percent == 25
    assert progress.look([complete], 1.5).text == "full resolution"
    assert progress.look([loading], 2.0).text == "full to 1/4 resolution"


def test_the_very_first_loading_is_told_of_at_once(loading):
    assert Progress().look([loading], 0.0).text.startswith("sharpening 25 %")


def test_the_view_that_has_most_to_do_speaks(complete, loading):
    behind = replace(loading, done=1)
    shown = Progress().look([complete, loading, behind], 0.0)
    assert shown.percent == 12.5
    assert shown.fidelity == "improving"


def test_of_complete_views_the_coarsest_speaks(complete):
    shown = Progress().look(
        [complete, replace(complete, levels=(1, 2), factors=(2.0, 4.0))], 0.0
    )
    assert shown.text == "1/2 to 1/4 resolution"


def test_a_hundred_percent_are_not_shown_before_the_end(loading):
    assert Progress().look([replace(loading, done=8, drawn=8)], 0.0).percent == 99


def test_a_moving_picture_has_no_bar(loading):
    shown = Progress().look([replace(loading, is_moving=True)], 0.0)
    assert shown.text.startswith("moving")
    assert shown.percent is None


def test_silence_is_told_of_after_five_seconds(loading):
    progress = Progress()
    quiet = replace(loading, rate=0.0)
    progress.look([quiet], 0.0)
    assert "nothing" not in progress.look([quiet], 4.9).text
    stalled = progress.look([quiet], 12.0)
    assert stalled.text.startswith("storage has given nothing for 12 s · sharpening")
    assert "nothing" not in progress.look([replace(quiet, done=4)], 13.0).text


def test_nothing_is_called_silent_when_no_read_is_out(loading):
    progress = Progress()
    loaded = replace(loading, done=8, drawn=7, waiting=0, rate=0.0)
    progress.look([loaded], 0.0)
    assert progress.look([loaded], 60.0).text.startswith("sharpening 93 %")
    drawing = replace(loaded, drawn=8, is_drawing=True)
    assert progress.look([drawing], 70.0).text.startswith("drawing…")


def test_reads_for_a_plan_that_is_not_reported_yet_are_no_silence(loading):
    """A plan that has grown is reported after the drawing; its chunks come before."""
    progress = Progress()
    progress.look([loading], 0.0)
    for now in range(1, 20):
        grown = replace(loading, arrived=now, rate=0.0)
        assert "nothing" not in progress.look([grown], float(now)).text
    assert "nothing" not in progress.look([loading], 60.0).text, "bytes come in"


def test_without_a_known_rate_the_time_left_is_guessed_from_the_share(loading):
    progress = Progress()
    uploading = replace(loading, done=8, drawn=0, waiting=0, rate=0.0)
    progress.look([uploading], 0.0)
    assert "left" not in progress.look([uploading], 0.9).text
    assert " · 10 s left · " in progress.look([uploading], 10.0).text


def test_a_renderer_that_starts_says_so():
    shown = Progress().look([ViewReport(is_starting=True)], 0.0)
    assert shown.text == "starting the renderer…"
    assert shown.fidelity == "improving"


def test_the_least_true_view_gives_the_word(complete, loading):
    limited = replace(complete, fidelity="limited")
    failed = replace(complete, fidelity="failed")
    assert Progress().look([complete], 0.0).fidelity == "final"
    assert Progress().look([complete, limited], 0.0).fidelity == "limited"
    assert Progress().look([failed, limited], 0.0).fidelity == "failed"
    assert Progress().look([failed, loading], 0.0).fidelity == "improving"
    assert (
        Progress().look([replace(complete, error="no GPU")], 0.0).fidelity == "failed"
    )


def test_a_silent_server_is_named(loading, scene, monkeypatch):
    source = scene.layers[0].data.store.source
    monkeypatch.setattr(type(source), "is_remote", True, raising=False)
    monkeypatch.setattr(source, "is_remote", True, raising=False)
    progress = Progress()
    quiet = replace(loading, rate=0.0, has_base=False)
    progress.look([quiet], 0.0)
    text = progress.look([quiet], 6.0).text
    assert text == "the server has sent nothing for 6 s · waiting for the server…"


def test_an_error_is_handed_on_whole(complete):
    shown = Progress().look([replace(complete, error="expected a GPU; found none")], 0)
    assert shown.error == "expected a GPU; found none"


def test_a_failure_seen_by_two_views_is_one(complete):
    seen = replace(complete, failures=(FAILURE,))
    assert Progress().look([seen, seen], 0.0).failures == (FAILURE,)


def test_a_share_that_was_told_does_not_fall_while_the_work_goes_on(loading, complete):
    progress = Progress()
    progress.look([loading], 0.0)
    first = progress.look([loading], 1.0)
    more = replace(loading, wanted=80, to_draw=80)
    grown = progress.look([more], 2.0)
    assert grown.percent == first.percent
    assert f"sharpening {first.percent:.0f} %" in grown.text
    progress.look([complete], 3.0)
    progress.look([more], 4.0)
    assert progress.look([more], 5.0).percent < first.percent
