"""The words of tensorstore, real ones, and what they mean."""

import pytest
import tensorstore as ts

from brickfield.sources.io.errors import as_sentence, classify

MESSAGES = [
    ('NOT_FOUND: chunk {0, 0, 0} stored at "0" is missing', "missing"),
    ("PERMISSION_DENIED: Error reading x: Forbidden [HTTP code 403]", "denied"),
    ("UNAUTHENTICATED: no", "denied"),
    ("ABORTED: All 3 retry attempts failed: [HTTP code 500]", "transient"),
    ("UNAVAILABLE: busy", "transient"),
    ("DEADLINE_EXCEEDED: late", "transient"),
    ("FAILED_PRECONDITION: Invalid blosc-compressed data", "corrupt"),
    ("DATA_LOSS: Digest mismatch", "corrupt"),
    ("Failed to find valid ZIP EOCD", "corrupt"),
    ("INVALID_ARGUMENT: Bad Request [HTTP code 400]", "corrupt"),
]


@pytest.mark.parametrize(("text", "kind"), MESSAGES)
def test_the_status_in_front_decides(text, kind):
    error = classify(ValueError(text))
    assert error.kind == kind
    assert not error.detail.startswith(text.split(":")[0] + ":")


def test_a_real_message_is_still_understood(tmp_path):
    """If tensorstore changes its wording, this says so first."""
    spec = {
        "driver": "zarr",
        "kvstore": f"file://{tmp_path}/",
        "metadata": {"dtype": "|u1", "shape": [4], "chunks": [4], "compressor": None},
        "fill_missing_data_reads": False,
    }
    store = ts.open(spec, create=True).result()
    with pytest.raises(ValueError, match="missing") as missing:
        store.read().result()
    (tmp_path / "0").write_bytes(b"ab")
    with pytest.raises(ValueError, match="Not enough") as corrupt:
        store.read().result()
    assert classify(missing.value).kind == "missing"
    assert classify(corrupt.value).kind == "corrupt"


def test_where_in_its_source_an_error_arose_is_not_told():
    text = "ABORTED: busy [source locations='a/b.cc:12\nc.cc:1']"
    assert classify(ValueError(text)).detail == "busy"


def test_a_long_message_is_cut():
    assert len(classify(ValueError("x" * 5000)).detail) <= 300


@pytest.mark.parametrize(("text", "kind"), MESSAGES)
def test_a_sentence_names_the_chunk_and_has_one_line(text, kind):
    sentence = as_sentence(
        classify(ValueError(f"{text}\n more")), "0/c/1", "http://h/a"
    )
    assert "0/c/1 of http://h/a" in sentence
    assert "\n" not in sentence
    assert kind != "denied" or "403 as missing" in sentence
