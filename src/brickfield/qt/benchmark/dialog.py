"""The panel as a window of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qtpy.QtGui import QCloseEvent
from qtpy.QtWidgets import QDialog, QVBoxLayout, QWidget

from brickfield.qt.benchmark.panel import BenchmarkPanel

SIZE = (820, 560)


class PerformanceBenchmarkDialog(QDialog):
    """Measures this machine, and the current layer.

    Parameters
    ----------
    voxel_storage : object, optional
        What *current layer* is: a voxel storage (its first channel), a store, a
        source, a layer of napari, an array, an address, or anything that has one of
        these as ``source``, ``store`` or ``data``.
    parent : QWidget, optional

    Attributes
    ----------
    panel : BenchmarkPanel
    """

    def __init__(
        self, voxel_storage: Any = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Benchmark")
        self.resize(*SIZE)
        name = _name_of(voxel_storage) or "that is current"
        subject = None if voxel_storage is None else (name, voxel_storage)
        self.panel = BenchmarkPanel(lambda: subject, self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.panel)

    def exec_(self) -> int:
        """Show the window and wait until it is closed, as Qt 5 called it."""
        return int(self.exec())

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        """End what is measured; the window may be shown again."""
        self.panel.stop()
        super().closeEvent(event)

    def done(self, result: int) -> None:
        """Close; what is measured ends after its call."""
        self.panel.stop()
        super().done(result)


def _name_of(storage: Any) -> str:
    """Return what a layer, store or the first channel of a storage is called."""
    info = getattr(storage, "info", None)
    name = getattr(storage, "name", "") or getattr(info, "name", "")
    names = getattr(storage, "channel_names", None)
    if not name and isinstance(names, Mapping):
        first = next(iter(getattr(storage, "channel_ids", ())), None)
        name = names.get(first, "")
    return str(name)
