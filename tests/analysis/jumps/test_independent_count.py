"""Jumps against a count that shares no code with the analysis: synthetic hops whose number and rate are known."""

from __future__ import annotations

from itertools import product

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

pytest.importorskip("gemdat")

from aiida_ion.analysis.jumps.analyse import analyse_jumps
from aiida_ion.analysis.jumps.result import JumpResult
from aiida_ion.analysis.jumps.settings import JumpSettings
from aiida_ion.analysis.jumps.sites import Reference
from aiida_ion.analysis.trajectories.trajectory import Segment
from tests.analysis.jumps.hopper import Hopper

FloatArray = npt.NDArray[np.float64]

TRICLINIC = np.array([[8.5, 2.0, -1.5], [0.5, 9.0, 3.0], [1.5, -1.0, 10.0]])
CELLS = pytest.mark.parametrize("cell", [np.eye(3) * 9.0, TRICLINIC], ids=["cubic", "triclinic"])
SYMBOLS = ["Li"] + ["O"] * 27


def jumps_by_hand(positions: FloatArray, sites: FloatArray, cell: FloatArray, radius_A: float) -> int:
    """Ion by ion and frame by frame: how often the site that was last reached, with its cell, is another one.

    :param positions: unwrapped, angstrom, (n, M, 3).
    :param sites: fractional, (S, 3).
    """
    images = np.array(list(product((-1, 0, 1), repeat=3)))
    count = 0
    for path in positions.transpose(1, 0, 2):
        last = None
        for place in path:
            home = np.floor(place @ np.linalg.inv(cell)).astype(int)
            corners = sites[:, None, :] + (home + images)[None, :, :]
            apart = np.linalg.norm(corners @ cell - place, axis=2)
            site, image = np.unravel_index(np.argmin(apart), apart.shape)
            if apart[site, image] >= radius_A:
                continue
            here = (int(site), *(home + images[image]))
            count += last is not None and here != last
            last = here
    return count


def picture(hopper: Hopper, segment: Segment, symbols: list[str], **settings: float) -> JumpResult:
    n_sites = len(hopper.sites())
    fractional = np.concatenate([hopper.sites(), hopper.framework()])
    reference = Reference(hopper.cell, ["Li"] * n_sites + ["O"] * n_sites, fractional)
    told = JumpSettings.from_dict({"sites": "structure", **settings})
    return analyse_jumps([[segment]], symbols, "Li", 1000.0, reference=reference, settings=told)


def known_jumps(hopper: Hopper, seed: int) -> int:
    return int(np.any(np.diff(hopper.lattice_steps(seed), axis=0) != 0, axis=2).sum())


@pytest.mark.parametrize("amplitude_A", [0.05, 0.15, 0.3])
@CELLS
def test_synthetic_hops_are_counted_as_by_hand(cell: FloatArray, amplitude_A: float) -> None:
    hopper = Hopper(cell=cell, n_ions=6, n_frames=600, rates_1_ps=(0.5, 0.3, 0.1), amplitude_A=amplitude_A)
    segment, symbols = hopper.segment(4)
    result = picture(hopper, segment, symbols, site_radius_A=0.9)
    own = jumps_by_hand(segment.positions[:, :6].astype(float), hopper.sites(), cell, 0.9)
    # The analysis measures from the framework, whose atoms tremble: it can see an ion at a site a frame later.
    assert len(result.jumps) == pytest.approx(own, abs=1)
    assert len(result.jumps) == pytest.approx(known_jumps(hopper, 4), rel=0.04)


@CELLS
def test_a_hop_there_and_back_is_two_jumps(cell: FloatArray) -> None:
    """One ion goes to the periodic image of a neighbour across the face of the cell, stays 10 frames, and returns."""
    hopper = Hopper(cell=cell, n_ions=1, n_frames=300)
    site = np.tile(hopper.sites()[0], (300, 1))
    site[100:110, 0] -= 1.0 / 3.0
    fixed = np.tile(hopper.framework(), (300, 1, 1))
    rng = np.random.default_rng(2)
    positions = np.concatenate([site[:, None], fixed], axis=1) @ cell + rng.normal(0.0, 0.1, (300, 28, 3))
    segment = Segment(positions, np.arange(300) * 0.02, cell)
    result = picture(hopper, segment, SYMBOLS, site_radius_A=0.9)
    assert (result.jumps.start_frame.tolist(), result.jumps.stop_frame.tolist()) == ([99, 109], [100, 110])
    assert result.jumps.start.tolist() == result.jumps.destination[::-1].tolist()
    assert result.jumps.image.tolist() == [[-1, 0, 0], [1, 0, 0]]
    assert jumps_by_hand(positions[:, :1], hopper.sites(), cell, 0.9) == 2
    assert result.attributes()["jump_rate_1_ps"] == pytest.approx(2 / (299 * 0.02))
    assert len(picture(hopper, segment, SYMBOLS, site_radius_A=0.9, minimal_residence_fs=300.0).jumps) == 0


def test_no_hop_is_no_jump_however_wide_the_ions_vibrate() -> None:
    """At 0.5 angstrom along each axis ions are nearer to another site at times: they come back, and have not jumped."""
    hopper = Hopper(rates_1_ps=(0.0, 0.0, 0.0), n_ions=8, n_frames=800, amplitude_A=0.5)
    segment, symbols = hopper.segment(1)
    mobile = segment.positions[:, :8].astype(float)
    assert jumps_by_hand(mobile, hopper.sites(), hopper.cell, np.inf) > 10
    assert len(picture(hopper, segment, symbols, site_radius_A=0.7).jumps) == 0


def test_the_interval_holds_the_rate_as_often_as_it_says() -> None:
    """30 runs whose rate is known, not counted: between 24 and 30 of them hold it, but for one case in a thousand."""
    held = []
    for seed in range(30):
        hopper = Hopper(cell=TRICLINIC, n_ions=8, n_frames=400, rates_1_ps=(0.3, 0.2, 0.1))
        segment, symbols = hopper.segment(100 + seed)
        low, high = picture(hopper, segment, symbols, site_radius_A=0.9).attributes()["jump_rate_ci95_1_ps"]
        alone = 1.0 - np.prod([1.0 - rate * hopper.interval_fs / 1000.0 for rate in hopper.rates_1_ps])
        held.append(low <= alone / hopper.interval_fs * 1000.0 <= high)
    assert sum(held) >= stats.binom.ppf(0.001, 30, 0.95)
