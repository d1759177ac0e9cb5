"""Results that are kept: the least recently used go first, and two limits hold at once.

Invariant: there are never more entries than `most_entries`, nor more bytes than
`most_bytes`. A result larger than all bytes together is not kept. Thread rule: whoever
shares it between threads holds a lock.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from numpy.typing import NDArray

AnyArray = NDArray[Any]


class ResultCache:
    """Arrays by a text that says what they are.

    Parameters
    ----------
    most_entries : int
        0 keeps nothing.
    most_bytes : int
    """

    def __init__(self, most_entries: int, most_bytes: int) -> None:
        self.most_entries = most_entries
        self.most_bytes = most_bytes
        self.n_bytes = 0
        self._kept: OrderedDict[str, AnyArray] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: str) -> AnyArray | None:
        """Return a result and count it as used; None if it is not there.

        Returns
        -------
        ndarray or None
            Of any shape.
        """
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def put(self, key: str, result: AnyArray) -> None:
        """Keep a result, or do nothing where it is larger than the limits.

        Parameters
        ----------
        key : str
        result : ndarray, any shape
        """
        self._drop(key)
        if result.nbytes > self.most_bytes or self.most_entries < 1:
            return
        # Room is made first, so that the limits hold at every moment.
        while (
            self.n_bytes + result.nbytes > self.most_bytes
            or len(self._kept) >= self.most_entries
        ):
            self._drop(next(iter(self._kept)))
        self._kept[key] = result
        self.n_bytes += result.nbytes

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
        self.n_bytes = 0

    def _drop(self, key: str) -> None:
        gone = self._kept.pop(key, None)
        if gone is not None:
            self.n_bytes -= gone.nbytes
