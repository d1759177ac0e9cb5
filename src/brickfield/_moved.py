"""Old names of modules, which keep working for one release.

The documentation named these modules. Importing one gives the module that took its
place, with a DeprecationWarning that says where it is.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.machinery import ModuleSpec

TYPE_CHECKING = False  # typing takes longer to import than all of this
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

MOVED = {
    "plugin.neuroglancer": "plugin.scenes.neuroglancer",
    "plugin.scene_files": "plugin.scenes.scene_files",
    "plugin.scene_links": "plugin.scenes.scene_links",
    "plugin.state": "plugin.scenes.scene_document",
    "testing.virtual": "sample.virtual",
    "viewer.camera_spec": "camera.spec",
    "viewer.controller": "viewer.export.picture",
    "viewer.keyframes": "camera.keyframes",
    "viewer.live_view": "viewer.live.live_view",
    "viewer.options": "viewer.export.options",
    "viewer.png": "viewer.export.files",
    "viewer.receipt": "viewer.receipts.receipt",
    "viewer.scene_file": "scene.file",
    "viewer.slice_view": "viewer.live.slice_plane",
}
"""Names of before and of now, below ``brickfield``."""


class _Loader:
    """Hands out the module that stands elsewhere now."""

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        import warnings

        old = spec.name.partition(".")[2]
        new = f"brickfield.{MOVED[old]}"
        msg = (
            f"{spec.name} is called {new} now; the old name goes with the next release"
        )
        warnings.warn(msg, DeprecationWarning, stacklevel=2)
        return import_module(new)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is left to do."""


class _Finder:
    """Asked after all others, so it costs nothing where a module exists."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: object = None
    ) -> ModuleSpec | None:
        root, _, rest = name.partition(".")
        if root != "brickfield" or rest not in MOVED:
            return None
        return ModuleSpec(name, _Loader())  # type: ignore[arg-type]


def install() -> None:
    """Let imports find modules under their names of before."""
    if not any(getattr(f, "__name__", "") == "_Finder" for f in sys.meta_path):
        sys.meta_path.append(_Finder)
