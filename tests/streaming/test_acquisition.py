"""What a stream says of itself is understood where it is read."""

from contextlib import closing

from brickfield.sources import open_source
from brickfield.streaming import StreamWriter


def test_chunks_that_are_still_to_come_are_nothing_odd(tmp_path):
    path = tmp_path / "a.ome.zarr"
    writer = StreamWriter(path, (4, 8, 8), axes="tyx", dtype="uint8")
    assert "no-chunks" not in codes_of(path)
    writer.close()
    assert "no-chunks" in codes_of(path)


def codes_of(path):
    with closing(open_source(str(path))) as source:
        return [finding.code for finding in source.info.findings]
