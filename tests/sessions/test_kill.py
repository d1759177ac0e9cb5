"""A save that is killed leaves the old session or none."""

import os
import random
import signal
import subprocess
import sys
import time

import yaozarrs

SAVE = """
import sys
from brickfield.sessions import SessionManager
from brickfield.scene.file import read_scene
scene = read_scene(sys.argv[1])
for i in range(1000):
    SessionManager(sys.argv[2]).save_session(
        scene, "s", f"run {i}", mode="embed", overwrite=True)
    print("saved", flush=True)
"""


def test_a_kill_at_any_moment_leaves_a_whole_session(manager, scene, tmp_path):
    from brickfield.scene import write_scene

    write_scene(scene, tmp_path / "scene.json")
    path = manager.save_session(scene, "s", "before")
    chance = random.Random(5)
    for _ in range(6):
        process = subprocess.Popen(
            [sys.executable, "-c", SAVE, tmp_path / "scene.json", tmp_path],
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(chance.uniform(0, 0.08))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        if path.exists():
            yaozarrs.validate_zarr_store(str(path))
            assert len(manager.info(path)["layers"]) == 2
    manager.save_session(scene, "s", "after", mode="embed", overwrite=True)
    assert [p.name for p in tmp_path.iterdir() if "unfinished" in p.name] == []
    assert manager.info(path)["description"] == "after"
