"""All bricks of one layer in one view: textures, page table and material together.

Order of one frame: :meth:`want` (what the plan names), :meth:`accept` for chunks
that arrived (within the caller's time slice), :meth:`repair_borders` while time
is left, :meth:`retire` once, :meth:`flush` before drawing. Chunks are *named* by
(plane, key), see :mod:`brickfield.gpu.page_table`. Thread rule: render thread only.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

import brickfield.gpu.shader  # noqa: F401  (registers the program with pygfx)
from brickfield.gpu.atlas import TextureAtlas
from brickfield.gpu.brick_texels import BrickEncoder, Peek, Texels
from brickfield.gpu.device import GpuDevice
from brickfield.gpu.formats import TextureFormat
from brickfield.gpu.layout import is_at_grown_end, level_layouts
from brickfield.gpu.material import BrickMaterial, PageBuffers, placeholder_texture
from brickfield.gpu.names import MissingNames, Name, WantedNames, is_in, named_among
from brickfield.gpu.page_table import (
    CONSTANT,
    DATA,
    FAILED,
    NONFINITE,
    OCTANTS,
    TARGET,
    Holes,
    PageTable,
    slot_word,
)
from brickfield.gpu.texels.copying import copy_parts
from brickfield.gpu.texels.ranges import pack_constant
from brickfield.gpu.wanted import IS_CONSTANT, IS_TARGET, Overdrawn, Wanted, keys_of
from brickfield.model import Pyramid
from brickfield.model.requests import ChunkState, LoadedChunk

_MAX_IDLE = 4096
"""Drawn chunks beyond four times the plan that may linger."""


class BrickSet:
    """Resident bricks and what of them is drawn.

    Parameters
    ----------
    pyramid : Pyramid
    fmt : TextureFormat
    budget_bytes : int
        For textures; the page table comes on top (16 bytes per row).
    gpu : GpuDevice
    material : BrickMaterial
    peek : callable
        Looks into the RAM cache for border voxels.
    """

    def __init__(
        self,
        pyramid: Pyramid,
        fmt: TextureFormat,
        budget_bytes: int,
        gpu: GpuDevice,
        material: BrickMaterial,
        *,
        peek: Peek,
    ) -> None:
        self.pyramid = pyramid
        self.format = fmt
        self.material = material
        self._gpu = gpu
        self._peek = peek
        layouts, chunks = level_layouts(pyramid, fmt), self._chunks_of(pyramid)
        self.atlas = TextureAtlas(layouts, fmt, budget_bytes, gpu, grid_chunks=chunks)
        self.table = PageTable(pyramid)
        self.wanted = WantedNames()
        """The chunks that the plan names; True for leaves that reach the target."""
        self._plan = Wanted({})
        self._overdrawn = Overdrawn(pyramid, self.table)
        self.missing = MissingNames(self.wanted)
        """The wanted chunks that are neither resident nor known constant or failed."""
        self._protected: set[Name] = set()
        self._changed: set[Name] = set()
        self._ends: set[Name] = set()
        self._ranges: dict[Name, int] = {}
        self._flags: dict[Name, int] = {}
        self._holes: dict[Name, Holes] = {}
        self._encoder = BrickEncoder(
            pyramid,
            self.atlas.layouts,
            fmt,
            peek=lambda name: self._peek(name),
            value_of=self.table.value_of,
            is_expected=self._is_expected,
        )
        self._pages = PageBuffers(self.table, material, gpu)
        self._atlas_version = -1
        self.n_committed = 0

    def _chunks_of(self, pyramid: Pyramid) -> list[int]:
        """Count the chunks of every level that may need a slot."""
        n_channels = self.material.program[2]
        return [int(n) for n in pyramid.grids_zyx.prod(axis=1) * n_channels]

    def grow(self, pyramid: Pyramid) -> None:
        """Follow an image whose axes got longer; what is drawn stays.

        Bricks at the old ends get the borders of the chunks that come beside them. Where
        a level had one chunk along z and has more now, its slots get borders: its bricks
        are made again from the RAM cache.

        Parameters
        ----------
        pyramid : Pyramid
        """
        before, self.pyramid = self.pyramid, pyramid
        layouts = level_layouts(pyramid, self.format)
        drawn = [n for n in self.atlas.resident() if n in self.table]
        lost = self.atlas.grow(layouts, self._chunks_of(pyramid))
        self.table.grow(pyramid)
        self._overdrawn.grow(pyramid)
        self._encoder.grow(pyramid, layouts)
        self._ends |= {n for n in drawn if is_at_grown_end(n[1], before, pyramid)}
        for name in lost:
            self.forget(name)

    # -- what is wanted ----------------------------------------------------------

    def want(
        self, names: Mapping[Name, bool] | Wanted, *, has_room: bool = False
    ) -> None:
        """Set which chunks the plan names.

        Parameters
        ----------
        names : Wanted, or mapping of name to bool
            Wanted chunks; True for leaves that reach the target error.
        has_room : bool
            Whether :meth:`make_room` was called for them already.
        """
        plan = names if isinstance(names, Wanted) else Wanted.of(names)
        if not has_room:
            self.make_room(plan.slots(self.pyramid.n_levels))
        gone, changed = plan.changes(self._plan)
        self._plan = plan
        # Most of a plan is as it was: only what differs costs anything.
        self.wanted.replace(plan.by_plane, gone, changed)
        for plane, keys in gone.items():
            self._release(plane, keys)
        for plane, codes in changed.items():
            self._want_changed(plane, codes)
        # Now it is known which of the chunks beside them come.
        self._encoder.repair(self._ends)
        self._ends.clear()

    def _release(self, plane: int, keys: NDArray[np.int64]) -> None:
        """Take leave of what is no longer wanted; what is drawn of it stays for now."""
        self._encoder.give_up(plane, keys)
        # Out of date, and no new voxels were requested: not fit to be shown again.
        for name in named_among(self._changed, plane, keys):
            self._changed.discard(name)
            self.atlas.drop(name)
            self.forget(name)
        here = keys[self.atlas.are_resident(plane, keys)]
        self.atlas.touch(list(zip(repeat(plane), here.tolist())))
        drawn = keys[is_in(self.table.active.array(plane), keys)]
        self._overdrawn.release(set(zip(repeat(plane), drawn.tolist())))

    def _want_changed(self, plane: int, codes: NDArray[np.int64]) -> None:
        """Take over codes that are new, or whose bits are."""
        keys, is_target = keys_of(codes), codes & IS_TARGET > 0
        is_here = self.atlas.are_resident(plane, keys)
        is_drawn = is_here | is_in(self.table.active.array(plane), keys)
        is_constant = codes & IS_CONSTANT > 0
        for row in np.flatnonzero(is_drawn).tolist():
            name = (plane, int(keys[row]))
            self.idle.discard(name)
            if is_here[row]:
                self._activate(name, is_target=bool(is_target[row]))
                continue
            # Drawn without a slot already; only the part in the plan changes.
            value = self.table.value_of(name)
            if value & CONSTANT or not is_constant[row]:
                value = (value & ~TARGET) | (TARGET if is_target[row] else 0)
                self._draw(name, value, self._ranges.get(name, 0))
                is_constant[row] = False
        constant = keys[is_constant & ~is_here]
        if len(constant):
            fill = pack_constant(self.pyramid.levels[0].fill_value, self.format)
            for name in zip(repeat(plane), constant.tolist()):
                self._ranges[name] = fill
                self._draw(name, CONSTANT | TARGET, fill)
                self._encoder.known(name)
        absent = keys[~(is_drawn | is_constant)]
        self.wanted.set_all_missing(plane, absent, is_missing=True)
        self.wanted.set_all_missing(plane, constant, is_missing=False)

    def can_hold(self, need: Sequence[int]) -> bool:
        """Tell whether the budget has room for `need` slots per level."""
        slots = zip(need, self.atlas.layouts, strict=True)
        return sum(n * lay.slot_bytes for n, lay in slots) <= self.atlas.budget_bytes

    @property
    def is_too_large(self) -> bool:
        """Whether the textures have to shrink, since the budget was lowered."""
        return self.atlas.gpu_bytes > self.atlas.budget_bytes

    def make_room(self, need: Sequence[int]) -> None:
        """Give every level `need` slots where the budget allows.

        What is drawn stays drawn: bricks of a texture that had to go before its
        successor could be made are sent again from the RAM cache.
        """
        moved = self.atlas.ensure_capacity(need)
        self._encoder.forget(*(name for name in moved if name not in self.atlas))
        # The latest used first, in case that there are fewer slots now.
        for name in reversed(moved):
            if name in self.atlas:
                self._revalidate(name)
            elif not self._send_again(name):
                self.forget(name)

    def _send_again(self, name: Name) -> bool:
        """Upload a drawn chunk that lost its place; tell whether that was possible."""
        chunk = self._peek(name)
        if name not in self.table or chunk is None or chunk.data is None:
            return False
        if not self.atlas.has_free_slot(name):
            return False
        self.atlas.place(name, (), ())
        self._send(name, self._encoder.make(name, chunk.data))
        self._revalidate(name)
        return True

    def protect(self, names: Collection[Name]) -> None:
        """Evict these last: drawn chunks that stand in for something on its way."""
        self._protected = set(names)

    @property
    def idle(self) -> set[Name]:
        """Drawn chunks that the plan does not name."""
        return self._overdrawn.names

    def _revalidate(self, name: Name) -> None:
        """Bring a row in line after the chunk moved."""
        if name in self.table:
            self._activate(name, is_target=bool(self.table.value_of(name) & TARGET))

    def forget(self, name: Name) -> None:
        """Stop drawing a chunk and drop what is known of it; its slot stays."""
        self.stop_drawing((name,))
        self.wanted.set_missing(name, is_missing=True)
        self._ranges.pop(name, None)
        self._flags.pop(name, None)
        self._holes.pop(name, None)
        self._encoder.forget(name)

    def expect(self, name: Name) -> None:
        """Take a chunk for missing although it may be drawn: it is to come once more."""
        self.wanted.set_missing(name, is_missing=True)

    def renew(self, name: Name) -> None:
        """Let a chunk come once more, since its voxels changed.

        What is drawn of it stays until then; one that is not wanted is dropped.
        """
        self._encoder.release((name,))
        if name in self.wanted:
            self.wanted.set_missing(name, is_missing=True)
            self._changed.add(name)
        elif name in self.atlas:
            self.atlas.drop(name)
            self.forget(name)

    def _draw(self, name: Name, value: int, range_word: int) -> None:
        """Set a chunk's row, and note what :meth:`retire` has to look at."""
        self.table.set(name, value, range_word)
        self._overdrawn.add(name, is_target=self.wanted.get(name))

    def stop_drawing(self, names: Iterable[Name]) -> None:
        """Take rows out of the table; their bricks wait in reserve."""
        for name in names:
            self.table.remove(name)
            self.idle.discard(name)

    def _activate(self, name: Name, *, is_target: bool) -> None:
        slot = self.atlas.slot_of(name)
        if slot is None:
            return
        value = DATA | slot_word(slot) | self._flags.get(name, 0)
        holes = self._holes.get(name)
        if is_target and not (holes and holes.is_filled):
            value |= TARGET
        self._draw(name, value, self._ranges[name])

    # -- what arrives ------------------------------------------------------------

    def _is_expected(self, name: Name) -> bool:
        return name in self.wanted and not self.table.value_of(name) & FAILED

    def offer(self, name: Name, chunk: LoadedChunk, *, at_once: bool) -> bool:
        """Accept a chunk without holes, or hold it until its neighbours are here, too.

        Parameters
        ----------
        name : (plane, key)
        chunk : LoadedChunk
        at_once : bool
            Not to hold it: its border is repaired later.

        Returns
        -------
        bool
            Whether it is drawn now; else :meth:`repair_borders` does it.
        """
        is_new = chunk.data is not None and name not in self.atlas
        if is_new and not at_once and self._encoder.hold(name, chunk):
            return False
        self.accept(name, chunk)
        return True

    @property
    def held_until(self) -> float:
        """When the first held chunk is drawn at the latest (perf_counter, seconds)."""
        return self._encoder.held_until

    def accept(
        self, name: Name, chunk: LoadedChunk, holes: Holes | None = None
    ) -> None:
        """Draw a chunk from now on: upload it, or note its constant or failure.

        Parameters
        ----------
        name : (plane, key)
        chunk : LoadedChunk
        holes : Holes, optional
            What became of its holes, for the classes of pixels.
        """
        is_target = self.wanted.get(name, False)
        flag = TARGET if is_target else 0
        if chunk.state is ChunkState.FAILED:
            self._draw(name, FAILED | flag, 0)
        elif chunk.data is None:
            word = pack_constant(chunk.minimum, self.format)
            self._ranges[name] = word
            self._draw(name, CONSTANT | flag, word)
        else:
            if name not in self.atlas:
                # Its row goes at once: no row names a slot with another's voxels.
                slot, evicted = self.atlas.place(name, self.wanted, self._protected)
                if evicted is not None:
                    self.forget(evicted)
                if slot is None:
                    # No room was made for it; waiting would not help.
                    self.wanted.set_missing(name, is_missing=False)
                    return
            # Neighbours copied border voxels of what it was before.
            is_other = self._holes.pop(name, None) is not None or name in self._changed
            if holes is not None:
                self._holes[name] = holes
            self._send(name, self._encoder.make(name, chunk.data))
            self._activate(name, is_target=is_target)
            self.n_committed += 1
            if is_other:
                self._encoder.lend_again(name)
        self.wanted.set_missing(name, is_missing=False)
        self._changed.discard(name)
        # Without voxels, too: neighbours must not wait for what never comes.
        self._encoder.arrived(name)

    def _send(self, name: Name, texels: Texels) -> None:
        """Send a brick or parts of its border, and note what it holds now."""
        self._ranges[name], self._flags[name] = texels.range_word, texels.flags
        holes = self._holes.get(name)
        if holes is not None and holes.octants:
            # The bits tell of holes then, and not of what is empty.
            flags = texels.flags & NONFINITE
            self._flags[name] = flags | FAILED | holes.octants << OCTANTS
        # Overwritten in place: one queue, so a frame sees the old voxels or the new.
        if texels.data is not None:
            self.atlas.write(name, texels.data)
        for at, voxels in texels.parts:
            self.atlas.write(name, voxels, at)
        texture = self.atlas.texture(self.atlas.level_of(name))
        copy_parts(self._gpu.device, texture, name, texels.copies)

    def repair_borders(self, has_time: Callable[[], bool]) -> int:
        """Upload bricks whose neighbours have all arrived; return how many."""
        done = 0
        # They only improve a seam, so they end with the time slice.
        while self._encoder.is_due and has_time():
            name, held = self._encoder.next_due()
            if held is not None:
                self.accept(name, held)
            elif not self._mend(name):
                continue
            done += 1
        return done

    def _mend(self, name: Name) -> bool:
        """Give a brick the border that it lacks; tell whether anything was sent."""
        chunk = self._peek(name)
        texels = self._encoder.mend(name, None if chunk is None else chunk.data)
        if texels is None:
            return False
        self._send(name, texels)
        self._revalidate(name)
        return True

    @property
    def has_repairs(self) -> bool:
        """Whether bricks can be given their borders now."""
        return self._encoder.is_due

    # -- what is drawn -----------------------------------------------------------

    def retire(self) -> None:
        """Stop drawing what the plan replaced by something coarser that is here.

        Chunks finer than the plan stay drawn until the plan's own chunk at that
        place is; then they only wait in reserve.
        """
        # Constants have no slot, so no eviction ever removes them from the table.
        if len(self.idle) > 4 * len(self.wanted) + _MAX_IDLE:
            for name in list(self.idle):
                if self.table.value_of(name) & CONSTANT:
                    self.forget(name)
        self.stop_drawing(self._overdrawn.replaced(self._plan, self.wanted))

    def flush(self) -> None:
        """Send changed rows and bind replaced textures; call before drawing."""
        self._pages.send()
        # What was uploaded since the last plan; the next one finds it done.
        self.table.active.settle()
        for texture in filter(None, self.atlas.textures.values()):
            texture.residency.settle()
        if self._atlas_version != self.atlas.version:
            self._atlas_version = self.atlas.version
            self.material.textures = [
                placeholder_texture(self.format, s) if t is None else t.texture
                for s, t in self.atlas.textures.items()
            ]
            self.material.rebind()

    def take_reached(self) -> list[Name]:
        """Return the drawn chunks that rays reached since the last call.

        Waits for the frames drawn so far. Meaningful in modes whose material
        :attr:`~BrickMaterial.has_feedback`.
        """
        return self._pages.take_reached()

    @property
    def page_bytes_per_brick(self) -> float:
        """Page-table bytes sent for each brick that was committed."""
        return self._pages.n_bytes / max(1, self.n_committed)

    def forget_all(self) -> None:
        """Drop every brick but keep textures and pipeline (the data changed)."""
        for name in self.atlas.resident():
            self.atlas.drop(name)
        self.table.clear()
        self._ranges.clear()
        self._flags.clear()
        self._holes.clear()
        self._encoder.clear()
        # Emptied, so that the next plan counts as all new and requests all again.
        self.wanted.clear()
        self._plan = Wanted({})
        self._overdrawn.clear()
        self._protected = set()
        self._changed.clear()

    def counts(self) -> dict[str, int]:
        """Count the wanted chunks: wanted, loaded, missing (not stored), failed.

        Those with holes are loaded, and counted apart as damaged.
        """
        values = [self.table.value_of(name) for name in self.wanted]
        return {
            "wanted": len(values),
            "loaded": sum(name in self.atlas for name in self.wanted),
            "missing": sum(bool(v & CONSTANT) for v in values),
            "failed": sum(v & (DATA | FAILED) == FAILED for v in values),
            "damaged": sum(name in self._holes for name in self.wanted),
        }

    def release(self) -> None:
        """Release the memory of textures that hold no brick."""
        self.atlas.set_budget(0)
        self.make_room([0] * self.pyramid.n_levels)

    def destroy(self) -> None:
        """Release all GPU memory."""
        self.forget_all()
        self.atlas.destroy()
        self._pages.destroy()
