"""A label says what it is told, on a plate that makes it readable."""

import numpy as np
import pytest

from brickfield.loading import default_cache
from brickfield.store import open_store


def test_two_lines_are_higher_than_one(dark, seen, changed):
    view = seen(dark, (200, 120), background=(0.2, 0.2, 0.2))
    heights = []
    for text in ("one", "one\ntwo"):
        view.overlays.set_options("text", visible=True, text=text)
        rows, _ = np.nonzero(changed(view))
        heights.append(int(np.ptp(rows)))
    assert heights[1] > 1.6 * heights[0]


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_nothing_to_say_draws_nothing(dark, seen, changed, text):
    view = seen(dark, (100, 80))
    view.overlays.set_options("text", visible=True, text=text)
    assert not changed(view).any()


@pytest.mark.parametrize("value", [0, 128, 255])
@pytest.mark.parametrize("background", [(0.0, 0.0, 0.0), (1.0, 1.0, 1.0)])
def test_text_reads_on_any_volume(seen, value, background):
    default_cache().clear()
    with open_store(np.full((20, 20, 20), value, np.uint8)) as store:
        view = seen(store, (100, 60), background=background)
        view.overlays.set_options("text", visible=True, text="HHHH", font_size=24)
        image = view.image()[:, :, 0] / 255
    # Within the volume, which is 60 pixels wide in the middle.
    ink_and_plate = image[14:24, 22:70] ** 2.2
    lightest, darkest = ink_and_plate.max(), ink_and_plate.min()
    assert (lightest + 0.05) / (darkest + 0.05) >= 4.5, "as WCAG asks of text"


def test_other_scripts_do_not_stop_the_picture(dark, seen, changed):
    view = seen(dark, (200, 80))
    view.overlays.set_options("text", visible=True, text="細胞 клетка 🧫 \x00\t")
    assert changed(view).any()
