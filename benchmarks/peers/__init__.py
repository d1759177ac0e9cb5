"""The peers, in environments and in processes of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

PACKAGES = {
    "": (
        "zarr",
        "ngff-zarr",
        "multiview-stitcher==0.1.62",
    ),
    # multiview-stitcher holds ngff-zarr below the version that can resample.
    "cellier": ("cellier==0.0.29", "PySide6", "psutil", "zarr"),
    "resample": ("ngff-zarr==0.50.0", "ome-zarr==0.18.0", "dask[array]", "zarr"),
}
"""By the environment that they are installed in."""
LEAST_PYTHON = {"cellier": (3, 12)}
"""What a group needs beyond the Python that runs here."""
CELLIER = "cellier 0.0.29"
VARIABLE = "BRICKFIELD_PEERS"
HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def find_peers(root: Path, group: str = "") -> Path | None:
    """Return the Python that has the peers, installing them on the first call.

    The variable ``BRICKFIELD_PEERS`` names another one (of a group,
    ``BRICKFIELD_PEERS_RESAMPLE``). None without network, or without a Python that
    is new enough, which is said.

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
    least = LEAST_PYTHON.get(group, (3, 0))
    base = find_python(least)
    if base is None:
        name = ".".join(map(str, least))
        print(
            f"benchmarks: {group} is not measured: expected Python {name} or newer on the"
            " PATH, of pyenv or of uv; found none",
            file=sys.stderr,
        )
        return None
    print(f"benchmarks: installing the peers {group} (once)", file=sys.stderr)
    if subprocess.run([base, "-m", "venv", folder], check=False).returncode:
        return None
    command = [python, "-m", "pip", "install", "--quiet", *PACKAGES[group]]
    if subprocess.run(command, check=False).returncode:
        return None
    done.write_text(wanted)
    return python


def find_python(least: tuple[int, int]) -> Path | None:
    """Return a Python that is at least so new, None where there is none.

    Parameters
    ----------
    least : tuple of int
        Major and minor version.
    """
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    uv = Path.home() / ".local" / "share" / "uv" / "python"
    found = [
        Path(sys.executable),
        *(shutil.which(f"python3.{minor}") for minor in range(least[1], 16)),
        *sorted(pyenv.glob("versions/*/bin/python")),
        *sorted(uv.glob("*/bin/python")),
    ]
    code = f"import sys, venv; sys.exit(sys.version_info < {least})"
    for python in found:
        # A name on the PATH may be one of pyenv's that starts nothing.
        if (
            python
            and not subprocess.run(
                [python, "-c", code], check=False, capture_output=True
            ).returncode
        ):
            return Path(python)
    return None


def ask_cellier(
    peers: Path | None, script: str, question: dict[str, Any]
) -> dict[str, Any] | None:
    """Run a script with cellier, which has an environment of its own.

    Parameters
    ----------
    peers : Path or None
        None where no peer is to be measured.
    script, question
        As of :func:`ask`.
    """
    python = None if peers is None else find_peers(ROOT, "cellier")
    return ask(python, script, question)


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
