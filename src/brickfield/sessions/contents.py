"""What a session is made of, before it is written: values, and voxels by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from brickfield.scene import SceneState
from brickfield.sources import ChunkSource

Point = tuple[float, float, float]


@dataclass(frozen=True)
class Annotation:
    """A layer of points, shapes and so on.

    Attributes
    ----------
    name, type : str
        ``"points"``, ``"shapes"``, … as napari names them.
    data : object
        Arrays, lists of arrays, tuples and plain values.
    details : mapping
        Everything else that the layer is made with.
    position : int
        Among all layers; the first is drawn first.
    """

    name: str
    type: str
    data: Any
    details: Mapping[str, Any] = field(default_factory=dict)
    position: int = 0


@dataclass(frozen=True)
class SessionContents:
    """Everything that is saved.

    Attributes
    ----------
    scene : SceneState
    sources : mapping of int to ChunkSource
        By a layer's position in the scene: its voxels, where they are in memory or
        open already.
    channels : mapping of int to int or None
        Channel that such a layer shows; without an entry the scene's.
    channel_ids : mapping of int to int
        Number of a layer's channel in the program that has it; its position if not
        given.
    channel_extras : mapping of int to mapping
        Plain JSON values that are kept with a layer's channel.
    annotations : tuple of Annotation
    reference_position : tuple of float or None
        World, z, y, x.
    further : mapping
        Plain JSON values that are kept beside: detectors, overlays and so on.
    held : tuple
        Stores whose sources these are, kept open as long as this is.
    """

    scene: SceneState
    sources: Mapping[int, ChunkSource] = field(default_factory=dict)
    channels: Mapping[int, int | None] = field(default_factory=dict)
    channel_ids: Mapping[int, int] = field(default_factory=dict)
    channel_extras: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    annotations: tuple[Annotation, ...] = ()
    reference_position: Point | None = None
    further: Mapping[str, Any] = field(default_factory=dict)
    held: tuple[Any, ...] = ()


@dataclass(frozen=True)
class SessionOptions:
    """How a session is written.

    Attributes
    ----------
    name, description : str
    mode : {"reference", "embed"}
    version : {"0.5", "0.4"}
        Of OME-Zarr.
    chunk_zyx : tuple of int
    shard_zyx : tuple of int or None
    budget_bytes : int
        Memory for embedding.
    workers : int or None
        Threads; as many as cores if not given.
    overwrite : bool
    """

    name: str = ""
    description: str = ""
    mode: str = "reference"
    version: str = "0.5"
    chunk_zyx: tuple[int, int, int] = (64, 64, 64)
    shard_zyx: tuple[int, int, int] | None = None
    budget_bytes: int = 1 << 30
    workers: int | None = None
    overwrite: bool = False
