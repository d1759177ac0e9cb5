"""One layer in one view: the chunks it needs, has and draws.

Order of one frame: :meth:`LayerRenderer.sync` (a snapshot), :meth:`take_plan` when
the camera or the layer changed, :meth:`upload` within the time slice,
:meth:`prepare` before drawing. Two views of one layer have two renderers that
share nothing but the RAM cache. Thread rule: render thread only.

A new time point is loaded beside the shown one and takes its place when it is
complete, so that stepping through time shows no blank or coarse picture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import count

import numpy as np
import pygfx as gfx
from numpy.typing import NDArray

from brickfield.gpu import (
    SLICE,
    BrickMaterial,
    BrickSet,
    BrickVolume,
    GpuDevice,
    Name,
    TextureFormat,
    format_of_look,
    label_table,
)
from brickfield.model import CameraState, Plane, Selection
from brickfield.model.appearance import Appearance
from brickfield.model.requests import ChunkFailure, LoadedChunk, distinct
from brickfield.planning import FramePlan, LodPolicy, PlanRequest
from brickfield.rendering.changed_bricks import ChangedBricks
from brickfield.rendering.clipping import clip_planes_of
from brickfield.rendering.frame_uniforms import FrameOptions, write_frame, write_look
from brickfield.rendering.mending import Mender
from brickfield.rendering.requests import (
    Motion,
    SelectedKeys,
    UploadQueue,
    either,
    needed_of,
    request_for_slice,
    requests_for,
    wanted_and_ended,
    wanted_of,
)
from brickfield.rendering.visibility_feedback import OcclusionFeedback
from brickfield.store import LayerSnapshot

_ids = count()


class LayerRenderer:
    """Draws one layer in one view and owns everything of it on the GPU.

    Parameters
    ----------
    layer : LayerSnapshot
        As it is at first; later ones come with :meth:`sync`.
    gpu : GpuDevice
    budget_bytes : int
        GPU bytes at first; the view's manager moves it between layers.
    plane : Plane, optional
        The slice that the view shows in place of the volume; may be changed.
    """

    def __init__(
        self,
        layer: LayerSnapshot,
        gpu: GpuDevice,
        budget_bytes: int,
        plane: Plane | None = None,
    ) -> None:
        self.layer = layer
        """The snapshot that is drawn."""
        self.plane = plane
        self.visual_id = f"layer-{next(_ids)}"
        self._gpu = gpu
        self.plan: FramePlan | None = None
        self._based_plan: FramePlan | None = None
        self.shown: tuple[Selection, ...] = ()
        self.is_hurried = False
        """Whether a new time point is shown as soon as its overview is there."""
        self.damaged: dict[Name, tuple[ChunkFailure, ...]] = {}
        """What could not be read of chunks that failed or have holes, by name."""
        self._substitutes: set[Name] = set()
        self._is_moving = False
        self._motion = Motion()
        self._feedback: OcclusionFeedback | None = None
        self.wants_plan = False
        """Set when the plan has to be taken again although the camera rests."""
        self.upload_queue = UploadQueue(self.visual_id)
        self._changed = ChangedBricks(layer.store)
        self._build(budget_bytes)

    def _build(self, budget_bytes: int) -> None:
        self._has_lut = False
        look, pyramid = self.layer.appearance, self.layer.pyramid
        fmt = self._format_of(look)
        material = BrickMaterial(*self._program(look))
        material.set_format(fmt)
        self.format = fmt
        self.bricks = BrickSet(
            pyramid, fmt, budget_bytes, self._gpu, material, peek=self._peek
        )
        value_of = self.bricks.table.value_of
        self._mender = Mender(pyramid, peek=self._peek, value_of=value_of)
        self.volume = BrickVolume(material)

    def _format_of(self, look: Appearance) -> TextureFormat:
        has_norm16, dtype = self._gpu.has_norm16, self.layer.pyramid.dtype
        return format_of_look(dtype, look, has_norm16=has_norm16)

    def _program(self, look: Appearance) -> tuple[str, str, int, str]:
        is_slice = self.plane is not None
        mode = SLICE if is_slice else look.mode
        filtering = look.interpolation_in(is_slice=is_slice)
        extra = look.lighting.program_of(mode, is_labels=look.is_labels)
        return mode, filtering, len(look.channels), extra

    def _peek(self, name: Name) -> LoadedChunk | None:
        selection = self.bricks.atlas.selection_of(name[0])
        return self.layer.loader.peek(selection, name[1])

    def sync(self, layer: LayerSnapshot) -> set[str]:
        """Draw another snapshot of the layer: do the work it requires, and name it.

        Parameters
        ----------
        layer : LayerSnapshot
            Of the same layer as the one before.

        Returns
        -------
        set of str
            Out of ``"rebuild"`` (geometry: everything again), ``"grown"`` (axes got
            longer), ``"residency"`` (data: bricks forgotten, textures kept), ``"chunks"``
            (some come again) and ``"lut"`` (colours rewritten). Empty without a change.
        """
        done: set[str] = set()
        before, self.layer, look = self.layer.versions, layer, layer.appearance
        is_told_apart = all(self.format.resolves(c.contrast) for c in look.channels)
        is_other = layer.versions.geometry != before.geometry
        if is_other or not (is_told_apart or self.format == self._format_of(look)):
            self.bricks.destroy()
            self._build(self.bricks.atlas.budget_bytes)
            self.shown = ()
            self._forget()  # chunks of another grid have the same names
            done.add("rebuild")
        if layer.pyramid != self.bricks.pyramid:
            self.bricks.grow(layer.pyramid)
            self._mender.pyramid, self._feedback = layer.pyramid, None
            done.add("grown")
        if layer.versions.data != before.data:
            self._forget()
            done.add("residency")
        is_recoloured = layer.versions.colormap != before.colormap
        if is_recoloured or done or not self._has_lut:
            self._write_lut(layer.appearance)
            done.add("lut")
        if self._renew_changed():
            done.add("chunks")
        self.bricks.material.set_program(*self._program(layer.appearance))
        return done

    def _renew_changed(self) -> bool:
        """Request the chunks again that were marked as changed in the store."""
        self.wants_plan |= self._changed.is_other_coarse()
        names = self._changed.renew(self.bricks, self.plan)
        if names is None:
            self._forget()
        elif names:
            self.upload_queue.clear()  # its chunks may be old; a new plan requests them again
            self.wants_plan = True
            for name in names & self.damaged.keys():
                del self.damaged[name]
                self._mender.forget(name)
        return names is None or bool(names)

    def _forget(self) -> None:
        self.bricks.forget_all()
        self.upload_queue.clear()
        self.plan = self._feedback = None
        self._substitutes.clear()
        self.damaged.clear()
        self._mender.clear()

    def release_gpu_memory(self) -> None:
        """Release the GPU memory for other layers while this one is hidden."""
        self._forget()
        self.bricks.release()

    def _write_lut(self, look: Appearance) -> None:
        self._has_lut = True
        material = self.bricks.material
        if look.is_labels:
            material.set_labels(label_table(look, self.format))
        lut = np.stack([c.lut for c in look.channels])
        if material.lut.size[:2] == (256, len(lut)):
            material.lut.data[:] = lut
            material.lut.update_full()
        else:
            material.lut = gfx.Texture(np.ascontiguousarray(lut), dim=2)
            material.rebind()

    def plan_request(
        self, camera: CameraState, policy: LodPolicy, *, is_moving: bool
    ) -> PlanRequest:
        """Return what the layer requires of the next plan."""
        look, plane = self.layer.appearance, self.plane
        n = len(look.channels)
        request = PlanRequest(
            pyramid=self.bricks.pyramid,
            world=self.layer.world,
            camera=camera,
            brick_bytes=tuple(n * lay.slot_bytes for lay in self.bricks.atlas.layouts),
            policy=self._changed.policy(policy),
            clip_planes=clip_planes_of(look),
            occupancy=self.layer.store.occupancy,
            hidden=either(
                None if self._feedback is None else self._feedback.hidden,
                self._changed.hidden(camera, self.plan),
            ),
            previous=self.plan,
            is_moving=is_moving,
        )
        if plane is None:
            return request
        filtering = look.interpolation_in(is_slice=True)
        is_linear = filtering == "linear" and not self.format.is_integer
        return request_for_slice(request, plane, is_linear=is_linear)

    def fits(self, plan: FramePlan) -> bool:
        """Make room for a plan's bricks; tell whether there is enough."""
        n_levels = self.bricks.pyramid.n_levels
        need = np.bincount(plan.levels, minlength=n_levels)
        need *= len(self.layer.appearance.channels)
        extra = [self.bricks.atlas.level_of(n) for n in self._substitutes]
        need += np.bincount(extra, minlength=n_levels).astype(need.dtype)
        if not self.bricks.can_hold(need.tolist()):
            return False
        both = need + self._held_over(n_levels)
        has_spare = self.bricks.can_hold(both.tolist())
        self.bricks.make_room((both if has_spare else need).tolist())
        return self.bricks.atlas.has_room(need.tolist())

    def _held_over(self, n_levels: int) -> NDArray[np.int64]:
        """Count the bricks of the shown time point while another one is loaded."""
        atlas = self.bricks.atlas
        coming = {atlas.plane_of(s) for s in self.layer.selections}
        if not self.bricks.table.planes - coming:
            return np.zeros(n_levels, dtype=np.int64)
        levels = [
            atlas.level_of(name)
            for name in self.bricks.table.active
            if name[0] not in coming and name in atlas
        ]
        return np.bincount(levels, minlength=n_levels).astype(np.int64)

    def take_plan(self, plan: FramePlan, asked: PlanRequest) -> None:
        """Set what a plan names, and request what is not resident."""
        self.plan, self._is_moving = plan, asked.is_moving
        self.wants_plan = False
        layer, atlas = self.layer, self.bricks.atlas
        if atlas.has_all_planes:
            # Thousands of time points later: start over rather than mix them up.
            self.bricks.forget_all()
            atlas.forget_planes()
            self.shown = ()
        selections = layer.selections
        if not self.shown or len(self.shown) != len(selections):
            self.shown = selections
        planes = [atlas.plane_of(s) for s in selections]
        self.bricks.want(wanted_of(plan, planes, self._substitutes), has_room=True)
        self._changed.take_plan(self.bricks, plan, asked.camera)
        # Before anything is requested: reading threads share the interpreter with this.
        self.bricks.retire()
        is_settled = not self.bricks.missing and self.shown == selections
        # Drawn chunks that something on its way still needs go last.
        self.bricks.protect(() if is_settled else self.bricks.idle)
        # Tiles in a hand are what the eye follows, wherever they are.
        is_held = self._changed.stays_coarse is None
        requests = requests_for(
            plan,
            self.bricks.missing,
            dict(zip(planes, selections, strict=True)),
            visual_id=self.visual_id,
            data_version=layer.versions.data,
            held=self._motion.held_rows(plan, asked, is_held=is_held),
        )
        layer.loader.request_chunks(requests, self.visual_id)
        # Found while reading threads wait, for those who ask later.
        _ = self.has_base

    @property
    def can_use_feedback(self) -> bool:
        """Whether knowing what rays reach could improve a finished picture."""
        plan = self.plan
        return (
            plan is not None
            and self.bricks.material.has_feedback
            and (plan.is_coarsened or self._feedback is not None)
            and self.is_complete
        )

    def apply_occlusion_feedback(self) -> bool:
        """Read back which chunks rays reached; return whether the plan may improve.

        Only where the budget stopped refinement and the front can hide the back.
        The next plan then gives the slots of hidden chunks away.
        """
        if not self.can_use_feedback:
            return False
        feedback = OcclusionFeedback(
            self.bricks.pyramid, self.bricks.table, self.bricks.take_reached()
        )
        known = self._feedback
        if known is not None and np.array_equal(known.keys, feedback.keys):
            return False
        self._feedback = feedback
        self.wants_plan = True
        return True

    def upload(self, has_time: Callable[[], bool]) -> int:
        """Take arrived chunks to the GPU while there is time; return how many."""
        manager, n = self.layer.loader, 0
        self.upload_queue.begin()
        while has_time():
            chunk = self.upload_queue.next(manager)
            if chunk is None:
                break
            name = (self.bricks.atlas.plane_of(chunk.selection), chunk.key)
            # A new plan requests again what waits in the upload queue.
            if name in self.bricks.missing:
                n += self._accept(name, chunk)
        n += self.bricks.repair_borders(has_time)
        return n

    def _accept(self, name: Name, chunk: LoadedChunk) -> bool:
        """Draw a chunk, or coarser data in its place; tell whether that is done now."""
        is_drawn = True
        if chunk.is_whole:
            if self.damaged.pop(name, None):
                self._mender.forget(name)
            # The overview is shown at once, and in motion neighbours may never come.
            at_once = self._is_moving or not self.has_base
            is_drawn = self.bricks.offer(name, chunk, at_once=at_once)
        else:
            self.damaged[name] = chunk.failures
            if chunk.data is None:
                self.bricks.accept(name, chunk)
                self._substitute(
                    (name[0], k) for k in self.bricks.table.parents_of(name[1])
                )
            else:
                self._accept_mended(name, chunk)
        for other in self._mender.waiting_for(name):
            damaged = self._peek(other)
            if damaged is not None and damaged.holes:
                self._accept_mended(other, damaged)
        return is_drawn

    def _accept_mended(self, name: Name, chunk: LoadedChunk) -> None:
        """Draw a chunk with holes, filled from coarser levels."""
        mended = self._mender.mend(name, chunk)
        # For all who borrow voxels from it or show it too.
        self.layer.loader.replace(mended.chunk)
        self.bricks.accept(name, mended.chunk, mended.holes)
        for wish in (mended.wishes & self.bricks.wanted.keys()) - self.bricks.missing:
            # Drawn already, but no longer in memory.
            self.bricks.expect(wish)
            self.wants_plan = True
        self._substitute(mended.wishes)

    @property
    def failures(self) -> list[ChunkFailure]:
        """What could not be read, each storage chunk once."""
        return distinct(self.failures_by_chunk)

    @property
    def failures_by_chunk(self) -> list[ChunkFailure]:
        """What could not be read, once for each chunk over it."""
        return [failure for found in self.damaged.values() for failure in found]

    def _substitute(self, names: Iterable[Name]) -> None:
        """Add coarser chunks over what could not be read."""
        fresh = {name for name in names if name not in self.bricks.wanted}
        if fresh - self._substitutes and len(self._substitutes) < 256:
            self._substitutes |= fresh
            self.wants_plan = True

    @property
    def is_complete(self) -> bool:
        """Whether every wanted chunk is drawn, constant or failed permanently."""
        return (
            self.plan is not None
            and not self.wants_plan
            and not self.bricks.missing
            and not self.bricks.has_repairs
        )

    def retry_failed(self) -> int:
        """Request again what could not be read; return how many storage chunks."""
        n, failures = len(self.failures), list(self.damaged.items())
        for name, _ in failures:
            if name not in self.bricks.atlas:
                self.bricks.forget(name)
            elif name in self.bricks.wanted:
                # It stays on show until it comes again.
                self.bricks.expect(name)
            self._mender.forget(name)
        self.damaged.clear()
        self._substitutes.clear()
        # What has ended is in no request any more: the loader is told by name.
        taken = [failure for _, found in failures for failure in found]
        self.layer.loader.retry_failed(self.visual_id, taken)
        self.wants_plan = bool(failures)
        return n

    def chunk_counts(self) -> dict[str, int]:
        """Count the wanted chunks: wanted, loaded, missing (not stored), failed."""
        return self.bricks.counts()

    def needed(self, *, is_ended: bool = False) -> list[SelectedKeys]:
        """List what the picture needs in the end, or what of it is here already."""
        if self.plan is None:
            return []
        planes = {self.bricks.atlas.plane_of(s): s for s in self.layer.selections}
        absent = self.bricks.missing if is_ended else frozenset()
        return needed_of(self.plan, planes, self._substitutes, absent)

    def storage_counts(self) -> dict[str, int]:
        """Count the storage chunks under the wanted chunks, each once; as above."""
        wanted, ended = wanted_and_ended(self.bricks)
        damaged = self.damaged.keys() & self.bricks.wanted.keys()
        failures = [failure for name in damaged for failure in self.damaged[name]]
        manager = self.layer.loader
        return manager.storage_counts(wanted, ended, failures)

    @property
    def has_base(self) -> bool:
        """Whether the coarsest level is drawn, constant or failed permanently.

        For another time point that is about to be shown it takes more: all that the
        plan names of the base level and coarser ones.
        """
        plan = self.plan
        if plan is None or plan is self._based_plan:
            return plan is not None
        is_other = self.shown and self.shown != self.layer.selections
        keys = plan.overview_keys if is_other else plan.base_keys
        if not keys:
            return self.is_complete
        active = self.bricks.table.active
        planes = [self.bricks.atlas.plane_of(s) for s in self.layer.selections]
        # One by one: whole-array operations hand the interpreter to threads that read.
        is_there = all((plane, key) in active for plane in planes for key in keys)
        if is_there:
            # It stays: nothing wanted is evicted.
            self._based_plan = plan
        return is_there

    def prepare(self, camera: CameraState, options: FrameOptions) -> None:
        """Bring table, bindings and uniforms up to date for one frame."""
        self.volume.visible = self.layer.visible
        if not self.layer.visible:
            # It may never have been planned.
            return
        selections = self.layer.selections
        is_ready = self.is_complete or (self.is_hurried and self.has_base)
        if self.shown != selections and is_ready:
            self.bricks.stop_drawing(list(self.bricks.idle))
            self.shown = selections
        self.bricks.retire()
        self.bricks.flush()
        volume = self.volume
        coarser = options.coarser if self.plan and self.plane is None else 0
        finest = self.plan.finest[0] + coarser if self.plan and coarser else 0
        # Before its first plan it shows nothing yet, but it can be drawn.
        shown = self.shown or selections
        planes = [self.bricks.atlas.plane_of(s) for s in shown]
        write_look(volume, self.layer.appearance, self.format, planes)
        write_frame(
            volume,
            self.bricks,
            camera,
            self.layer.world,
            self.layer.appearance,
            replace(options, plane=self.plane, finest_level=finest),
        )

    def destroy(self) -> None:
        """Give everything back; the renderer cannot be used afterwards."""
        self.layer.loader.release(self.visual_id)
        self.bricks.destroy()
