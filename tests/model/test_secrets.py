"""Passwords, tokens and signatures never stand in text that leaves."""

import pickle

import pytest

from brickfield.errors import (
    BrickfieldError,
    ChunkReadError,
    OptionError,
    StoreNotFoundError,
    StoreUnreachableError,
)
from brickfield.model.image import Finding
from brickfield.model.secrets import has_secrets, hide_secrets, without_secrets


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://me:TOKEN@h/a.zarr", "https://***@h/a.zarr"),
        ("at https://TOKEN@h:81/a/b; found", "at https://***@h:81/a/b; found"),
        ("http://h/a?token=TOKEN", "http://h/a?token=***"),
        (
            "http://h/a?v=2&access_token=TOKEN&x=1",
            "http://h/a?v=2&access_token=***&x=1",
        ),
        (
            "h/a?X-Amz-Signature=TOKEN&X-Amz-Date=1",
            "h/a?X-Amz-Signature=***&X-Amz-Date=1",
        ),
        (
            "h/a?X-Amz-Credential=A%2FB&Signature=T/K==",
            "h/a?X-Amz-Credential=***&Signature=***",
        ),
        (
            "http://h/a?sv=2022&se=2030&sig=TO%2BKEN%3D",
            "http://h/a?sv=2022&se=2030&sig=***",
        ),
        (
            "h/a?AWSAccessKeyId=T&Key-Pair-Id=T",
            "h/a?AWSAccessKeyId=***&Key-Pair-Id=***",
        ),
        ("h/a?q=0123456789abcdef0123", "h/a?q=***"),
        (
            "read 'http://h/a?sig=TOKEN': not found",
            "read 'http://h/a?sig=***': not found",
        ),
        (
            '{"base_url":"http://u:T@h?token=T"}',
            '{"base_url":"http://***@h?token=***"}',
        ),
        ("(http://h/a?token=TOKEN).", "(http://h/a?token=***)."),
        ("found http://h/a?token=TOKEN, which", "found http://h/a?token=***, which"),
        ("http://u:T@h and http://v:T@h", "http://***@h and http://***@h"),
    ],
)
def test_what_gives_access_is_masked(text, shown):
    """In user parts and queries, wherever an address stands; the rest stays."""
    assert hide_secrets(text) == shown
    assert hide_secrets(shown) == shown
    assert has_secrets(text)
    assert not has_secrets(shown)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a@b.org wrote x=1; y=2",
        "http://h/a@2/b?version=2&level=0",
        "/data/me@lab/a.zarr",
        "expected a token = 3",
        "s3://bucket/a/b@c",
    ],
)
def test_text_without_secrets_stays_as_it_is(text):
    assert hide_secrets(text) == text


def test_every_text_in_plain_values_is_masked():
    value = {"uri": ["http://u:T@h", 1], "http://h?token=T": ("a?sig=T", None)}
    assert without_secrets(value) == {
        "uri": ["http://***@h", 1],
        "http://h?token=***": ("a?sig=***", None),
    }


@pytest.mark.parametrize(
    "family", [BrickfieldError, StoreNotFoundError, StoreUnreachableError, OptionError]
)
def test_an_error_masks_its_message(family):
    """However it is told, also in another process."""
    error = family("expected a file at http://u:T@h/a?token=T1; found none")
    for told in (error, pickle.loads(pickle.dumps(error))):
        assert str(told) == "expected a file at http://***@h/a?token=***; found none"
        assert "T1" not in repr(told)


def test_a_failed_read_and_a_finding_mask_theirs():
    error = ChunkReadError("cannot read h/a?sig=T", key="b?sig=T")
    assert (error.reason, error.key) == ("cannot read h/a?sig=***", "b?sig=***")
    finding = Finding("info", "x", "h?sig=T", "found h?sig=T")
    assert (finding.path, finding.text) == ("h?sig=***", "found h?sig=***")
