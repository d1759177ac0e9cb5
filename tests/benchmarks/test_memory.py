"""E7 and E12: bytes on the GPU and in the page table as counts."""

from benchmarks.memory import (
    approach,
    living_textures,
    page_bytes,
    usable_shares,
    worst_overhead,
)


def test_a_resident_voxel_takes_at_most_a_tenth_more_than_its_own_bytes():
    overhead, dtype = worst_overhead()
    assert overhead <= 1.10, dtype


def test_plans_may_use_at_least_92_percent_of_the_budget_at_any_camera():
    assert min(share for share, _ in usable_shares(8)) >= 0.92


def test_living_textures_stay_within_the_budget_in_flight():
    peak, n_made = living_textures(32 << 20)
    assert peak <= 1
    assert n_made == 2, "one for each shape of bricks, made once"


def test_no_brick_is_sent_again_while_a_camera_comes_near():
    growth = approach(128 << 20, (160, 120))
    assert growth.n_sent_again == 0
    assert growth.peak_share <= 1
    assert len(growth.cpu_ms) <= 3


def test_a_committed_brick_costs_at_most_a_kibibyte_of_page_table():
    per_brick, n_bricks = page_bytes(4096, 32 << 20)
    assert n_bricks > 50
    assert per_brick <= 1024
