"""Draw the diagrams of the documentation: python tools/drawings.py [NAME…].

Each diagram is an SVG of boxes, arrows and text on a light panel, so that it can be read
on a light and on a dark page and needs no script from elsewhere.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from xml.sax.saxutils import escape

IMAGES = Path(__file__).parent.parent / "docs" / "images"
INK, SOFT, PAPER = "#1d2b33", "#5b6b75", "#fbfcfc"
TEAL, BLUE, AMBER, GREY = "#d3ece8", "#d9e6f7", "#fbe8c8", "#eceff1"
STRONG = {TEAL: "#00796b", BLUE: "#2f6db5", AMBER: "#b26a00", GREY: "#78909c"}


class Drawing:
    """Collects the parts of one SVG; positions and sizes are in pixels."""

    def __init__(self, width: int, height: int, title: str) -> None:
        self._head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
            f' width="{width}" height="{height}" role="img"'
            f' font-family="Helvetica, Arial, DejaVu Sans, sans-serif">\n'
            f"<title>{escape(title)}</title>\n"
            '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5"'
            ' markerWidth="7" markerHeight="7" orient="auto-start-reverse">'
            f'<path d="M0 0 10 5 0 10z" fill="{INK}"/></marker></defs>\n'
        )
        self._parts: list[str] = []
        self.rect(0, 0, width, height, PAPER, radius=8, line="#d5dbde")

    def rect(
        self, x: float, y: float, w: float, h: float, fill: str, **look: object
    ) -> None:
        """Draw a rectangle; ``look``: radius, line, dash, line_width."""
        line = look.get("line", STRONG.get(fill, INK))
        dash = f' stroke-dasharray="{look["dash"]}"' if "dash" in look else ""
        self._parts.append(
            f'<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="{look.get("radius", 0)}"'
            f' fill="{fill}" stroke="{line}" stroke-width="{look.get("line_width", 1)}"{dash}/>'
        )

    def text(self, x: float, y: float, words: str, **look: object) -> None:
        """Write one line; ``look``: size, color, weight, anchor, mono."""
        mono = ' font-family="Menlo, DejaVu Sans Mono, monospace"'
        self._parts.append(
            f'<text x="{x}" y="{y}" font-size="{look.get("size", 13)}"'
            f' fill="{look.get("color", INK)}" font-weight="{look.get("weight", "normal")}"'
            f' text-anchor="{look.get("anchor", "start")}"{mono if look.get("mono") else ""}>'
            f"{escape(words)}</text>"
        )

    def box(
        self, at: tuple[float, float, float, float], fill: str, *lines: str
    ) -> None:
        """Draw a box at (x, y, w, h): a title, a package in monospace, then text."""
        x, y, w, h = at
        self.rect(x, y, w, h, fill, radius=6, line_width=1.5)
        self.text(x + 12, y + 23, lines[0], size=15, weight="bold")
        if lines[1]:
            self.text(x + 12, y + 41, lines[1], size=12, color=STRONG[fill], mono=True)
        top = y + (62 if lines[1] else 44)
        for i, line in enumerate(lines[2:]):
            self.text(x + 12, top + 17 * i, line)

    def arrow(self, points: str, **look: object) -> None:
        """Draw a line through ``"x,y x,y …"`` with a tip at its end; ``look``: dash, both."""
        dash = f' stroke-dasharray="{look["dash"]}"' if "dash" in look else ""
        start = ' marker-start="url(#tip)"' if look.get("both") else ""
        self._parts.append(
            f'<polyline points="{points}" fill="none" stroke="{INK}" stroke-width="1.6"'
            f'{dash}{start} marker-end="url(#tip)"/>'
        )

    def svg(self) -> str:
        """Return the file."""
        return self._head + "\n".join(self._parts) + "\n</svg>\n"


def picture_way() -> Drawing:
    """Draw how a picture comes about, from a change to the receipt."""
    d = Drawing(960, 430, "From a change of the camera to the picture")
    d.box(
        (24, 30, 200, 118),
        GREY,
        "1  Something changes",
        "viewer",
        "a camera moves or",
        "a layer's version grows",
    )
    d.box(
        (268, 30, 200, 118),
        BLUE,
        "2  Plan",
        "planning",
        "which chunks, by",
        "screen-space error;",
        "always fits the budget",
    )
    d.box(
        (512, 30, 200, 118),
        TEAL,
        "3  Load",
        "loading",
        "diff with the cache,",
        "each storage chunk",
        "read and decoded once",
    )
    d.box(
        (756, 30, 180, 118),
        GREY,
        "Storage",
        "sources",
        "files, servers,",
        "arrays in memory",
    )
    d.box(
        (756, 220, 180, 118),
        AMBER,
        "RAM cache",
        "loading/cache/",
        "decoded chunks;",
        "one per process,",
        "bounded in bytes",
    )
    d.box(
        (512, 220, 200, 118),
        AMBER,
        "4  Upload",
        "gpu",
        "chunks become bricks",
        "in the textures of",
        "their levels",
    )
    d.box(
        (268, 220, 200, 118),
        AMBER,
        "5  Draw",
        "gpu, rendering",
        "rays look up the page",
        "table; a coarser brick",
        "where none is resident",
    )
    d.box(
        (24, 220, 200, 118),
        GREY,
        "7  Picture and report",
        "viewer",
        "to the window; what it",
        "cost is in the receipt",
    )
    d.arrow("224,84 268,84")
    d.arrow("468,84 512,84")
    d.arrow("712,84 756,84", both=True)
    d.arrow("640,148 640,184 846,184 846,220")
    d.text(660, 178, "decoded voxels", size=12, color=SOFT)
    d.arrow("756,279 712,279")
    d.arrow("512,279 468,279")
    d.arrow("268,279 224,279")
    d.arrow("400,220 400,148", dash="5 4")
    d.text(408, 178, "6  bricks that no ray", size=12, color=SOFT)
    d.text(408, 194, "reached: plan again", size=12, color=SOFT)
    d.arrow("300,148 300,184 240,184 240,200 124,200 124,220", dash="2 3")
    d.text(134, 178, "nothing new to draw:", size=12, color=SOFT)
    d.text(134, 194, "report only", size=12, color=SOFT)
    d.text(
        24,
        376,
        "The loop runs in short steps. No step waits for data: what is not there yet is drawn from a coarser level,",
        color=SOFT,
    )
    d.text(
        24,
        395,
        "and each arrival makes the next picture sharper. A failed read is a value: listed, drawn coarser, never raised.",
        color=SOFT,
    )
    return d


def threads() -> Drawing:
    """Draw which thread does what, and what passes between them."""
    d = Drawing(960, 446, "The threads of a process and the values between them")
    for x, w, fill, title, who in (
        (24, 250, BLUE, "Window's thread", "napari, qt, plugin, viewer"),
        (
            356,
            250,
            AMBER,
            "Render thread, per process",
            "viewer/live, rendering, gpu",
        ),
        (688, 248, TEAL, "Reading threads, per store", "loading, sources"),
    ):
        d.rect(x, 24, w, 310, fill, radius=6, line_width=1.5)
        d.text(x + 12, 48, title, weight="bold")
        d.text(x + 12, 66, who, size=11, color=STRONG[fill], mono=True)
    for x, top, lines in (
        (
            36,
            96,
            (
                "Layers and their versions",
                "Scene document, undo",
                "Controls, panels, napari events",
                "Shows pictures; draws none",
            ),
        ),
        (
            368,
            96,
            (
                "Plans, takes loaded chunks,",
                "uploads, draws, reads back",
                "One short step at a time;",
                "views take turns",
                "The only thread at the GPU,",
                "for all windows",
            ),
        ),
        (
            700,
            96,
            (
                "Read and decode one storage",
                "chunk at a time",
                "Copy its voxels into every",
                "chunk that waits for it",
                "Pause and retry; a failure",
                "becomes a value",
            ),
        ),
    ):
        for i, line in enumerate(lines):
            d.text(x, top + 19 * i, line)
    for y, words, tip in (
        (228, "FrameState", "right"),
        (270, "ViewReport", "left"),
        (312, "jobs, futures", "both"),
    ):
        d.arrow(
            f"274,{y} 356,{y}" if tip != "left" else f"356,{y} 274,{y}",
            both=tip == "both",
        )
        d.text(315, y - 7, words, size=12, anchor="middle")
    for y, words, right in ((228, "requests", True), (270, "chunk_ready", False)):
        d.arrow(f"606,{y} 688,{y}" if right else f"688,{y} 606,{y}")
        d.text(647, y - 7, words, size=12, anchor="middle")
    d.rect(420, 362, 452, 64, GREY, radius=6, line_width=1.5)
    d.text(432, 386, "RAM cache, one per process, behind a lock", weight="bold")
    d.text(
        432,
        407,
        "decoded chunks: put by reading threads, taken by the render thread",
        size=12,
    )
    d.arrow("812,334 812,362")
    d.arrow("481,362 481,334")
    d.text(24, 376, "Frozen values pass between threads.", color=SOFT)
    d.text(24, 395, "Long tasks (pyramids, exports, exact", color=SOFT)
    d.text(24, 414, "histograms) run on threads of their own.", color=SOFT)
    return d


def _grid(
    d: Drawing,
    at: tuple[float, float],
    cells: tuple[int, int],
    step: float,
    **look: object,
) -> None:
    x, y = at
    for i in range(cells[0]):
        for j in range(cells[1]):
            d.rect(
                x + i * step,
                y + j * step,
                step,
                step,
                str(look.get("fill", "none")),
                **look,
            )


def boxes() -> Drawing:
    """Draw storage chunk, chunk and brick over the same voxels."""
    d = Drawing(960, 372, "Storage chunk, chunk and brick")
    columns = (
        (
            24,
            TEAL,
            "Storage chunk",
            "in the file",
            ("unit of reading and decoding", "its size is the file's"),
        ),
        (
            344,
            BLUE,
            "Chunk",
            "in RAM",
            (
                "unit of planning and caching",
                "cut from one or more storage",
                "chunks; about 64 voxels an edge",
            ),
        ),
        (
            664,
            AMBER,
            "Brick",
            "on the GPU",
            (
                "unit of drawing: a chunk with a",
                "border of its neighbours' voxels,",
                "in a slot of a texture",
            ),
        ),
    )
    for x, fill, title, place, lines in columns:
        d.text(x, 36, title, size=16, weight="bold")
        d.text(x + 140, 36, place, color=STRONG[fill], mono=True)
        for i, line in enumerate(lines):
            d.text(x, 312 + 18 * i, line)
    for x, *_ in columns:
        _grid(d, (x + 8, 56), (24, 24), 9.5, line="#dfe4e7", line_width=0.5)
    left, top, step = 32, 56, 9.5
    d.rect(left, top, 10 * step, 15 * step, TEAL, line_width=2)
    for i, j, w, h in (
        (10, 0, 10, 15),
        (20, 0, 4, 15),
        (0, 15, 10, 9),
        (10, 15, 10, 9),
        (20, 15, 4, 9),
    ):
        d.rect(
            left + i * step,
            top + j * step,
            w * step,
            h * step,
            "none",
            line=STRONG[TEAL],
            line_width=2,
        )
    left = 352
    d.rect(left, top, 8 * step, 8 * step, BLUE, line_width=2)
    _grid(d, (left, top), (3, 3), 8 * step, line=STRONG[BLUE], line_width=2)
    d.rect(left, top, 10 * step, 15 * step, "none", line=STRONG[TEAL], dash="5 4")
    left = 672
    d.rect(left + 7 * step, top + 7 * step, 10 * step, 10 * step, AMBER, line_width=2)
    d.rect(
        left + 8 * step,
        top + 8 * step,
        8 * step,
        8 * step,
        "#f5cf8c",
        line=STRONG[AMBER],
        dash="4 3",
    )
    _grid(d, (left, top), (3, 3), 8 * step, line=STRONG[BLUE], dash="2 3")
    d.text(left + 12 * step, top + 11.6 * step, "voxels", size=12, anchor="middle")
    d.text(
        left + 12 * step,
        top + 18.6 * step,
        "border",
        size=12,
        anchor="middle",
        color=STRONG[AMBER],
    )
    return d


def levels() -> Drawing:
    """Draw the levels of a pyramid, and the levels of one view in perspective."""
    d = Drawing(960, 340, "Levels of a pyramid and of a view")
    for x, edge, n, name in (
        (24, 192, 16, "level 0"),
        (236, 96, 8, "level 1"),
        (352, 48, 4, "level 2"),
    ):
        d.rect(x, 60, edge, edge, {16: TEAL, 8: BLUE, 4: AMBER}[n])
        _grid(d, (x, 60), (n, n), edge / n, line="#9fb4c4", line_width=0.5)
        d.text(x, 48, name, weight="bold")
    d.text(
        24,
        276,
        "The same volume, level 0 is the finest. A voxel of level 1",
        color=SOFT,
    )
    d.text(
        24, 295, "covers 2 × 2 × 2 of level 0 here; the file says how much.", color=SOFT
    )
    d.text(24, 314, "Axes may differ, and factors need not be two.", color=SOFT)
    d.text(500, 48, "In one view: fine in front, coarse behind", weight="bold")
    d.arrow("500,156 930,62")
    d.arrow("500,156 930,250")
    d.text(500, 180, "camera", size=12, color=SOFT)
    for x, edge, fill, n in (
        (590, 24, TEAL, 4),
        (690, 48, BLUE, 4),
        (810, 96, AMBER, 4),
    ):
        for j in range(2):
            d.rect(x, 156 - edge + j * edge, edge, edge, fill)
            _grid(
                d,
                (x, 156 - edge + j * edge),
                (n, n),
                edge / n,
                line="#9fb4c4",
                line_width=0.5,
            )
    for x, words in ((590, "level 0"), (690, "level 1"), (810, "level 2")):
        d.text(x, 270, words, size=12)
    d.text(
        500,
        295,
        "A chunk is refined while one of its voxels is larger on the",
        color=SOFT,
    )
    d.text(
        500,
        314,
        "screen than the target (1 pixel), as long as the budget lasts.",
        color=SOFT,
    )
    return d


def budget() -> Drawing:
    """Draw what a plan does when the budget is smaller than the wish."""
    d = Drawing(960, 288, "One view under three GPU budgets")
    rows = (
        (
            "256 MiB",
            ((40, AMBER, "coarsest level"), (200, BLUE, "level 1"), (10, TEAL, "")),
        ),
        (
            "1 GiB",
            (
                (40, AMBER, "coarsest level"),
                (150, BLUE, "level 1"),
                (300, TEAL, "level 0 in front"),
            ),
        ),
        (
            "4 GiB",
            (
                (40, AMBER, "coarsest level"),
                (40, BLUE, ""),
                (440, TEAL, "level 0 wherever the view asks for it"),
            ),
        ),
    )
    limits = {"256 MiB": 262, "1 GiB": 502, "4 GiB": 780}
    for i, (name, parts) in enumerate(rows):
        y, x = 54 + 58 * i, 110.0
        d.text(24, y + 22, name, weight="bold")
        for w, fill, words in parts:
            d.rect(x, y, w, 34, fill)
            if words and words != "coarsest level":
                d.text(x + w / 2, y + 22, words, size=12, anchor="middle")
            x += w
        d.rect(110, y - 5, limits[name], 44, "none", line=INK, dash="6 4", radius=3)
    d.text(110, 34, "coarsest level, always there", size=12, color=STRONG[AMBER])
    d.text(
        24,
        240,
        "The dashed frame is the budget. A plan never exceeds it: with less of it the picture is coarser, never with holes.",
        color=SOFT,
    )
    d.text(
        24,
        258,
        "What the view does not need stays unused; what was drawn before is kept there until room is wanted.",
        color=SOFT,
    )
    d.text(24, 276, "Lengths are not to scale.", color=SOFT)
    return d


DRAWINGS: dict[str, Callable[[], Drawing]] = {
    "picture-way": picture_way,
    "threads": threads,
    "boxes": boxes,
    "levels": levels,
    "budget": budget,
}


def main(wanted: list[str]) -> None:
    """Write the named drawings, or all."""
    for name in wanted or DRAWINGS:
        target = IMAGES / f"drawing-{name}.svg"
        target.write_text(DRAWINGS[name]().svg(), encoding="utf-8")
        print(target.name)


if __name__ == "__main__":
    main(sys.argv[1:])
