"""A list that parsers write what they found odd into."""

from __future__ import annotations

from brickfield.model.image import Finding, Severity


class Findings:
    """Collects findings while a store is opened. Not thread-safe."""

    def __init__(self) -> None:
        self._items: list[Finding] = []

    def info(self, code: str, path: str, text: str) -> None:
        """Note something harmless."""
        self._add("info", code, path, text)

    def warning(self, code: str, path: str, text: str) -> None:
        """Note something put right by a guess."""
        self._add("warning", code, path, text)

    def error(self, code: str, path: str, text: str) -> None:
        """Note something left out or likely wrong on screen."""
        self._add("error", code, path, text)

    def _add(self, severity: Severity, code: str, path: str, text: str) -> None:
        finding = Finding(severity, code, path, text)
        if finding not in self._items:
            self._items.append(finding)

    def as_tuple(self) -> tuple[Finding, ...]:
        """Everything noted, in order."""
        return tuple(self._items)
