"""When a failed read is tried again, and what is said of it in the end.

A transient failure (server busy, timeout) is tried again after growing pauses; a
corrupt or denied chunk would fail again and is given up at once. Pausing blocks
no thread: the pool calls back when a pause is over.
"""

from __future__ import annotations

from dataclasses import dataclass

from brickfield.errors import ChunkReadError


@dataclass(frozen=True, slots=True)
class RetryRules:
    """Pauses before the second, third, … try of a transient failure.

    Attributes
    ----------
    pauses_s : tuple of float
        Seconds; as many retries as there are pauses.
    """

    pauses_s: tuple[float, ...] = (0.2, 1.0, 4.0)

    def pause_after(self, failure: ReadFailure, n_tries: int) -> float | None:
        """Return the pause before the next try, None to give up.

        Parameters
        ----------
        failure : ReadFailure
            What the last try ended with.
        n_tries : int
            Tries so far, at least 1.
        """
        if not failure.is_transient or n_tries > len(self.pauses_s):
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

    @classmethod
    def from_exception(cls, error: Exception, key: str) -> ReadFailure:
        """Describe what a source raised; anything unforeseen is not tried again."""
        if isinstance(error, ChunkReadError):
            return cls(error.key or key, error.reason, error.is_transient)
        return cls(key, f"the reader stopped with {type(error).__name__}: {error}")
