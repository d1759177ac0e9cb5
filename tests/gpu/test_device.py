"""The adapter is found, and named."""

import subprocess
import sys

import pytest

from brickfield.errors import AdapterError
from brickfield.gpu import device


def test_the_device_is_made_once(adapter):
    assert device.get_device() is adapter
    assert adapter.max_texture_3d >= 2048
    assert adapter.adapter


def test_sixteen_bits_can_be_filtered(adapter):
    # Asked for before anything else made the device; software Vulkan has it.
    assert adapter.has_norm16


def test_the_module_prints_the_adapter(adapter, capsys):
    assert device.main() == 0
    assert adapter.adapter in capsys.readouterr().out


def run_without_driver(code: str, tmp_path) -> subprocess.CompletedProcess[str]:
    """Run a program that finds no Vulkan driver."""
    none = str(tmp_path / "none.json")
    return subprocess.run(
        [sys.executable, "-c", code],
        env={
            "VK_DRIVER_FILES": none,
            "VK_ICD_FILENAMES": none,
            "XDG_RUNTIME_DIR": str(tmp_path),
            "PATH": "/usr/bin",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_without_a_driver_there_is_one_sentence_and_status_1(tmp_path):
    code = "import sys; from brickfield.gpu.device import main; sys.exit(main())"
    done = run_without_driver(code, tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "error: expected a Vulkan, Metal or DirectX 12 driver" in done.stderr
    assert "mesa-vulkan-drivers" in done.stderr
    assert done.stderr.count("\n") == 1


def test_asking_again_without_a_driver_gives_the_same_sentence(tmp_path):
    code = "from brickfield.gpu.device import main; main(), main()"
    done = run_without_driver(code, tmp_path)
    assert done.returncode == 0
    first, second = done.stderr.splitlines()
    assert first == second


def test_the_error_is_a_runtime_error():
    with pytest.raises(RuntimeError):
        raise AdapterError("no driver")
