"""The adapter is found, and named."""

import os
import stat
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


def test_types_of_the_header_are_those_that_a_parser_finds():
    from wgpu.backends.wgpu_native import ffi

    assert device.learn_types() > 200
    # Other spaces make another text, which cffi has to parse.
    assert ffi.typeof("WGPUColor *") is ffi.typeof("WGPUColor  *")
    assert ffi.typeof("WGPUBindGroupEntry[]") is ffi.typeof("WGPUBindGroupEntry [ ]")
    assert ffi.typeof("WGPUCommandBuffer[]") is ffi.typeof("WGPUCommandBuffer [ ]")
    assert ffi.typeof("uint8_t []") is ffi.typeof("uint8_t [ ]")
    assert ffi.typeof("uintptr_t") is ffi.typeof(" uintptr_t")
    color = ffi.new("WGPUColor *", {"r": 0.25})
    assert color.r == 0.25


def test_no_type_is_parsed_in_a_frame_that_copies_a_texture():
    code = """
from brickfield.gpu.device import get_device, prepare
prepare()
from wgpu.backends.wgpu_native import ffi
parse, parsed = ffi._typeof_locked, []
ffi._typeof_locked = lambda text: (parsed.append(text), parse(text))[1]
import numpy as np
from brickfield.gpu.atlas import TextureAtlas
from brickfield.gpu.formats import choose_format
from brickfield.gpu.layout import LevelLayout
from brickfield.model import ChunkId
layout = LevelLayout((6, 6, 6), (1, 1, 1), 1)
atlas = TextureAtlas([layout], choose_format(np.dtype("u1")), 1 << 20, get_device())
atlas.upload_chunk(ChunkId(0, (0, 0, 0)), np.zeros((6, 6, 6), np.uint8))
atlas.ensure_capacity([1500])
print(parsed)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


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


def test_the_runtime_folder_is_ours_alone(tmp_path):
    """Made with mode 0700, and used again."""
    folder = device.private_folder(tmp_path)
    assert folder == tmp_path / f"runtime-{os.getuid()}"
    assert stat.S_IMODE(folder.lstat().st_mode) == 0o700
    assert device.private_folder(tmp_path) == folder


@pytest.mark.parametrize("prepared", ["link", "open", "file"])
def test_a_runtime_folder_that_somebody_prepared_is_not_used(tmp_path, prepared):
    """A link, a folder that others can write to and a file are left alone."""
    name = tmp_path / f"runtime-{os.getuid()}"
    if prepared == "link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        name.symlink_to(tmp_path / "elsewhere")
    elif prepared == "open":
        name.mkdir()
        name.chmod(0o777)
    else:
        name.write_text("")
    folder = device.private_folder(tmp_path)
    assert folder.parent == tmp_path
    assert folder != name
    assert stat.S_IMODE(folder.lstat().st_mode) == 0o700
    if prepared == "link":
        assert not any((tmp_path / "elsewhere").iterdir())


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_a_runtime_folder_of_another_user_is_not_used(tmp_path):
    """Its owner could put files of theirs in our way."""
    name = tmp_path / f"runtime-{os.getuid()}"
    name.mkdir(mode=0o700)
    os.chown(name, 12345, -1)
    assert device.private_folder(tmp_path) != name


def test_an_unknown_adapter_name_is_told_with_the_names_there_are(adapter):
    code = "import sys; from brickfield.gpu.device import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "WGPUPY_WGPU_ADAPTER_NAME": "Voodoo 2"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "WGPUPY_WGPU_ADAPTER_NAME; found 'Voodoo 2'" in done.stderr
    assert adapter.device.adapter.info["device"] in done.stderr
    assert done.stderr.count("\n") == 1
