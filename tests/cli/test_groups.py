"""A command of a group has the group's name, its help and the program's errors."""

import pytest
import typer
from typer.testing import CliRunner

from brickfield.cli.groups import command_group
from brickfield.errors import OptionError


@pytest.fixture
def program():
    app = command_group("The program.")
    commands = command_group("Read scans.")

    @commands.command("info")
    def info(name: str) -> None:
        """Describe a scan."""
        if name == "bad":
            raise OptionError("expected a scan; found none")
        typer.echo(f"a scan {name}")

    @commands.command("other")
    def other() -> None:
        """Do something else."""

    app.add_typer(commands, name="stem")
    return app


def test_a_command_of_a_group_is_named_after_the_group(program):
    found = CliRunner().invoke(program, ["stem", "info", "a"])
    assert (found.exit_code, found.output) == (0, "a scan a\n")


def test_a_group_without_a_command_tells_what_there_is(program):
    found = CliRunner().invoke(program, ["stem"])
    assert "Read scans." in found.output
    assert "Describe a scan." in found.output


def test_an_error_goes_up_to_the_program(program):
    found = CliRunner().invoke(program, ["stem", "info", "bad"])
    assert isinstance(found.exception, OptionError)
