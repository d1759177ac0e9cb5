"""The measurements for a GPU also end where there is none."""

from __future__ import annotations

from benchmarks.gpu import HARDWARE, SOFTWARE, amount_for


def test_software_draws_what_it_can_and_a_gpu_what_a_screen_shows():
    assert amount_for("CPU") == SOFTWARE
    assert amount_for("DiscreteGPU") == amount_for("IntegratedGPU") == HARDWARE
    # 5 million pixels a second of 128³ at most, with some to spare.
    width, height = max(SOFTWARE.sizes)
    assert width * height * SOFTWARE.repeats < 5e6
    assert len(SOFTWARE.threads) * SOFTWARE.seconds <= 10
