"""When a failed read is tried again, and what is said of it in the end.

A transient failure (server busy, timeout) is tried again after growing pauses; a
corrupt or denied chunk would fail again and is given up at once. Pausing blocks
no thread: the pool calls back when a pause is over.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from time import monotonic

from brickfield.errors import ChunkReadError
from brickfield.sources import PartlyReadError


@dataclass(frozen=True, slots=True)
class RetryRules:
    """Pauses before the second, third, … try of a transient failure.

    Attributes
    ----------
    pauses_s : tuple of float
        Seconds; as many retries as there are pauses.
    patience_s : float
        No further try begins so long after the first one began: a server that stalls
        each time is told within a minute.
    """

    pauses_s: tuple[float, ...] = (0.2, 1.0, 4.0)
    patience_s: float = 15.0

    def pause_after(
        self, failure: ReadFailure, n_tries: int, spent_s: float = 0.0
    ) -> float | None:
        """Return the pause before the next try, None to give up.

        Parameters
        ----------
        failure : ReadFailure
            What the last try ended with.
        n_tries : int
            Tries so far, at least 1.
        spent_s : float
            Seconds since the first one began.
        """
        if not failure.is_transient or n_tries > len(self.pauses_s):
            return None
        if spent_s > self.patience_s:
            return None
        return self.pauses_s[n_tries - 1]


@dataclass(frozen=True, slots=True)
class ReadFailure:
    """Why one storage chunk could not be read.

    Attributes
    ----------
    key : str
        Its name in the store.
    reason : str
        One sentence for the user.
    is_transient : bool
    """

    key: str
    reason: str
    is_transient: bool = False
    partly: PartlyReadError | None = field(default=None, compare=False, repr=False)
    """What could be made of it nevertheless."""

    @classmethod
    def from_exception(cls, error: Exception, key: str) -> ReadFailure:
        """Describe what a source raised; an unexpected error is not tried again.

        Parameters
        ----------
        error : Exception
        key : str
            Of the storage chunk, where the error names none.
        """
        if isinstance(error, ChunkReadError):
            partly = error if isinstance(error, PartlyReadError) else None
            return cls(error.key or key, error.reason, error.is_transient, partly)
        return cls(key, f"the reader stopped with {type(error).__name__}: {error}")


class Silence:
    """Whether a server says nothing at all, so that asking for more is in vain.

    It does when a storage chunk was given up after long waiting, and nothing else came
    meanwhile. For a while everything wanted then fails at once: each chunk would else
    wait as long. Guarded by the scheduler's lock.
    """

    KEPT_S = 60.0

    def __init__(self) -> None:
        self._failure: ReadFailure | None = None
        self._until = 0.0
        self._heard_at = float("-inf")

    def begins(self, failure: ReadFailure, waited_from: float) -> None:
        """Record what was given up after waiting, unless the server answered since.

        Parameters
        ----------
        failure : ReadFailure
            What the last read ended with.
        waited_from : float
            When it began to wait, seconds of :func:`time.monotonic`.
        """
        now = monotonic()
        if self._heard_at < waited_from:
            reason = (
                "it was not asked for, because the server had answered nothing for"
                f" {now - waited_from:.0f} s"
            )
            self._failure = replace(failure, reason=reason)
            self._until = now + self.KEPT_S

    def ends(self) -> None:
        """Note an answer, whatever it says, or that another try is requested."""
        self._heard_at = monotonic()
        self._failure = None

    @property
    def failure(self) -> ReadFailure | None:
        """What everything fails with now; None when the server answers."""
        return self._failure if monotonic() < self._until else None
