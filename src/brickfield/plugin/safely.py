"""Listeners to napari that never fail.

napari calls listeners inside its own setters: an error of one would end what the
person did, though only the volume view cannot follow.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from brickfield.errors import BrickfieldError

logger = logging.getLogger(__name__)
_F = TypeVar("_F", bound=Callable[..., None])


def safely(listener: _F) -> _F:
    """Log what a method of a port cannot do, in place of raising it.

    Parameters
    ----------
    listener : method
        Of something with a `layer`.
    """

    @wraps(listener)
    def listen(self: Any, *args: Any, **options: Any) -> None:
        try:
            listener(self, *args, **options)
        except (BrickfieldError, ValueError, TypeError, IndexError) as error:
            name = self.layer.name
            logger.warning("the volume view cannot follow %s: %s", name, error)

    return cast("_F", listen)
