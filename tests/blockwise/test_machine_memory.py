"""The memory that is left is the least that the machine and its groups allow."""

import pytest

from brickfield.blockwise.machine_memory import PLENTY, memory_left_bytes, usable_bytes

GIB = 1 << 30


@pytest.fixture
def system(tmp_path):
    """Files as the system has them: 6 GiB free, no control group."""
    proc = tmp_path / "proc"
    (proc / "self").mkdir(parents=True)
    (proc / "meminfo").write_text(f"MemTotal: 9 kB\nMemAvailable: {6 << 20} kB\n")
    return proc, tmp_path / "cgroup"


def test_the_machine_tells_what_is_available(system):
    assert memory_left_bytes(*system) == 6 * GIB


def test_a_group_round_the_process_counts_when_it_has_less(system):
    """Of the inner group 3 GiB are left, of the outer one 2: the least counts."""
    proc, cgroups = system
    (proc / "self" / "cgroup").write_text("0::/outer/inner\n")
    for folder, limit, used in (("outer", 4, 2), ("outer/inner", 5, 2)):
        (cgroups / folder).mkdir(parents=True, exist_ok=True)
        (cgroups / folder / "memory.max").write_text(f"{limit * GIB}\n")
        (cgroups / folder / "memory.current").write_text(f"{used * GIB}\n")
    assert memory_left_bytes(proc, cgroups) == 2 * GIB


def test_pages_of_files_that_nobody_uses_are_free(system):
    proc, cgroups = system
    (proc / "self" / "cgroup").write_text("0::/\n")
    cgroups.mkdir()
    (cgroups / "memory.max").write_text(str(4 * GIB))
    (cgroups / "memory.current").write_text(str(3 * GIB))
    (cgroups / "memory.stat").write_text(f"anon 1\ninactive_file {GIB}\n")
    assert memory_left_bytes(proc, cgroups) == 2 * GIB


def test_groups_of_the_first_version_are_understood(system):
    """The group's own path is not mounted in a container; its root is."""
    proc, cgroups = system
    (proc / "self" / "cgroup").write_text("3:cpu:/a\n4:memory:/docker/abc\n")
    (cgroups / "memory").mkdir(parents=True)
    (cgroups / "memory" / "memory.limit_in_bytes").write_text(str(5 * GIB))
    (cgroups / "memory" / "memory.usage_in_bytes").write_text(str(4 * GIB))
    assert memory_left_bytes(proc, cgroups) == GIB


def test_a_group_without_a_limit_does_not_count(system):
    proc, cgroups = system
    (proc / "self" / "cgroup").write_text("0::/\n")
    cgroups.mkdir()
    (cgroups / "memory.max").write_text("max\n")
    (cgroups / "memory.current").write_text(str(4 * GIB))
    assert memory_left_bytes(proc, cgroups) == 6 * GIB


def test_a_group_that_took_more_than_it_may_has_nothing_left(system):
    proc, cgroups = system
    (proc / "self" / "cgroup").write_text("0::/\n")
    cgroups.mkdir()
    (cgroups / "memory.max").write_text(str(GIB))
    (cgroups / "memory.current").write_text(str(2 * GIB))
    assert memory_left_bytes(proc, cgroups) == 0


def test_without_those_files_the_number_of_pages_tells(tmp_path):
    found = memory_left_bytes(tmp_path, tmp_path)
    assert found > 0
    assert found != PLENTY


def test_one_piece_of_work_may_take_four_fifths(monkeypatch):
    name = "brickfield.blockwise.machine_memory.memory_left_bytes"
    monkeypatch.setattr(name, lambda: 10 * GIB)
    assert usable_bytes() == 8 * GIB
