"""Pictures and movies as files.

:func:`encode` makes an MP4 that plays everywhere. The common format has colours at half
the resolution and therefore even sides: a picture with an odd side gets a black row or
column, it is never scaled.

:func:`write_png` writes a picture, and :func:`scene_of_png` reads the scene that it
knows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import (
    MissingExtraError,
    OptionError,
    SceneStateError,
    StoreNotFoundError,
    StoreWriteError,
)
from brickfield.model.secrets import hide_secrets
from brickfield.scene import SceneState
from brickfield.writing import usable_path, write_whole

QUALITY = 8
"""Of 10; a movie of 1080p takes about 1 MB a second."""
_DARK, _BRIGHT = (0, 0, 0, 255), (255, 210, 70, 255)


def mp4_problem() -> str:
    """Say in a sentence why no MP4 can be written; "" when one can."""
    try:
        import_module("imageio")
        import_module("imageio_ffmpeg").get_ffmpeg_exe()
    except (ImportError, RuntimeError, OSError) as error:
        return (
            "expected imageio and imageio-ffmpeg to write an MP4; found none that works"
            f" ({error}): pip install 'napari-brickfield[movie]'. The PNG frames are"
            " there"
        )
    return ""


def encode(
    files: Sequence[Path],
    place: Path,
    fps: float,
    *,
    cancelled: Callable[[], bool] | None = None,
) -> bool:
    """Write pictures as an MP4 (H.264), all of it or none.

    Parameters
    ----------
    files : sequence of Path
        PNG files of one size, in order.
    place : Path
    fps : float
    cancelled : callable, optional
        Asked before each frame.

    Returns
    -------
    bool
        False if it was cancelled.

    Raises
    ------
    MissingExtraError
        Without imageio-ffmpeg.
    StoreWriteError
        If there is no room or no right to write.
    """
    problem = mp4_problem()
    if problem:
        raise MissingExtraError(problem)
    partial = place.with_name(f".{place.stem}.partial.mp4")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        if not _encode(files, partial, fps, cancelled):
            return False
        partial.replace(place)
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error).partition("\n")[0]
        msg = (
            f"expected to write {place}; found: {reason}. The PNG frames are there:"
            " make room or allow it, then write the movie again"
        )
        raise StoreWriteError(msg) from error
    finally:
        partial.unlink(missing_ok=True)
    return True


def _encode(
    files: Sequence[Path],
    partial: Path,
    fps: float,
    cancelled: Callable[[], bool] | None,
) -> bool:
    import imageio_ffmpeg
    from PIL import Image

    def read(path: Path) -> NDArray[np.uint8]:
        with Image.open(path) as image:
            return padded(np.asarray(image.convert("RGBA")))

    height, width = read(files[0]).shape[:2]
    writer: Any = imageio_ffmpeg.write_frames(
        str(partial),
        (width, height),
        fps=fps,
        quality=QUALITY,
        pix_fmt_in="rgb24",
        pix_fmt_out="yuv420p",
        macro_block_size=2,
        ffmpeg_log_level="error",
        output_params=["-movflags", "+faststart"],
    )
    writer.send(None)
    try:
        for path in files:
            if cancelled is not None and cancelled():
                return False
            writer.send(np.ascontiguousarray(read(path)))
    finally:
        writer.close()
    # The encoder is another program, which does not say how it ended.
    n_written, _ = imageio_ffmpeg.count_frames_and_secs(str(partial))
    if n_written != len(files):
        msg = f"the encoder stopped after {n_written} of {len(files)} frames"
        raise OSError(msg)
    return True


def padded(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture on black with even sides.

    Parameters
    ----------
    image : ndarray, shape (h, w, 4), uint8
        Straight alpha.

    Returns
    -------
    ndarray, shape (even h, even w, 3), uint8
    """
    alpha = image[..., 3:].astype(np.uint16)
    flat = ((image[..., :3] * alpha + 127) // 255).astype(np.uint8)
    height, width = image.shape[:2]
    return np.pad(flat, ((0, height % 2), (0, width % 2), (0, 0)))


def mark_incomplete(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture, shape (h, w, 4), that says in its corner that it is not complete."""
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.fromarray(image.copy())
    size = max(10, image.shape[0] // 36)
    gap, edge = size // 3, max(1, image.shape[0] // 36)
    brush, font = ImageDraw.Draw(picture), ImageFont.load_default(size)
    place = (edge + gap, edge)
    left, top, right, bottom = brush.textbbox(place, "incomplete", font=font)
    brush.rectangle((left - gap, top - gap, right + gap, bottom + gap), fill=_DARK)
    brush.text(place, "incomplete", font=font, fill=_BRIGHT)
    return np.asarray(picture)


SCENE_KEY = "brickfield-scene"
"""Keyword of the scene document in a picture's texts."""
_MOST_SCENE_BYTES = 16 << 20


def scene_of_png(path: Path) -> SceneState:
    """Return the scene that a picture was drawn of.

    Parameters
    ----------
    path : Path
        A PNG that this program wrote.

    Raises
    ------
    StoreNotFoundError
        When there is no such file.
    SceneStateError
        When it is no PNG, or says nothing of its scene.
    """
    from PIL import Image

    try:
        with Image.open(path, formats=["PNG"]) as picture:
            # What comes after the pixels is read by loading alone.
            text = getattr(picture, "text", {}).get(SCENE_KEY)
    except FileNotFoundError as error:
        msg = f"expected a picture at {path}; found nothing"
        raise StoreNotFoundError(msg) from error
    except (OSError, ValueError, SyntaxError) as error:
        msg = f"expected a PNG picture in {path}; found none that can be read"
        raise SceneStateError(msg) from error
    if text is None or len(text) > _MOST_SCENE_BYTES:
        msg = (
            f"expected a picture that knows its scene, as this program draws them; found"
            f" that {path} does not"
        )
        raise SceneStateError(msg)
    try:
        return SceneState.from_json(str(text))
    except SceneStateError as error:
        msg = f"{path}: {error}"
        raise SceneStateError(msg) from error


def write_png(
    path: Path, image: NDArray[np.uint8], notes: Mapping[str, str] | None = None
) -> None:
    """Write a picture, shape (h, w, 4), uint8, sRGB; without alpha when opaque.

    The file is there when all of it is written, and not before.

    Parameters
    ----------
    path : Path
    image : ndarray
    notes : mapping, optional
        Texts that the file says of itself, by keyword (PNG's ``Description``, …).

    Raises
    ------
    OptionError
        If there is no room or no right to write.
    """
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    is_opaque = bool((image[..., 3] == 255).all())
    info = PngInfo()
    for keyword, text in (notes or {}).items():
        info.add_itxt(keyword, hide_secrets(text))
    picture = Image.fromarray(image[..., :3].copy() if is_opaque else image)
    try:
        write_whole(
            usable_path(path),
            lambda file: picture.save(file, format="PNG", pnginfo=info),
        )
    except StoreWriteError as error:
        raise OptionError(str(error)) from error
