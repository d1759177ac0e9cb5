"""Centres of mass against numpy; rotation and integral against a potential."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.errors import OptionError
from brickfield.stem4d import MIBLazyViewer, com
from brickfield.stem4d.detectors import Annulus, Disc, Mask
from brickfield.stem4d.open import open_scan


def atoms(ny=48, nx=64):
    """A potential that goes on periodically, and its gradient (rows, columns)."""
    y, x = np.mgrid[:ny, :nx]
    spectrum = np.zeros((ny, nx), complex)
    total = np.zeros((ny, nx))
    for cy, cx, height in ((10, 12, 1.0), (30, 40, 2.0), (40, 10, 1.5)):
        for sy in (-ny, 0, ny):
            for sx in (-nx, 0, nx):
                r2 = (y - cy - sy) ** 2 + (x - cx - sx) ** 2
                total += height * np.exp(-r2 / 32)
    ky = np.fft.fftfreq(ny)[:, None]
    kx = np.fft.fftfreq(nx)[None]
    spectrum = np.fft.fft2(total)
    rows, columns = (np.fft.ifft2(2j * np.pi * k * spectrum).real for k in (ky, kx))
    return total - total.mean(), np.stack([rows, columns])


def test_centres_of_a_detector_are_those_of_numpy(scan, patterns):
    y, x = np.mgrid[:12, :10]
    for detector in (Annulus(5.5, 4, 2, 5), Disc(3, 3, 2), Mask.of(y * 0.5 + 1)):
        weighted = patterns * detector.mask((12, 10)).astype(float)
        mass = weighted.sum((2, 3))
        expected = np.stack([(weighted * a).sum((2, 3)) / mass for a in (y, x)])
        found = com.centre_of_mass(open_scan(scan).data, detector)
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    with pytest.raises(OptionError, match="within"):
        com.centre_of_mass(open_scan(scan).data, Disc(-50, 0, 1))


def test_the_integral_of_a_gradient_is_the_potential():
    potential, field = atoms()
    np.testing.assert_allclose(com.integrate(field + 3.0), potential, atol=1e-9)


def test_the_integral_of_any_field_is_the_nearest_in_least_squares():
    """Against the normal equations, solved with a matrix."""
    rng = np.random.default_rng(3)
    field = rng.normal(size=(2, 5, 7))
    n = 35
    images = np.eye(n).reshape(n, 5, 7)
    ky, kx = np.fft.fftfreq(5)[:, None], np.fft.fftfreq(7)[None]
    spectra = np.fft.fft2(images)
    gradients = np.stack(
        [np.fft.ifft2(2j * np.pi * k * spectra).real for k in (ky, kx)]
    )
    matrix = gradients.transpose(0, 2, 3, 1).reshape(-1, n)
    centred = field - field.mean((1, 2), keepdims=True)
    best = np.linalg.lstsq(matrix, centred.ravel(), rcond=None)[0].reshape(5, 7)
    np.testing.assert_allclose(com.integrate(field), best - best.mean(), atol=1e-9)


@given(st.floats(-89, 89), st.booleans())
def test_the_rotation_of_a_detector_is_found(degrees, is_flipped):
    """A field turned and mirrored as by a detector comes back as it was."""
    _, field = atoms()
    seen = com.rotated(field, -degrees)
    if is_flipped:
        seen = seen * np.array([-1, 1])[:, None, None]
    found = com.find_rotation(seen)
    assert found.is_flipped == is_flipped
    assert found.degrees == pytest.approx(degrees, abs=0.2)
    assert found.curl < found.curl_otherwise / 10
    back = com.prepared(seen, rotation="auto")
    np.testing.assert_allclose(back, field, atol=0.005 * abs(field).max())


def test_a_plane_of_descan_is_subtracted():
    _, field = atoms()
    y, x = np.mgrid[:48, :64]
    tilted = field + np.stack([0.3 * y - 0.1 * x + 7, 0.2 * x - 4])
    tilted[:, 3, 5] = np.nan
    found = com.remove_descan(tilted)
    assert np.isnan(found[:, 3, 5]).all()
    known = np.isfinite(found)
    expected = com.remove_descan(field)
    np.testing.assert_allclose(found[known], expected[known], atol=0.01)


def test_length_and_direction_are_those_of_the_shift():
    field = np.zeros((2, 3, 3))
    field[:, 0, 0] = (9.0, 0.0)
    length, angle = com.dpc(field)
    assert length[0, 0] == pytest.approx(8.0)
    assert angle[0, 0] == pytest.approx(np.pi / 2)


def test_divergence_and_curl_are_those_of_central_differences():
    y, x = np.mgrid[:5, :6].astype(float)
    np.testing.assert_allclose(com.divergence(np.stack([2 * y, 3 * x])), 5.0)
    np.testing.assert_allclose(com.curl(np.stack([2 * x, -1 * y])), 3.0)


def test_a_viewer_gives_what_is_asked_for(scan):
    viewer = MIBLazyViewer(scan)
    field = viewer.centre_of_mass()
    np.testing.assert_array_equal(field, viewer.overview("com"))
    for kind, shape in (("dpc", (2, 6, 7)), ("icom", (6, 7)), ("divergence", (6, 7))):
        assert viewer.centre_of_mass(kind=kind, descan=True).shape == shape
    turned = viewer.centre_of_mass(rotation=90, is_flipped=True)
    np.testing.assert_allclose(turned, [field[1], field[0]], atol=1e-12)
    with pytest.raises(OptionError):
        viewer.centre_of_mass(kind="sideways")
    with pytest.raises(OptionError):
        viewer.centre_of_mass(rotation="left")
    with pytest.raises(OptionError):
        com.find_rotation(np.zeros((2, 1, 5)))
