"""E17: channels, levels and time points as counts."""

from benchmarks.series import channels, levels, revisit


def test_thirty_two_channels_are_drawn_in_one_pass():
    assert channels() == 32


def test_each_of_twelve_levels_can_be_drawn():
    assert levels() == 12


def test_the_way_back_to_a_time_point_reads_nothing():
    n_bytes, _ = revisit()
    assert n_bytes == 0
