"""The scene document: what two people must share to see the same."""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.scene.document import SceneCamera as SceneCamera
    from brickfield.scene.document import SceneClipPlane as SceneClipPlane
    from brickfield.scene.document import SceneExploration as SceneExploration
    from brickfield.scene.document import SceneLayer as SceneLayer
    from brickfield.scene.document import SceneLevelOfDetail as SceneLevelOfDetail
    from brickfield.scene.document import SceneLight as SceneLight
    from brickfield.scene.document import ScenePlane as ScenePlane
    from brickfield.scene.document import SceneSource as SceneSource
    from brickfield.scene.document import SceneSpace as SceneSpace
    from brickfield.scene.document import SceneState as SceneState
    from brickfield.scene.document import SceneViews as SceneViews
    from brickfield.scene.document import problem_of as problem_of
    from brickfield.scene.file import read_scene as read_scene
    from brickfield.scene.file import write_scene as write_scene
    from brickfield.scene.link import MOST_BYTES as MOST_BYTES
    from brickfield.scene.link import Link as Link
    from brickfield.scene.link import is_link as is_link
    from brickfield.scene.link import link_of as link_of
    from brickfield.scene.link import state_of_link as state_of_link

__all__ = [
    "MOST_BYTES",  # Of the document in a link, and characters of a link.
    "Link",  # A scene as a text.
    "SceneCamera",
    "SceneClipPlane",
    "SceneExploration",
    "SceneLayer",
    "SceneLevelOfDetail",
    "SceneLight",
    "ScenePlane",
    "SceneSource",
    "SceneSpace",
    "SceneState",  # The document. Make one from text with :meth:`from_json`.
    "SceneViews",
    "is_link",  # Whether a text says that it is a link to a scene.
    "link_of",  # Make the link to a scene.
    "problem_of",  # Say of the first problem where it is, what was expected and what was found.
    "read_scene",  # Read a document; relative places become absolute ones.
    "state_of_link",  # Read a link.
    "write_scene",  # Write a document completely or not at all; data beside it are named relative to it.
]

_HOME = {
    "Link": "link",
    "MOST_BYTES": "link",
    "SceneCamera": "document",
    "SceneClipPlane": "document",
    "SceneExploration": "document",
    "SceneLayer": "document",
    "SceneLevelOfDetail": "document",
    "SceneLight": "document",
    "ScenePlane": "document",
    "SceneSource": "document",
    "SceneSpace": "document",
    "SceneState": "document",
    "SceneViews": "document",
    "is_link": "link",
    "link_of": "link",
    "problem_of": "document",
    "read_scene": "file",
    "state_of_link": "link",
    "write_scene": "file",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
