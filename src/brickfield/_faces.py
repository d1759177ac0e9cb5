"""Names of a package that are looked up when somebody asks for them first.

A package's ``__init__`` says in ``__all__`` what other packages may use. To import a
package stays as cheap as an empty file: the module behind a name is imported when the
name is used. Nothing is kept: the module is the one place where a name lives, so a
name that is replaced there is replaced for everybody.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # typing takes longer to import than all of this
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


def lazily(
    package: str, homes: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` for a package.

    Parameters
    ----------
    package : str
        Its ``__name__``.
    homes : mapping of str to str
        For each public name the module below the package that defines it;
        ``"module:name"`` where it has another name there, ``"module:"`` for the
        module itself.
    """

    def find(name: str) -> Any:
        if name not in homes:
            msg = f"module {package!r} has no attribute {name!r}"
            raise AttributeError(msg)
        module, colon, inner = homes[name].partition(":")
        home = import_module(f"{package}.{module}")
        return home if colon and not inner else getattr(home, inner or name)

    def names() -> list[str]:
        return sorted(homes)

    return find, names
