"""The peers, in environments and in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

PACKAGES = {
    "": (
        "cellier==0.0.26",
        "PySide6",
        "psutil",
        "zarr",
        "ngff-zarr",
        "multiview-stitcher==0.1.62",
    ),
    # multiview-stitcher holds ngff-zarr below the version that can resample.
    "resample": ("ngff-zarr==0.50.0", "dask[array]", "zarr"),
}
"""By the environment that they are installed in."""
VARIABLE = "BRICKFIELD_PEERS"
HERE = Path(__file__).parent


def find_peers(root: Path, group: str = "") -> Path | None:
    """Return the Python that has the peers, installing them on the first call.

    The variable ``BRICKFIELD_PEERS`` names another one (of a group,
    ``BRICKFIELD_PEERS_RESAMPLE``). None without network.

    Parameters
    ----------
    root : Path
        Of the project.
    group : str
        A key of :data:`PACKAGES`.
    """
    suffix = f"_{group}" if group else ""
    named = os.environ.get(f"{VARIABLE}{suffix}".upper())
    if named:
        return Path(named)
    folder = root / ".venv" / f"peers{suffix.replace('_', '-')}"
    python = folder / "bin" / "python"
    done = folder / ".installed"
    wanted = "\n".join(PACKAGES[group])
    if done.exists() and done.read_text() == wanted:
        return python
    print("benchmarks: installing the peers (once)", file=sys.stderr)
    venv.create(folder, with_pip=True)
    command = [python, "-m", "pip", "install", "--quiet", *PACKAGES[group]]
    if subprocess.run(command, check=False).returncode:
        return None
    done.write_text(wanted)
    return python


def ask(
    python: Path | None, script: str, question: dict[str, Any], timeout_s: float = 240
) -> dict[str, Any] | None:
    """Run one of the scripts beside this file; None when it cannot answer.

    The question goes in as JSON in the first argument, the answer comes back as
    the last line of the output.
    """
    if python is None:
        return None
    command = [str(python), str(HERE / f"{script}.py"), json.dumps(question)]
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
            env=environment,
        )
    except subprocess.TimeoutExpired:
        print(f"benchmarks: {script} took over {timeout_s} s", file=sys.stderr)
        return None
    if done.returncode:
        last = (done.stderr.strip() or "no message").splitlines()[-1]
        print(f"benchmarks: {script} ended with: {last}", file=sys.stderr)
        return None
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer
