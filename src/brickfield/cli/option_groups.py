"""Options that several commands have in common, as one value.

A group is a frozen dataclass whose fields are annotated as Typer wants options. A
command that :func:`takes_groups` wraps names a group as one of its parameters; Typer
sees the group's options in its place. So an option is written once, and all commands
that have it say and mean the same.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from functools import wraps
from typing import Any, get_type_hints


def takes_groups(command: Callable[..., None]) -> Callable[..., None]:
    """Replace the groups among the parameters of a command by their options.

    Parameters
    ----------
    command : callable
        Every parameter whose type is a dataclass is a group.

    Returns
    -------
    callable
        The command as Typer reads and calls it: by keywords alone, each option of a
        group as a keyword of its own.
    """
    own = inspect.signature(command, eval_str=True).parameters
    groups: dict[str, Any] = {
        name: p.annotation for name, p in own.items() if is_dataclass(p.annotation)
    }
    whole: list[inspect.Parameter] = []
    for name, parameter in own.items():
        whole += _options_of(groups[name]) if name in groups else [parameter]

    @wraps(command)
    def wrapper(**given: Any) -> None:
        for name, group in groups.items():
            values = {f.name: given.pop(f.name) for f in fields(group)}
            given[name] = group(**values)
        command(**given)

    wrapper.__signature__ = inspect.Signature(whole)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {p.name: p.annotation for p in whole}
    return wrapper


def _options_of(group: Any) -> list[inspect.Parameter]:
    # Not the signature of __init__: it would look up the names of inherited
    # annotations in the module of the heir.
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            f.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if f.default is MISSING else f.default,
            annotation=hints[f.name],
        )
        for f in fields(group)
    ]
