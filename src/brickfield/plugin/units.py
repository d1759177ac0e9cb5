"""The registry of units that napari's layers share."""

from __future__ import annotations

from typing import Any


def load_units() -> None:
    """Have the definitions of units read here, if they are not yet; on any thread.

    napari's first layer has pint read them, which takes a second of the window's
    thread. They are read into a registry that nobody else sees before it is whole, and
    it replaces the shared one only if that was not read meanwhile: units of two
    registries cannot be compared.
    """
    import pint
    from pint.registry import LazyRegistry

    pint_: Any = pint  # what is called here has no types
    shared = pint_.get_application_registry()
    if not isinstance(shared.get(), LazyRegistry):
        return
    made = pint_.LazyRegistry()
    made.Unit("pixel")
    if isinstance(shared.get(), LazyRegistry):
        pint_.set_application_registry(made)
