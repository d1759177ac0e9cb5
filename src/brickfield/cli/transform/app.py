"""The group of commands that turn, shift and place."""

from __future__ import annotations

from brickfield.cli.groups import command_group
from brickfield.cli.transform.points import points

app = command_group("Turn, shift and filter volumes, and map points.")
app.command("points")(points)
