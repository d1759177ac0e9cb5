"""Commands that name a group of options have each of them, and get them as one value."""

from dataclasses import dataclass
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from brickfield.cli.option_groups import takes_groups


@dataclass(frozen=True)
class Place:
    """Where."""

    depth: Annotated[int, typer.Option(help="How deep.")] = 3
    side: Annotated[str, typer.Option("--on-side")] = "left"


@dataclass(frozen=True)
class NamedPlace(Place):
    """Where, by another name."""

    side: Annotated[str, typer.Option("--at")] = "right"
    name: Annotated[str | None, typer.Option()] = None


@takes_groups
def go(
    speed: float,
    *,
    place: Place,
    loud: Annotated[bool, typer.Option("--loud")] = False,
) -> None:
    """Go there."""
    typer.echo(f"{speed} {place} {loud}")


@takes_groups
def go_by_name(*, place: NamedPlace) -> None:
    """Go there."""
    typer.echo(place)


def said(command, *words):
    app = typer.Typer()
    app.command()(command)
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output.strip()


def test_what_is_not_given_is_the_default_of_the_group():
    assert said(go, "2") == f"2.0 {Place(3, 'left')} False"


def test_options_of_a_group_stand_beside_those_of_the_command():
    words = ["2", "--loud", "--depth", "7", "--on-side", "top"]
    assert said(go, *words) == f"2.0 {Place(7, 'top')} True"


def test_a_group_may_change_an_option_that_it_inherits():
    assert said(go_by_name, "--at", "top") == str(NamedPlace(3, "top", None))


@pytest.mark.parametrize("command", [go, go_by_name])
def test_a_wrapped_command_keeps_its_name_and_its_help(command):
    assert command.__doc__ == "Go there."
    assert command.__name__ in ("go", "go_by_name")
