"""The group of commands that turn, shift and place."""

from __future__ import annotations

from brickfield.cli.groups import command_group
from brickfield.cli.transform import commands
from brickfield.cli.transform.points import points

app = command_group("Turn, shift and filter volumes, and map points.")
app.command("rotate")(commands.rotate)
app.command("shift")(commands.shift)
app.command("combine")(commands.combine)
app.command("affine")(commands.affine)
app.command("deskew")(commands.deskew)
app.command("gaussian")(commands.gaussian)
app.command("downsample")(commands.downsample)
app.command("points")(points)
