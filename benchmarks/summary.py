"""What a reader wants first: figures that a person feels, and what is not fast, and why.

Both are written from the rows of the table, so that they never say anything else.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.rows import Row


@dataclass(frozen=True)
class Felt:
    """A row in a sentence.

    Attributes
    ----------
    goal : str
    what : str
        How the row's text begins.
    sentence : str
        With ``{ours}`` for the figure and ``{limit}`` for what is to be reached.
    """

    goal: str
    what: str
    sentence: str


FELT = (
    Felt(
        "E10",
        "base level on screen after the view asks, local",
        "**Opening**: an overview of a local image is on screen {ours} after the view"
        " asks for it",
    ),
    Felt(
        "E10",
        "base level on screen after the view asks, HTTP",
        "and {ours} after it where each request takes 50 ms",
    ),
    Felt(
        "E19",
        "turning 512³: pictures a second",
        "**Turning** a volume of 512³ shows {ours} pictures a second on software Vulkan",
    ),
    Felt(
        "E19",
        "turning 512³: camera change to first picture",
        "each {ours} after the hand has moved",
    ),
    Felt(
        "E19",
        "turning 512³: hand at rest",
        "the full quality is back {ours} after it rests",
    ),
    Felt(
        "E16",
        "pixels that go blank",
        "**Nothing flickers**: {ours} pixels go blank while zooming in or stepping time",
    ),
    Felt(
        "E14",
        "of 10 kinds of damage to 512 storage chunks: all good",
        "and with {ours} of 10 kinds of damage to a file all good data are shown",
    ),
    Felt(
        "E1",
        "stored bytes read ÷ least possible, cold, 64³",
        "**Reading**: {ours} × the bytes that a view needs are read",
    ),
    Felt(
        "E8",
        "flight through a 10 TB virtual store: peak RSS",
        "**Memory**: a flight through 10 TB takes {ours} × the RAM budget, everything"
        " counted",
    ),
    Felt(
        "E7",
        "living textures ÷ GPU budget in flight",
        "textures take {ours} × the GPU budget at most",
    ),
    Felt(
        "R6",
        "resident memory that 1,000 moves add",
        "thousands of moves add {ours} for each thousand",
    ),
    Felt(
        "N1",
        "the window blocked while the first volume opens",
        "**In napari**, opening the first volume keeps the window waiting {ours} longer"
        " than a layer of its own",
    ),
    Felt(
        "E20",
        "CPU of a cold brickfield render ÷ bare",
        "**From a shell**, a picture costs {ours} × the processor time of the same with"
        " tensorstore and pygfx alone",
    ),
    Felt(
        "E21",
        "CPU of brickfield pyramid, 512³ uint16 ÷ ngff-zarr",
        "and writing a pyramid {ours} × that of ngff-zarr",
    ),
)
REASONS = (
    (
        "E2",
        "storage chunks of 1 x",
        "each plane goes to 1,024 chunks that are kept apart, so that the cache can forget"
        " one, in 192 calls of numpy and to other lines of the processor's cache,"
        " where the bare reader fills one array with 64 calls",
    ),
    (
        "E2",
        "storage chunks",
        "the lowest and highest value of each chunk of 64³ are found, too",
    ),
    (
        "E9",
        "a camera change in all",
        "most of it is the plan itself, some 4,000 chunks in numpy and Python",
    ),
    (
        "E11",
        "",
        "software Vulkan clears and fills textures with the processor that reads",
    ),
    (
        "E18",
        "frame, as at rest",
        "at rest we take three samples a voxel, which smooths edges; gfx.Volume takes 1.25",
    ),
    ("E19", "", "software Vulkan draws with the two cores that read and plan, too"),
    (
        "E21",
        "",
        "a writer with nothing around it, which compresses as we do, takes as long",
    ),
)
"""Why a row is missed: goal, how its text begins, one clause."""


def at_a_glance(rows: list[Row], text_of: dict[int, str]) -> list[str]:
    """Write the figures that a person feels, a line for each subject.

    Parameters
    ----------
    rows : list of Row
    text_of : dict of int to str
        Figures with their units, by the identity of a row.
    """
    lines: list[str] = []
    for felt in FELT:
        row = _find(rows, felt.goal, felt.what)
        if row is None or row.ours is None:
            continue
        text = felt.sentence.format(ours=text_of[id(row)])
        if row.reached is not None and row.limit:
            verdict = "reached" if row.reached else "not yet reached"
            text += f" (to reach: {row.limit}, {verdict})"
        is_first = text.startswith("**")
        if is_first or not lines:
            lines.append(f"- {text}")
        else:
            lines[-1] += f", {text}"
    return [f"{line}." for line in lines]


def reason(row: Row) -> str:
    """Return why a row is missed, empty where nobody has said so."""
    for goal, what, why in REASONS:
        if row.goal == goal and row.what.startswith(what):
            return why
    return ""


def _find(rows: list[Row], goal: str, what: str) -> Row | None:
    return next((r for r in rows if r.goal == goal and r.what.startswith(what)), None)
