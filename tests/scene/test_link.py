"""A scene as a link: there and back the same, small, without secrets, bounded."""

import base64
import json
import zlib

import pytest

from brickfield.errors import OptionError, SceneStateError
from brickfield.scene.document import (
    SceneCamera,
    SceneLayer,
    SceneSource,
    SceneState,
    SceneViews,
)
from brickfield.scene.link import MOST_BYTES, is_link, link_of, state_of_link

PLAIN = SceneLayer(
    name="nuclei",
    source=SceneSource(uri="https://example.org/a.zarr", channel=1),
    contrast=(100.5, 1800.0),
    colormap="magenta",
)
STATE = SceneState(
    layers=(PLAIN,),
    views=SceneViews(
        cameras={"3D": SceneCamera(position=(-4.1, 0.1, 1 / 3), target=(1, 2, 3))}
    ),
)


def packed(raw: bytes, *, version=1, length=None):
    data = base64.urlsafe_b64encode(zlib.compress(raw)).decode().rstrip("=")
    length = len(raw) if length is None else length
    return f"brickfield://{version}/{length}/{data}"


def test_a_link_gives_back_the_scene():
    assert state_of_link(link_of(STATE).text).to_json() == STATE.to_json()


def test_a_link_of_one_layer_fits_in_a_few_lines():
    text = link_of(STATE).text
    assert text.startswith("brickfield://1/")
    assert len(text) < 500


def test_a_link_written_by_hand_is_read():
    raw = b'{"version":1,"layers":[{"name":"a","source":{"uri":"a.zarr"}}]}'
    state = state_of_link(packed(raw))
    assert [layer.source.uri for layer in state.layers] == ["a.zarr"]


@pytest.mark.parametrize(
    "around", [" {} ", "<{}>", '"{}"', "see {}."[4:], "{}\n", "({})"]
)
def test_what_mail_and_chat_put_round_a_link_does_not_matter(around):
    text = around.format(link_of(STATE).text)
    assert is_link(text)
    assert state_of_link(text) == STATE


def test_a_link_broken_over_lines_is_read():
    text = link_of(STATE).text
    broken = "\r\n".join(text[i : i + 60] for i in range(0, len(text), 60))
    assert state_of_link(broken) == STATE


def test_a_layer_with_a_token_is_left_out_and_told():
    secret = PLAIN.model_copy(
        update={
            "name": "private",
            "source": SceneSource(uri="https://x.org/b.zarr?token=TOKEN1"),
        }
    )
    link = link_of(STATE.model_copy(update={"layers": (PLAIN, secret)}))
    raw = base64.urlsafe_b64decode(link.text.rsplit("/", 1)[1] + "==")
    assert b"TOKEN1" not in zlib.decompress(raw)
    assert [n.name for n in state_of_link(link.text).layers] == ["nuclei"]
    (sentence,) = link.left_out
    assert "private" in sentence
    assert "TOKEN1" not in sentence


def test_a_name_that_holds_a_token_is_masked():
    named = PLAIN.model_copy(update={"name": "https://x.org/b?token=TOKEN1"})
    state = state_of_link(link_of(STATE.model_copy(update={"layers": (named,)})).text)
    assert state.layers[0].name == "https://x.org/b?token=***"


def test_a_layer_in_memory_is_left_out_and_told():
    mine = SceneLayer(name="mine", source="memory")
    link = link_of(STATE.model_copy(update={"layers": (mine, PLAIN)}))
    assert [n.name for n in state_of_link(link.text).layers] == ["nuclei"]
    assert link.left_out == ("'mine' is in memory only",)


@pytest.mark.parametrize("layers", [(), (SceneLayer(name="mine", source="memory"),)])
def test_a_scene_without_anything_to_name_has_no_link(layers):
    with pytest.raises(OptionError, match="expected a layer"):
        link_of(SceneState(layers=layers))


TEXT = link_of(STATE).text
RAW = json.dumps({"version": 1}).encode()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", "begins with", id="nothing"),
        pytest.param("https://example.org", "begins with", id="another address"),
        pytest.param("brickfield://", "form", id="scheme alone"),
        pytest.param("brickfield://1/3", "form", id="no data"),
        pytest.param("brickfield://1/x/abc", "form", id="no number"),
        pytest.param(packed(RAW, version=2), "update", id="newer"),
        pytest.param(TEXT[:-9], "changed|cut off|length", id="cut off"),
        pytest.param(TEXT[:60] + "AAAA" + TEXT[64:], "whole", id="changed"),
        pytest.param("brickfield://1/3/AAAA", "whole", id="not deflated"),
        pytest.param("brickfield://1/3/A", "whole", id="no base64"),
        pytest.param("brickfield://1/3/äöü", "whole", id="other characters"),
        pytest.param(packed(RAW, length=3), "length", id="longer"),
        pytest.param(packed(RAW, length=99), "length", id="shorter"),
        pytest.param(packed(b"{"), "JSON", id="no JSON"),
        pytest.param(packed(b'"a"'), "object", id="no object"),
        pytest.param(packed(b"[" * 100_000), "JSON", id="deep"),
        pytest.param(packed(b'{"version":1,"layers":3}'), "layers", id="no scene"),
        pytest.param(packed(b"", length=10**9), "form|bytes", id="huge"),
        pytest.param(packed(b"", length=MOST_BYTES + 1), "bytes", id="too large"),
        pytest.param(
            "brickfield://1/3/" + "A" * 9_000_000, "characters", id="too long"
        ),
    ],
)
def test_what_is_no_whole_link_is_refused_in_one_sentence(text, said):
    with pytest.raises(SceneStateError, match=said) as caught:
        state_of_link(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_a_link_that_would_unpack_to_much_is_not_unpacked():
    """Ten kilobytes that stand for ten megabytes are given up at the length told."""
    bomb = packed(b" " * 10_000_000, length=100)
    with pytest.raises(SceneStateError, match="length"):
        state_of_link(bomb)


def test_a_scene_too_large_for_a_link_is_refused():
    layer = PLAIN.model_copy(update={"name": "x" * (MOST_BYTES + 1)})
    with pytest.raises(OptionError, match="save it in a file"):
        link_of(SceneState(layers=(layer,)))
