"""What must not be read by others: passwords, tokens and signatures in addresses.

An address that is opened may hold one, as ``user:TOKEN@host`` or in its query. Text
that leaves the program (errors, receipts, JSON, logs, findings, notes in pictures)
goes through :func:`hide_secrets`, so that it can be shown, stored and sent on.
Masked text cannot be opened; the address itself stays where it was given.
"""

from __future__ import annotations

import re
from typing import Any

__all__ = [
    "has_secrets",
    "hide_secrets",
    "without_secrets",
]

MASK = "***"
LONG = 20
"""Values of at least this many letters and digits in a query count as secrets, too."""

_USER = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*:/{1,2})[^/\s\"'<>?#]*@(?=[^\s/])"
)
_QUERY = re.compile(
    r"(?P<start>[?&;]|%3F|%26|&amp;)(?P<name>[A-Za-z0-9_.~%-]{1,80})=(?P<value>[^&;#\s\"'<>]*)",
    re.IGNORECASE,
)
_NAMES = re.compile(
    r"token|secret|sig|passw|pwd|credential|auth|jwt|session|policy|key|sas|cookie|bearer",
    re.IGNORECASE,
)


def hide_secrets(text: str) -> str:
    """Put ``***`` for what gives access in every address of a text.

    Parameters
    ----------
    text : str
        A sentence, an address or several.

    Returns
    -------
    str
        The same text without secrets; unchanged when it has none.
    """
    if "=" not in text and "@" not in text:
        return text
    return _QUERY.sub(_masked_value, _USER.sub(rf"\g<scheme>{MASK}@", text))


def _masked_value(match: re.Match[str]) -> str:
    name, value = match["name"], match["value"]
    is_secret = bool(_NAMES.search(name)) or len(value) >= LONG
    if not is_secret or not value:
        return match[0]
    # What a sentence sets after an address is no part of it.
    rest = value[len(value.rstrip(".,:)]}")) :]
    return f"{match['start']}{name}={MASK}{rest}"


def has_secrets(text: str) -> bool:
    """Whether an address holds something that gives access."""
    return hide_secrets(text) != text


def without_secrets(value: Any) -> Any:
    """Mask every text in plain values, keys included.

    Parameters
    ----------
    value : object
        Nested dicts, lists and tuples, as for JSON; anything else is returned as it is.
    """
    if isinstance(value, str):
        return hide_secrets(value)
    if isinstance(value, dict):
        return {without_secrets(k): without_secrets(v) for k, v in value.items()}
    if isinstance(value, list):
        return [without_secrets(v) for v in value]
    if isinstance(value, tuple) and type(value) is tuple:
        return tuple(without_secrets(v) for v in value)
    return value
