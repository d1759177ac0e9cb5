"""The export window tells cost and refusals before anything is written."""

import pytest

from brickfield.imaris import ImarisOutlook
from brickfield.qt import ImarisDialog, ImarisOffer, RunningTask

pytestmark = [pytest.mark.qt, pytest.mark.bindings]
OFFER = ImarisOffer("/x/a.ims", (("one", "#ff0000"), ("two", "#00ff00")), 5, ("8 × 9",))


@pytest.fixture
def make(qtbot):
    def made(outlook=None, offer=OFFER):
        seen = []

        def look(choice):
            seen.append(choice)
            return outlook or ImarisOutlook(
                268 << 30, 190 << 30, 1320, 1400 << 30, 11, "uint16"
            )

        dialog = ImarisDialog(offer, look)
        qtbot.addWidget(dialog)
        dialog.seen, dialog.wanted = seen, []
        dialog.asked.connect(dialog.wanted.append)
        dialog.show()
        return dialog

    return made


def looked(dialog, qtbot):
    qtbot.waitUntil(
        lambda: not dialog.words.text().startswith("Looking"), timeout=10_000
    )
    return dialog.words.text()


def test_it_says_what_an_export_takes(make, qtbot):
    dialog = make()
    text = looked(dialog, qtbot)
    assert "268 GiB → about 190 GiB, 11 levels" in text
    assert "about 22 min" in text
    assert "uint16, as they are" in text
    assert "Scratch folder: not needed" in text
    assert dialog.start.isEnabled()


def test_a_change_is_looked_at_anew(make, qtbot):
    dialog = make()
    looked(dialog, qtbot)
    dialog.shuffle.setChecked(True)
    assert not dialog.start.isEnabled()
    looked(dialog, qtbot)
    assert [choice.shuffle for choice in dialog.seen] == [False, True]


def test_what_would_be_refused_is_told_before(make, qtbot):
    dialog = make(ImarisOutlook(refusal="expected a new file: give another name"))
    assert "give another name" in looked(dialog, qtbot)
    assert not dialog.start.isEnabled()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda d: [box.setChecked(False) for box in d.channels], "one channel"),
        (lambda d: d.first.setValue(4) or d.last.setValue(1), "after the last"),
        (lambda d: d.place.clear(), "Name a file"),
    ],
)
def test_a_choice_that_cannot_be_is_told_without_looking(make, qtbot, change, why):
    dialog = make()
    change(dialog)
    assert why in looked(dialog, qtbot)
    assert dialog.seen == []


def test_export_asks_for_what_is_chosen(make, qtbot):
    dialog = make()
    dialog.channels[0].setChecked(False)
    dialog.last.setValue(3)
    dialog.compression.setCurrentText("lz4")
    looked(dialog, qtbot)
    dialog.start.click()
    (choice,) = dialog.wanted
    assert (choice.channels, choice.times, choice.compression) == ((1,), (0, 3), "lz4")
    assert (choice.region, choice.dtype) == ("whole", "auto")


def test_it_shows_how_far_the_work_is_and_can_stop_it(make):
    dialog, running = make(), RunningTask("Writing a.ims", "blocks", True)
    running.tell(3, 10)
    dialog.follow(running)
    assert "3 of 10 blocks" in dialog.words.text()
    assert dialog.bar.value() == 300
    dialog.cancel.click()
    assert running.cancelled.is_set()


def test_what_was_written_can_be_opened_from_it(make, qtbot):
    dialog, asked = make(), []
    dialog.open_asked.connect(asked.append)
    dialog.tell("/x/a.ims")
    assert "Written and read back: a.ims" in dialog.words.text()
    dialog.words.linkActivated.emit("open")
    assert asked == ["/x/a.ims"]


def test_a_clip_box_and_a_time_point_are_offered_where_there_are(make):
    dialog = make(offer=ImarisOffer("/x/a.ims", (("one", "#fff"),)))
    assert [button.isEnabled() for button in dialog.regions] == [True, False, False]


def test_many_channels_of_long_names_fit_a_small_screen_and_can_be_told_apart(make):
    names = [f"a stain with a long name and number {i} & more {i}" for i in range(300)]
    offer = ImarisOffer("/x/a.ims", tuple((n, "#ff0000") for n in names), 1, ("8 × 9",))
    dialog = make(offer=offer)
    assert dialog.sizeHint().height() < 600
    assert dialog.sizeHint().width() < 900
    assert [box.toolTip() for box in dialog.channels] == names
    assert len({box.text() for box in dialog.channels}) == 300
    assert dialog.choice.channels == tuple(range(300))
