"""Policies are checked when made."""

from __future__ import annotations

import pytest

from brickfield.errors import OptionError
from brickfield.planning.policy import PROFILES, LodPolicy


def test_the_named_profiles_can_be_had_by_name():
    for name, policy in PROFILES.items():
        assert LodPolicy.named(name) is policy
    assert set(PROFILES) == {"exploration", "playback", "export"}


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(OptionError, match="exploration, playback, export; found 'x'"):
        LodPolicy.named("x")


@pytest.mark.parametrize(
    "wrong",
    [
        {"target_error_px": 0},
        {"target_error_px": float("nan")},
        {"hysteresis": 1},
        {"hysteresis": -0.1},
        {"motion_bias": 0.5},
        {"base_share": 1.5},
        {"prefetch_share": -1},
    ],
)
def test_a_value_out_of_range_is_refused_by_name(wrong):
    with pytest.raises(OptionError, match=next(iter(wrong))):
        LodPolicy(**wrong)


def test_export_depends_on_nothing_seen_before():
    assert PROFILES["export"].hysteresis == 0
    assert PROFILES["export"].motion_bias == 1
