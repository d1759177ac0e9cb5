"""The one family of errors that brickfield raises on purpose.

Every class is also a builtin, so a script that knows nothing of brickfield can
catch ``FileNotFoundError`` or ``ValueError``. A message says what was expected,
what was found and what to do. Failures of single chunks are not exceptions for
a view: they become :class:`brickfield.model.requests.ChunkFailure` values.
"""

from __future__ import annotations

from brickfield.model.secrets import hide_secrets


class BrickfieldError(Exception):
    """Base of every error that brickfield raises on purpose.

    Passwords, tokens and signatures of addresses in the message are masked.
    """

    def __init__(self, *args: object) -> None:
        super().__init__(*(hide_secrets(a) if isinstance(a, str) else a for a in args))


class StoreNotFoundError(BrickfieldError, FileNotFoundError):
    """Raised when nothing is stored at the given place."""


class StoreFormatError(BrickfieldError, ValueError):
    """Raised when a store is readable but is not what its format asks for."""


class UnforeseenDataError(StoreFormatError):
    """Raised when data provoke what no reader foresaw; the cause is chained."""


class StoreAccessError(BrickfieldError, PermissionError):
    """Raised when a store refuses to be read (permissions, credentials)."""


class StoreUnreachableError(BrickfieldError, ConnectionError):
    """Raised when a remote store does not answer or answers with an error."""


class ChunkReadError(BrickfieldError, OSError):
    """Raised by a source when one storage chunk cannot be read.

    Parameters
    ----------
    reason : str
        One sentence for the user.
    is_transient : bool
        Whether a retry can help (server busy, timeout), in contrast to a
        corrupt or denied chunk.
    key : str
        Name of the chunk in its store, for example ``"0/c/0/1/2"``.
    """

    def __init__(
        self, reason: str, *, is_transient: bool = False, key: str = ""
    ) -> None:
        super().__init__(reason)
        self.reason = hide_secrets(reason)
        self.is_transient = is_transient
        self.key = hide_secrets(key)


class StoreWriteError(BrickfieldError, OSError):
    """Raised when there is no room or no right to write a store."""


class OptionError(BrickfieldError, ValueError):
    """Raised when an option has a value that cannot be used."""


class SceneStateError(BrickfieldError, ValueError):
    """Raised when a scene document cannot be used; names the field and its place."""


class SceneSourceError(SceneStateError):
    """Raised when data that a scene document names cannot be opened.

    What is raised is also the kind of error that opening met, as
    :class:`StoreNotFoundError`, where it met one of these.
    """


class SceneSourceNotFoundError(SceneSourceError, StoreNotFoundError):
    """Raised when nothing is stored where a scene document says."""


class SceneSourceFormatError(SceneSourceError, StoreFormatError):
    """Raised when what a scene document names is not what its format asks for."""


class SceneSourceAccessError(SceneSourceError, StoreAccessError):
    """Raised when what a scene document names may not be read."""


class SceneSourceUnreachableError(SceneSourceError, StoreUnreachableError):
    """Raised when a remote store that a scene document names does not answer."""


class SceneSourceOptionError(SceneSourceError, OptionError):
    """Raised when a store has no such part as a scene document names."""


_SOURCE_ERRORS: dict[type[BrickfieldError], type[SceneSourceError]] = {
    StoreNotFoundError: SceneSourceNotFoundError,
    StoreFormatError: SceneSourceFormatError,
    StoreAccessError: SceneSourceAccessError,
    StoreUnreachableError: SceneSourceUnreachableError,
    OptionError: SceneSourceOptionError,
}


def source_error(error: Exception, message: str) -> SceneSourceError:
    """Convert an error of opening data into that of a scene document.

    Parameters
    ----------
    error : Exception
        What opening the data raised.
    message : str
        Of the new error.
    """
    for kind, made in _SOURCE_ERRORS.items():
        if isinstance(error, kind):
            return made(message)
    return SceneSourceError(message)


class BudgetError(BrickfieldError, MemoryError):
    """Raised when a memory budget is too small for the smallest useful work."""


class AdapterError(BrickfieldError, RuntimeError):
    """Raised when no usable graphics adapter is found."""


class DeviceError(BrickfieldError, RuntimeError):
    """Raised when the graphics device has no room, or was lost."""


class ViewClosedError(BrickfieldError, RuntimeError):
    """Raised when something is asked of a view that was closed."""


class ViewBusyError(BrickfieldError, TimeoutError):
    """Raised when a view has not answered within the time it was given."""


class MissingExtraError(BrickfieldError, ImportError):
    """Raised when an optional package is needed; names the extra to install."""
