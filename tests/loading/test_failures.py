"""When a failed read is tried again."""

import pytest

from brickfield.errors import ChunkReadError
from brickfield.loading.failures import ReadFailure, RetryRules

BUSY = ReadFailure("0/c/0", "busy", is_transient=True)
CORRUPT = ReadFailure("0/c/0", "corrupt")


@pytest.mark.parametrize(
    ("n_tries", "pause"), [(1, 0.2), (2, 1.0), (3, 4.0), (4, None)]
)
def test_a_transient_failure_is_tried_three_times_more_after_growing_pauses(
    n_tries, pause
):
    assert RetryRules().pause_after(BUSY, n_tries) == pause


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
