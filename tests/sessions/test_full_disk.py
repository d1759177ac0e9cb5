"""A save that finds no room leaves the session of before, and nothing else."""

import subprocess
import sys

import pytest

from brickfield.scene import write_scene

SAVE = """
import resource, sys
from brickfield.errors import StoreWriteError
from brickfield.scene import read_scene
from brickfield.sessions import SessionManager
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
try:
    SessionManager(sys.argv[2]).save_session(
        read_scene(sys.argv[1]), "s", mode=sys.argv[4], overwrite=True)
except StoreWriteError as error:
    print(error)
"""


@pytest.mark.parametrize(("mode", "room"), [("embed", 20_000), ("reference", 1_500)])
def test_a_disk_without_room_leaves_the_old_session(
    manager, scene, tmp_path, mode, room
):
    write_scene(scene, tmp_path / "scene.json")
    path = manager.save_session(scene, "s", "before")
    command = [
        sys.executable,
        "-c",
        SAVE,
        tmp_path / "scene.json",
        tmp_path,
        str(room),
        mode,
    ]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stdout.count("\n") == 1
    assert str(path) in ended.stdout
    assert "unfinished" not in ended.stdout
    assert manager.info(path)["description"] == "before"
    assert [p.name for p in tmp_path.iterdir() if "unfinished" in p.name] == []
