"""Transient failures are tried again for a limited time, others never."""

from time import monotonic

import pytest

from brickfield.errors import ChunkReadError
from brickfield.loading.retry import ReadFailure, RetryRules, Silence

BUSY = ReadFailure("0/c/0", "busy", is_transient=True)
CORRUPT = ReadFailure("0/c/0", "corrupt")


@pytest.mark.parametrize(
    ("n_tries", "pause"), [(1, 0.2), (2, 1.0), (3, 4.0), (4, None)]
)
def test_a_transient_failure_is_tried_three_times_more_after_growing_pauses(
    n_tries, pause
):
    assert RetryRules().pause_after(BUSY, n_tries) == pause


def test_what_has_been_waited_for_a_quarter_of_a_minute_is_not_tried_again():
    assert RetryRules().pause_after(BUSY, 1, 14.0) == 0.2
    assert RetryRules().pause_after(BUSY, 1, 16.0) is None


def test_a_server_is_silent_when_nothing_came_while_a_chunk_was_waited_for():
    """And not any more once it answers."""
    silence = Silence()
    assert silence.failure is None
    silence.begins(BUSY, monotonic() - 35)
    assert silence.failure.is_transient
    assert "answered nothing for 35 s" in silence.failure.reason
    began_at = monotonic()
    silence.ends()
    assert silence.failure is None
    silence.begins(BUSY, began_at)
    assert silence.failure is None


def test_a_corrupt_chunk_is_given_up_at_once():
    assert RetryRules().pause_after(CORRUPT, 1) is None


def test_the_reason_is_the_sources_own():
    error = ChunkReadError("no answer", is_transient=True, key="0/c/1")
    assert ReadFailure.from_exception(error, "x") == ReadFailure(
        "0/c/1", "no answer", True
    )


def test_an_unforeseen_error_is_named_and_not_tried_again():
    failure = ReadFailure.from_exception(KeyError("z"), "0/c/1")
    assert failure.key == "0/c/1"
    assert "KeyError" in failure.reason
    assert not failure.is_transient
