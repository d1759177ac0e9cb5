"""``omero`` never stops an image."""

from hypothesis import given
from hypothesis import strategies as st

from brickfield.sources.geometry import Findings
from brickfield.sources.ome_zarr.channels import check_image_label, read_channels

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "channels",
                    "color",
                    "label",
                    "window",
                    "start",
                    "end",
                    "min",
                    "max",
                    "active",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(ANYTHING, st.integers(1, 5))
def test_there_is_a_channel_for_every_index_whatever_is_stored(omero, n):
    channels = read_channels({"omero": omero}, n, Findings())
    assert len(channels) == n
    for channel in channels:
        assert channel.name
        assert channel.color is None or all(0 <= c <= 255 for c in channel.color)
        assert channel.window is None or channel.window[0] < channel.window[1]


@given(ANYTHING)
def test_any_image_label_can_be_looked_at(value):
    check_image_label(value, Findings())


def test_a_window_without_start_and_end_falls_back_to_min_and_max():
    omero = {"channels": [{"window": {"min": 3, "max": 9}, "color": "#ff800000"}]}
    (channel,) = read_channels({"omero": omero}, 1, Findings())
    assert channel.window == (3, 9)
    assert channel.color == (255, 128, 0)


def test_a_lone_channel_of_a_gray_colour_is_drawn_up_to_white():
    """Bio-Formats writes 808080 for gray; with other channels it is a colour."""
    gray = {"color": "808080"}
    (lone,) = read_channels({"omero": {"channels": [gray]}}, 1, Findings())
    assert lone.color == (255, 255, 255)
    both = read_channels({"omero": {"channels": [gray, gray]}}, 2, Findings())
    assert [c.color for c in both] == [(128, 128, 128)] * 2
