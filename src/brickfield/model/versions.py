"""Versions for caches with many readers.

A :class:`VersionCounter` only grows. Each reader keeps the number that it saw
last and compares, so that no reader can hide a change from another and nothing has
to be reset. Thread rule: bump on the main thread, after the value is complete.
"""

from __future__ import annotations


class VersionCounter:
    """A number that only grows."""

    __slots__ = ("_value",)

    def __init__(self) -> None:
        self._value = 0

    @property
    def value(self) -> int:
        """The present version."""
        return self._value

    def bump(self) -> int:
        """Count one change and return the new version."""
        self._value += 1
        return self._value
