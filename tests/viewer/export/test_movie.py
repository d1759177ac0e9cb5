"""A movie is written frame by frame, goes on where it stopped, and says what it is."""

import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import zarr
from PIL import Image

from brickfield.camera import KeyFrame
from brickfield.errors import OptionError, StoreWriteError
from brickfield.model import CameraState
from brickfield.sources import open_source
from brickfield.viewer.export import movie as movies
from brickfield.viewer.export.movie import Movie, MovieOptions, write_movie

CAMERA = CameraState((-9.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, -1.0, 0.0), (21, 15))


def frames_of(n):
    return tuple(KeyFrame(replace(CAMERA, fov=20.0 + i), time=i) for i in range(n))


class Painter:
    """Draws a frame of one gray value; some frames are not complete."""

    def __init__(self, incomplete=(), size=(21, 15)):
        self.incomplete = set(incomplete)
        self.size = size
        self.drawn = []

    def __call__(self, camera, index, timeout_s):
        self.drawn.append(index)
        image = np.full((self.size[1], self.size[0], 4), 255, np.uint8)
        image[..., :3] = round(camera.fov) * 4
        complete = index not in self.incomplete
        share = np.float32(1.0 if complete else 0.5)
        return image, complete, {"pixels": {"at_target": share}, "timeout": timeout_s}


@contextmanager
def image_at(folder):
    """Yield the open source of a stored image."""
    array = zarr.create_array(
        folder / "a.zarr", shape=(8, 8, 8), chunks=(4, 8, 8), dtype="u1"
    )
    array[:] = 1
    source = open_source(str(folder / "a.zarr"))
    yield source
    source.close()


def record(folder):
    return json.loads((folder / "frames.json").read_text())


def test_every_frame_is_a_picture_and_has_an_entry(tmp_path):
    seen = []
    result = write_movie(
        Movie(frames_of(4), fps=5),
        tmp_path / "new" / "folder",
        Painter(incomplete=[2]),
        MovieOptions(timeout_s=7),
        on_progress=lambda *p: seen.append(p),
    )
    assert (result.n_frames, result.n_incomplete, result.mp4) == (4, 1, None)
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    with Image.open(result.folder / "frame_00003.png") as picture:
        assert picture.size == (21, 15)
        assert picture.getpixel((0, 0)) == (92, 92, 92, 255)
    told = record(result.folder)
    assert told["complete"] is False
    assert [f["complete"] for f in told["frames"]] == [True, True, False, True]
    assert told["frames"][2]["info"] == {"pixels": {"at_target": 0.5}, "timeout": 7}
    assert told["frames"][2]["waited_s"] >= 0
    assert told["size"] == [21, 15]


def test_a_cancelled_movie_goes_on_where_it_stopped(tmp_path):
    movie, first, second = Movie(frames_of(5)), Painter(), Painter()
    result = write_movie(
        movie, tmp_path, first, cancelled=lambda: len(first.drawn) == 2
    )
    assert result.is_cancelled
    assert result.n_frames == 2
    assert record(tmp_path)["complete"] is False
    result = write_movie(movie, tmp_path, second)
    assert second.drawn == [2, 3, 4]
    assert not result.is_cancelled
    assert record(tmp_path)["complete"] is True


def test_frames_that_were_not_complete_or_are_gone_are_drawn_again(tmp_path):
    movie, again = Movie(frames_of(4)), Painter()
    write_movie(movie, tmp_path, Painter(incomplete=[1]))
    (tmp_path / "frame_00003.png").unlink()
    result = write_movie(movie, tmp_path, again)
    assert again.drawn == [1, 3]
    assert result.n_incomplete == 0


def test_a_drawing_that_fails_keeps_what_was_written(tmp_path):
    painter = Painter()

    def draw(camera, index, timeout_s):
        if index == 2:
            msg = "the graphics card was lost"
            raise RuntimeError(msg)
        return painter(camera, index, timeout_s)

    with pytest.raises(RuntimeError, match="lost"):
        write_movie(Movie(frames_of(4)), tmp_path, draw)
    assert len(record(tmp_path)["frames"]) == 2


def test_another_movie_in_the_folder_is_only_replaced_when_asked(tmp_path):
    write_movie(Movie(frames_of(3)), tmp_path, Painter())
    (tmp_path / "notes.txt").write_text("mine")
    other = Movie(frames_of(3), scene="another colour")
    with pytest.raises(OptionError, match="found another movie of 3 frames"):
        write_movie(other, tmp_path, Painter())
    painter = Painter()
    write_movie(other, tmp_path, painter, MovieOptions(overwrite=True))
    assert painter.drawn == [0, 1, 2]
    assert (tmp_path / "notes.txt").exists()


def test_another_speed_is_the_same_movie(tmp_path):
    write_movie(Movie(frames_of(2), fps=5), tmp_path, Painter())
    painter = Painter()
    write_movie(Movie(frames_of(2), fps=50), tmp_path, painter)
    assert painter.drawn == []
    assert record(tmp_path)["fps"] == 50


@pytest.mark.parametrize("text", ["{", "[]", '{"version": 1}', '{"version": 9}'])
def test_a_broken_record_is_begun_anew(tmp_path, text):
    (tmp_path / "frames.json").write_text(text)
    painter = Painter()
    write_movie(Movie(frames_of(2)), tmp_path, painter)
    assert painter.drawn == [0, 1]


def test_frames_of_different_sizes_are_refused(tmp_path):
    write_movie(Movie(frames_of(2)), tmp_path, Painter(incomplete=[1]))
    with pytest.raises(OptionError, match=r"\(21, 15\) pixels.*frame 1 of \(30, 20\)"):
        write_movie(Movie(frames_of(2)), tmp_path, Painter(size=(30, 20)))


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreWriteError, match="to make the folder"):
        write_movie(Movie(frames_of(1)), tmp_path / "file" / "folder", Painter())
    (tmp_path / "frame_00000.png").mkdir()
    (tmp_path / "frame_00000.png" / "x").mkdir()
    with pytest.raises(StoreWriteError, match=r"frame_00000\.png; found: .*directory"):
        write_movie(Movie(frames_of(1)), tmp_path, Painter())


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files")
def test_a_full_disk_is_said_so_and_what_was_written_stays(tmp_path):
    code = f"""
import resource, signal, sys
from pathlib import Path
import numpy as np
sys.path.insert(0, {str(__file__.rsplit("/", 1)[0])!r})
from test_movie import Movie, frames_of, write_movie, StoreWriteError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
def draw(camera, index, timeout_s):
    if index == 2:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 4), np.uint8)
    return (noise if index == 2 else noise * 0), True, {{}}
try:
    write_movie(Movie(frames_of(4)), Path({str(tmp_path)!r}), draw)
except StoreWriteError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60
    )
    assert "frame_00002.png; found: File too large: make room" in done.stdout
    assert sorted(p.name for p in tmp_path.glob("*.p*")) == [
        "frame_00000.png",
        "frame_00001.png",
    ]
    assert len(record(tmp_path)["frames"]) == 2


# imageio's reader leaves the pipes of the decoder open.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_mp4_has_every_frame(tmp_path):
    import imageio.v3 as iio

    result = write_movie(
        Movie(frames_of(6), fps=12),
        tmp_path / "frames",
        Painter(),
        MovieOptions(mp4=tmp_path / "out" / "movie.mp4"),
    )
    assert result.mp4 == tmp_path / "out" / "movie.mp4"
    assert result.problem == ""
    video = iio.imread(result.mp4)
    assert video.shape == (6, 16, 22, 3)
    assert iio.immeta(result.mp4)["fps"] == 12
    np.testing.assert_allclose(
        video[:, 7, 10, 0], [80 + 4 * i for i in range(6)], atol=6
    )
    # the sides that were made even are black
    assert video[:, 15, :20].max() < 40
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["movie.mp4"]


def test_without_the_encoder_the_frames_are_written_and_it_is_said(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(movies, "mp4_problem", lambda: "pip install this")
    result = write_movie(
        Movie(frames_of(2)), tmp_path, Painter(), MovieOptions(mp4=tmp_path / "m.mp4")
    )
    assert result.problem == "pip install this"
    assert result.n_frames == 2
    assert not (tmp_path / "m.mp4").exists()


def test_an_incomplete_frame_is_marked_only_when_asked(tmp_path):
    size = {"size": (200, 120)}
    for marks, name in ((False, "plain"), (True, "marked")):
        write_movie(
            Movie(frames_of(2)),
            tmp_path / name,
            Painter(incomplete=[1], **size),
            MovieOptions(marks_incomplete=marks),
        )
    for index, differs in ((0, False), (1, True)):
        pictures = []
        for name in ("plain", "marked"):
            with Image.open(tmp_path / name / f"frame_0000{index}.png") as picture:
                pictures.append(np.asarray(picture))
        assert (pictures[0] != pictures[1]).any() == differs


@pytest.mark.parametrize("place", ["a.zarr", "a.zarr/c/0", "a.zarr/new"])
def test_frames_are_never_written_among_the_data(tmp_path, place):
    with image_at(tmp_path) as source:
        before = sorted(tmp_path.rglob("*"))
        options = MovieOptions(sources=(source,), overwrite=True)
        with pytest.raises(OptionError, match="never over it"):
            write_movie(Movie(frames_of(2)), tmp_path / place, Painter(), options)
    assert sorted(tmp_path.rglob("*")) == before


def test_an_mp4_is_never_written_over_the_data(tmp_path):
    with image_at(tmp_path) as source:
        chunk = next(p for p in (tmp_path / "a.zarr" / "c").rglob("*") if p.is_file())
        before = chunk.read_bytes()
        options = MovieOptions(mp4=chunk, sources=(source,))
        with pytest.raises(OptionError, match="never over it"):
            write_movie(Movie(frames_of(2)), tmp_path / "f", Painter(), options)
    assert chunk.read_bytes() == before
    assert not (tmp_path / "f").exists()


def test_frames_may_lie_beside_the_data(tmp_path):
    with image_at(tmp_path) as source:
        options = MovieOptions(sources=(source,))
        write_movie(Movie(frames_of(2)), tmp_path, Painter(), options)
    assert (tmp_path / "frame_00001.png").is_file()


def test_a_record_never_has_files_removed_that_are_no_frames(tmp_path):
    """Whoever wrote ``frames.json``, only frames of a movie are taken away."""
    write_movie(Movie(frames_of(2)), tmp_path, Painter())
    (tmp_path / "data.tif").write_bytes(b"data")
    told = record(tmp_path)
    told["frames"][1]["file"] = "data.tif"
    (tmp_path / "frames.json").write_text(json.dumps(told))
    options = MovieOptions(overwrite=True)
    write_movie(Movie(frames_of(3)), tmp_path, Painter(), options)
    assert (tmp_path / "data.tif").read_bytes() == b"data"


def test_what_is_no_movie_is_refused():
    with pytest.raises(OptionError, match="at least one frame"):
        Movie(())
    with pytest.raises(OptionError, match="1000 a second"):
        Movie(frames_of(1), fps=0)


def test_a_movie_is_known_by_what_it_shows():
    movie = Movie(frames_of(3))
    assert movie.signature == Movie(frames_of(3), fps=1).signature
    assert movie.seconds == pytest.approx(3 / 25)
    other = (*frames_of(2), KeyFrame(CAMERA, 2, {"lut": np.arange(2000)}))
    changed = (*frames_of(2), KeyFrame(CAMERA, 2, {"lut": np.arange(2000) + 1}))
    signatures = {Movie(f).signature for f in (frames_of(3), other, changed)}
    assert len(signatures) == 3
