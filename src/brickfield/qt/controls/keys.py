"""What keys and mouse do in the dock: one table for the window and for the docs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    """What can be done in one place.

    Attributes
    ----------
    title : str
    rows : tuple of (str, str)
        Keys or mouse action, and their effect.
    """

    title: str
    rows: tuple[tuple[str, str], ...]


KEYS: tuple[Section, ...] = (
    Section(
        "Volume",
        (
            ("Left drag", "Turn (orbit, trackball); look round (fly)"),
            ("Right drag, wheel", "Zoom; the wheel zooms round the cursor"),
            ("Middle drag, Shift + left drag", "Move the picture"),
            (
                "Double click",
                "Turn round what lies there from now on (Shift + double click where"
                " there are several pictures)",
            ),
            (
                "Left drag on the arrow of an oblique plane",
                "Its tip tilts the plane, its foot shifts it along its normal",
            ),
            ("1, 2, 3", "Look along z (xy), along y (xz), along x (yz)"),
            ("7", "Look from beside and a little above"),
            ("F", "Show everything; again: only what can be seen"),
            ("P", "Perspective or parallel projection"),
            ("W, S, A, D, E, Q", "Fly ahead, back, left, right, up, down (fly)"),
        ),
    ),
    Section(
        "Slices",
        (
            ("Left click, left drag", "Move the cross-hair, where it is shown"),
            (
                "Right drag, also left drag without a cross-hair",
                "Tilt the oblique slice; move the picture of any other slice",
            ),
            ("Wheel", "Zoom round the cursor"),
            (
                "Shift + wheel, Page Up, Page Down",
                "Go through the slices; move the oblique slice along its normal",
            ),
            ("Up, Right; Down, Left", "Next slice; previous slice"),
            ("Middle drag, Shift + left drag", "Move the picture"),
            ("F", "Show everything; again: only what can be seen"),
        ),
    ),
    Section(
        "Everywhere in the dock's pictures",
        (
            ("Rest the cursor", "Values, place and resolution under it"),
            ("Double click, of several pictures", "All the room for one; again: back"),
            ("Ctrl+Z; Ctrl+Shift+Z, Ctrl+Y", "Undo; redo"),
            ("Ctrl+V", "Open the link to a scene that is in the clipboard"),
            ("C", "Clip box; dragging one of its knobs moves that side"),
            ("R", "Receipt: what this picture cost"),
            ("Space", "Play or stop the time series"),
            ("?", "This table"),
        ),
    ),
)
"""All keys and gestures, by place."""

_HEAD = """# Keys and mouse

What keys and mouse do in the volume dock. The same table opens with `?` in a
picture of the dock, and from the menu at the end of its toolbar. Keys reach the
picture under the pointer, unless you are typing somewhere.
"""


def as_markdown() -> str:
    """Return the page of the documentation."""
    parts = [_HEAD]
    for section in KEYS:
        rows = [f"| {keys} | {what} |" for keys, what in section.rows]
        table = "\n".join(["| Keys, mouse | What it does |", "|---|---|", *rows])
        parts.append(f"## {section.title}\n\n{table}\n")
    return "\n".join(parts)


def as_html() -> str:
    """Return the table for a window."""
    parts = []
    for section in KEYS:
        rows = "".join(
            f'<tr><td style="white-space: nowrap"><b>{keys}</b></td>'
            f'<td style="padding-left: 14px">{what}</td></tr>'
            for keys, what in section.rows
        )
        parts.append(f"<h3>{section.title}</h3><table cellspacing=4>{rows}</table>")
    return "".join(parts)
