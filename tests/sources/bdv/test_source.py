"""BigDataViewer: HDF5 and N5 loaders, channels, series, times and registrations."""

from __future__ import annotations

from contextlib import closing

import h5py
import numpy as np
import pytest
import tensorstore as ts

from brickfield.errors import OptionError, StoreFormatError, StoreNotFoundError
from brickfield.sources.bdv.source import matches, open_source
from brickfield.sources.protocol import ChunkSource

PLAIN = "2 0 0 10 0 3 0 20 0 0 4 30"
OBLIQUE = "1 1 0 0 -1 1 0 0 0 0 1 0"


def _xml(folder, *, loader, place, setups, n_times=1, missing=""):
    """Write an XML file; `setups` are (size in x y z, list of affines)."""
    tag = loader.removeprefix("bdv.")
    views = "".join(
        f"<ViewSetup><id>{i}</id><name>view {i}</name><size>{size}</size><voxelSize>"
        "<unit>um</unit><size>2 3 4</size></voxelSize></ViewSetup>"
        for i, (size, _) in enumerate(setups)
    )
    maps = "".join(
        f'<ViewRegistration timepoint="{t}" setup="{i}">'
        + "".join(
            f'<ViewTransform type="affine"><affine>{a}</affine></ViewTransform>'
            for a in affines
        )
        + "</ViewRegistration>"
        for t in range(n_times)
        for i, (_, affines) in enumerate(setups)
    )
    path = folder / "data.xml"
    path.write_text(
        f'<SpimData version="0.2"><BasePath type="relative">.</BasePath>'
        f'<SequenceDescription><ImageLoader format="{loader}">'
        f'<{tag} type="relative">{place}</{tag}></ImageLoader>'
        f"<ViewSetups>{views}</ViewSetups>"
        f'<Timepoints type="range"><first>0</first><last>{n_times - 1}</last>'
        f"</Timepoints><MissingViews>{missing}</MissingViews></SequenceDescription>"
        f"<ViewRegistrations>{maps}</ViewRegistrations></SpimData>"
    )
    return path


def _volumes(n_times, n_setups, shape=(20, 30, 40)):
    rng = np.random.default_rng(0)
    return rng.integers(0, 65535, (n_times, n_setups, *shape)).astype("u2")


def _hdf5(folder, volumes):
    with h5py.File(folder / "data.h5", "w") as file:
        for s in range(volumes.shape[1]):
            file[f"s{s:02d}/resolutions"] = np.array([[1.0, 1, 1], [2, 2, 1]])
        for t, s in np.ndindex(*volumes.shape[:2]):
            for level, step in enumerate((1, 2)):
                cells = volumes[t, s][:, ::step, ::step].view("i2")
                file.create_dataset(
                    f"t{t:05d}/s{s:02d}/{level}/cells",
                    data=cells,
                    chunks=(8, 8, 8),
                    compression="gzip",
                )


def test_hdf5_views_are_channels_and_times_of_unsigned_voxels(tmp_path, read_level):
    volumes = _volumes(2, 2)
    _hdf5(tmp_path, volumes)
    setups = [("40 30 20", [PLAIN])] * 2
    path = _xml(tmp_path, loader="bdv.hdf5", place="data.h5", setups=setups, n_times=2)
    with closing(open_source(str(path))) as source:
        assert isinstance(source, ChunkSource)
        assert "".join(a.name for a in source.info.pyramid.axes) == "tczyx"
        assert [c.name for c in source.info.channels] == ["view 0", "view 1"]
        for level, step in enumerate((1, 2)):
            expected = volumes[..., ::step, ::step]
            assert np.array_equal(read_level(source, level), expected)


def test_levels_are_scaled_and_centred_by_their_factors(tmp_path):
    _hdf5(tmp_path, _volumes(1, 1))
    setups = [("40 30 20", [PLAIN])]
    path = _xml(tmp_path, loader="bdv.hdf5", place="data.h5", setups=setups)
    with closing(open_source(str(path))) as source:
        fine, coarse = source.info.pyramid.levels
    assert fine.voxel_size_zyx == (4, 3, 2)
    assert fine.translation_zyx == (30, 20, 10)
    assert coarse.voxel_size_zyx == (4, 6, 4)
    assert coarse.translation_zyx == (30, 21.5, 11)


def test_views_of_other_places_are_series(tmp_path, read_level):
    volumes = _volumes(1, 2)
    _hdf5(tmp_path, volumes)
    setups = [("40 30 20", [PLAIN]), ("40 30 20", ["1 0 0 0 0 1 0 0 0 0 1 0"])]
    path = _xml(tmp_path, loader="bdv.hdf5", place="data.h5", setups=setups)
    with closing(open_source(str(path))) as source:
        assert source.info.series == ("view 0", "view 1")
    with closing(open_source(str(path), series="view 1")) as source:
        assert np.array_equal(read_level(source, 0), volumes[:, 1:])
    with pytest.raises(OptionError, match="view 0"):
        open_source(str(path), series="nothing")


def test_a_missing_view_is_missing(tmp_path):
    _hdf5(tmp_path, _volumes(2, 1))
    path = _xml(
        tmp_path,
        loader="bdv.hdf5",
        place="data.h5",
        setups=[("40 30 20", [PLAIN])],
        n_times=2,
        missing='<MissingView timepoint="1" setup="0"/>',
    )
    with closing(open_source(str(path))) as source:
        assert source.read_storage_chunk(0, (1, 0, 0, 0, 0)).data is None


def test_an_oblique_registration_places_the_view(tmp_path):
    _hdf5(tmp_path, _volumes(1, 1))
    setups = [("40 30 20", [OBLIQUE])]
    path = _xml(tmp_path, loader="bdv.hdf5", place="data.h5", setups=setups)
    with closing(open_source(str(path))) as source:
        assert source.info.findings == ()
        size = source.info.pyramid.levels[0].voxel_size_zyx
        # x' = x + y, y' = y - x: in the order of the file
        moved = source.info.world.apply((5.0, 3.0, 2.0))
    assert size == pytest.approx((1, 2**0.5, 2**0.5))
    assert moved == pytest.approx((5, 1, 5))


def test_a_registration_onto_a_plane_is_told(tmp_path):
    _hdf5(tmp_path, _volumes(1, 1))
    flat = "1 0 0 0 0 1 0 0 0 0 0 0"
    setups = [("40 30 20", [flat])]
    path = _xml(tmp_path, loader="bdv.hdf5", place="data.h5", setups=setups)
    with closing(open_source(str(path))) as source:
        assert [f.code for f in source.info.findings] == ["unusable-registration"]
        assert source.info.pyramid.levels[0].voxel_size_zyx == (4, 3, 2)


def test_angles_of_one_size_are_images_of_their_own(tmp_path):
    _hdf5(tmp_path, _volumes(1, 2))
    setups = [("40 30 20", [PLAIN]), ("40 30 20", [OBLIQUE])]
    path = _xml(tmp_path, loader="bdv.hdf5", place="data.h5", setups=setups)
    with closing(open_source(str(path), series="view 1")) as source:
        assert source.info.series == ("view 0", "view 1")
        assert source.info.placement is not None


def test_n5_views_are_read(tmp_path, read_level):
    volumes = _volumes(2, 1)
    for t in range(2):
        for level, step in enumerate((1, 2)):
            folder = tmp_path / f"data.n5/setup0/timepoint{t}/s{level}"
            data = volumes[t, 0][::step, ::step, ::step].T
            metadata = {
                "dimensions": data.shape,
                "blockSize": [16, 16, 16],
                "dataType": "uint16",
                "compression": {"type": "gzip"},
            }
            array = ts.open(
                {
                    "driver": "n5",
                    "kvstore": {"driver": "file", "path": f"{folder}/"},
                    "metadata": metadata,
                },
                create=True,
            ).result()
            array.write(data).result()
    (tmp_path / "data.n5/setup0/attributes.json").write_text(
        '{"downsamplingFactors": [[1, 1, 1], [2, 2, 2]], "dataType": "uint16"}'
    )
    setups = [("40 30 20", [PLAIN])]
    path = _xml(tmp_path, loader="bdv.n5", place="data.n5", setups=setups, n_times=2)
    with closing(open_source(str(path))) as source:
        assert np.array_equal(read_level(source, 0), volumes)
        assert source.info.pyramid.levels[1].voxel_size_zyx == (8, 6, 4)


def test_what_cannot_be_opened_is_refused_with_a_sentence(tmp_path):
    setups = [("40 30 20", [PLAIN])]
    with pytest.raises(StoreNotFoundError):
        open_source(str(tmp_path / "none.xml"))
    path = _xml(tmp_path, loader="bdv.hdf5", place="none.h5", setups=setups)
    with pytest.raises(StoreNotFoundError, match=r"none\.h5"):
        open_source(str(path))
    path = _xml(
        tmp_path, loader="spimreconstruction.filelist", place="a", setups=setups
    )
    with pytest.raises(StoreFormatError, match=r"bdv\.hdf5"):
        open_source(str(path))
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["a"] = 1
    path = _xml(tmp_path, loader="bdv.hdf5", place="data.h5", setups=setups)
    with pytest.raises(StoreFormatError, match="resolutions"):
        open_source(str(path))


def test_only_spimdata_matches(tmp_path):
    path = _xml(tmp_path, loader="bdv.n5", place="a", setups=[("1 1 1", [])])
    assert matches(str(path))
    (tmp_path / "b.xml").write_text("<html/>")
    assert not matches(str(tmp_path / "b.xml"))


@pytest.mark.parametrize("name", ["image", "segmentation"])
def test_real_data_equal_what_tensorstore_reads(real_data, name, read_level):
    folder = real_data / "n5" / "em-256"
    with closing(open_source(str(folder / f"{name}.xml"))) as source:
        assert source.info.pyramid.unit == "nanometer"
        about = source.info.pyramid.levels[1]
        assert about.voxel_size_zyx == (10, 10, 10)
        spec = {"driver": "file", "path": f"{folder}/{name}.n5/{about.path}/"}
        stored = ts.open({"driver": "n5", "kvstore": spec}).result().read().result()
        assert np.array_equal(read_level(source, 1)[0, 0], stored.T)
