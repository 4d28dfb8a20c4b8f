"""Charge currents of known integral, and what must not get a number."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter
from scipy.special import polygamma

from aiida_ion.analysis.conductivity import ionic_conductivity_mS_cm
from aiida_ion.analysis.diffusion.analyse import DiffusionSettings, analyse_diffusion
from aiida_ion.analysis.green_kubo.cepstral import expected_error, log_power_at_zero, periodogram
from aiida_ion.analysis.green_kubo.estimate import Conditions, NotDeterminedError, green_kubo
from aiida_ion.analysis.green_kubo.running_integral import running_integral
from aiida_ion.analysis.trajectories.thermo import Thermo
from aiida_ion.analysis.trajectories.trajectory import Segment

STEP_FS, TAU_FS, KT_PER_M = 2.0, 20.0, 1e-4
#: D = k_B T tau / m = 2 angstrom^2/ps.
D_CM2_S = KT_PER_M * TAU_FS * 1e3 * 1e-4
CONDITIONS = Conditions(temperature_K=800.0, volume_A3=1000.0, diffusive_from_ps=0.4)


def velocities(seed: int, n_steps: int, n_ions: int) -> np.ndarray:
    """Langevin particles, (n, ions, 3), angstrom/fs."""
    keep = np.exp(-STEP_FS / TAU_FS)
    noise = np.random.default_rng(seed).standard_normal((n_steps, n_ions, 3)) * np.sqrt(KT_PER_M)
    noise[1:] *= np.sqrt(1 - keep**2)
    return lfilter([1.0], [1.0, -keep], noise, axis=0)


def truth_mS_cm(n_ions: int, charge_e: float = 1.0) -> float:  # noqa: N802
    return ionic_conductivity_mS_cm(D_CM2_S, charge_e, n_ions / 1000.0, 800.0)


def test_a_known_current_gives_the_nernst_einstein_conductivity() -> None:
    currents = [2.0 * velocities(seed, 30_000, 10).sum(axis=1) for seed in (11, 12, 13)]
    result = green_kubo(currents, STEP_FS, CONDITIONS)
    truth = truth_mS_cm(10, 2.0)
    low, high = result.green_kubo_ionic_conductivity_ci95_mS_cm
    assert result.green_kubo_ionic_conductivity_mS_cm == pytest.approx(truth, rel=0.2)
    assert low < truth < high
    assert high / low < 2.0
    assert result.green_kubo_running_mS_cm == pytest.approx(truth, rel=0.2)
    assert result.green_kubo_integral_mS_cm is not None
    assert result.green_kubo_integral_mS_cm[-1] == pytest.approx(truth, rel=0.4)
    assert len(result.green_kubo_spectrum_mS_cm) <= 300
    lowest = result.green_kubo_spectrum_mS_cm[result.green_kubo_frequencies_THz < 1.0]
    assert lowest.mean() == pytest.approx(truth, rel=0.2)


def test_independent_replicas_narrow_the_interval() -> None:
    currents = [velocities(seed, 20_000, 8).sum(axis=1) for seed in range(6)]
    one, six = (green_kubo(some, STEP_FS, CONDITIONS) for some in (currents[:1], currents))
    ratio = one.green_kubo_ionic_conductivity_std_mS_cm / one.green_kubo_ionic_conductivity_mS_cm
    assert six.green_kubo_ionic_conductivity_std_mS_cm / six.green_kubo_ionic_conductivity_mS_cm < 0.7 * ratio


def test_directions_that_conduct_differently() -> None:
    currents = [velocities(seed, 40_000, 8).sum(axis=1) * [3.0, 1.0, 0.1] for seed in range(4)]
    result = green_kubo(currents, STEP_FS, CONDITIONS)
    expected = truth_mS_cm(8) * np.array([9.0, 1.0, 0.01])
    assert np.allclose(np.log(result.green_kubo_ionic_conductivity_xyz_mS_cm / expected), 0.0, atol=0.5)
    for (low, high), true in zip(result.green_kubo_ionic_conductivity_xyz_ci95_mS_cm, expected, strict=True):
        assert low < true < high
    assert result.green_kubo_ionic_conductivity_mS_cm == pytest.approx(expected.mean(), rel=0.35)
    isotropic = green_kubo([velocities(seed, 40_000, 8).sum(axis=1) for seed in range(4)], STEP_FS, CONDITIONS)
    relative = result.green_kubo_ionic_conductivity_std_mS_cm / result.green_kubo_ionic_conductivity_mS_cm
    other = isotropic.green_kubo_ionic_conductivity_std_mS_cm / isotropic.green_kubo_ionic_conductivity_mS_cm
    assert relative > 1.2 * other


def test_bound_charges_do_not_conduct() -> None:
    """The velocity of something that stays where it is has no power at zero frequency."""
    place = lfilter([1.0], [1.0, -0.99], np.random.default_rng(1).standard_normal((40_001, 3)), axis=0)
    current = velocities(1, 40_000, 8).sum(axis=1)
    with_bound = green_kubo([current + 0.01 * np.diff(place, axis=0)], STEP_FS, CONDITIONS)
    without = green_kubo([current], STEP_FS, CONDITIONS)
    ratio = with_bound.green_kubo_ionic_conductivity_mS_cm / without.green_kubo_ionic_conductivity_mS_cm
    assert ratio == pytest.approx(1.0, abs=0.1)


def test_white_noise_has_its_power_at_zero() -> None:
    estimates = []
    for seed in range(60):
        noise = np.random.default_rng(seed).standard_normal((400, 3))
        spectrum = periodogram([noise], 2.0)
        estimates.append(log_power_at_zero(spectrum.power.mean(axis=1), 3)[:2])
    logs, variances = np.array(estimates).T
    assert np.mean(logs) == pytest.approx(np.log(2.0), abs=0.08)
    assert 0.7 < np.mean(variances) / np.var(logs) < 2.0
    assert spectrum.power[1:-1].mean() == pytest.approx(2.0, rel=0.15)
    assert expected_error(201, 3) == pytest.approx(np.sqrt(polygamma(1, 3) * 10 / 400))


@pytest.mark.parametrize(
    ("current", "interval_fs", "diffusive_from_ps", "message"),
    [
        (velocities(0, 5_000, 8).sum(axis=1), 2.0, 5.0, "resolves 2 frequencies below 0.2 THz; 12 are needed"),
        (velocities(0, 5_000, 8).sum(axis=1), 2.0, 0.75, "to 38%, the limit is 30%: run longer"),
        (velocities(0, 5_000, 8).sum(axis=1), 20.0, 0.4, "recorded every 20 fs"),
        (velocities(0, 25_000, 8)[::5].sum(axis=1), 10.0, 0.4, "still fluctuates at 50 THz"),
        (velocities(0, 5_000, 8).sum(axis=1) * [1, 1, 0], 2.0, 0.1, "no component in some direction"),
    ],
)
def test_what_cannot_be_told_is_not(
    current: np.ndarray, interval_fs: float, diffusive_from_ps: float, message: str
) -> None:
    with pytest.raises(NotDeterminedError, match=message):
        green_kubo([current], interval_fs, Conditions(800.0, 1000.0, diffusive_from_ps), 0.3)


def test_a_slower_motion_shows_when_the_cutoff_is_halved() -> None:
    """Power that rises tenfold towards zero frequency within the lower half of the band."""
    current = velocities(0, 60_000, 8).sum(axis=1)
    slow = lfilter([1.0], [1.0, -0.9995], np.random.default_rng(3).standard_normal((60_000, 3)), axis=0)
    currents = [current + 2e-4 * slow]
    with pytest.raises(NotDeterminedError, match="a slower motion is not resolved"):
        green_kubo(currents, STEP_FS, Conditions(800.0, 1000.0, 0.03))


def test_no_plateau_is_no_value() -> None:
    growing = lfilter([1.0], [1.0, -0.9998], np.random.default_rng(3).standard_normal((60_000, 3)), axis=0)
    result = running_integral([growing], 2.0, 400.0)
    assert result.plateau is None
    assert result.plateau_interval() is None
    with pytest.raises(ValueError, match="too short for a plateau"):
        running_integral([growing[:1000]], 2.0, 400.0)


def thermo(current: np.ndarray | None, n_steps: int) -> Thermo:
    times = np.arange(n_steps) * STEP_FS * 1e-3
    return Thermo(times, np.full(n_steps, 800.0), np.zeros(n_steps), None, None, current, 12, "nvt", STEP_FS)


def run(seed: int, n_steps: int) -> tuple[Segment, Thermo]:
    """Eight ions in a framework of four atoms of twice the opposite charge, at rest."""
    v = velocities(seed, n_steps, 8)
    sites = np.random.default_rng(0).random((12, 3)) * 20.0
    positions = np.repeat(sites[None], n_steps, axis=0)
    positions[:, :8] += np.cumsum(v, axis=0) * STEP_FS
    every = 50
    times = np.arange(0, n_steps, every) * STEP_FS * 1e-3
    return Segment(positions[::every], times, np.eye(3) * 20.0), thermo(v.sum(axis=1), n_steps)


SYMBOLS = ["Li"] * 8 + ["O"] * 4


def analyse(runs: list[tuple[Segment, Thermo | None]], charges: dict[str, float] | None = None, **settings: object):
    return analyse_diffusion(
        [[segment] for segment, _ in runs],
        SYMBOLS,
        "Li",
        charges or {"Li": 1.0, "O": -2.0},
        800.0,
        settings=DiffusionSettings(equilibration_fs=1000.0, **settings),
        thermo=[rows for _, rows in runs if rows is not None] or None,
    )


def test_both_routes_agree_in_the_whole_analysis() -> None:
    result = analyse([run(seed, 25_000) for seed in range(2)])
    truth = ionic_conductivity_mS_cm(D_CM2_S, 1.0, 8 / 8000.0, 800.0)
    assert result.green_kubo_reason is None
    low, high = result.green_kubo_ionic_conductivity_ci95_mS_cm
    assert low < truth < high
    other_low, other_high = result.collective_ionic_conductivity_ci95_mS_cm
    assert max(low, other_low) < min(high, other_high)
    assert result.attributes()["green_kubo_n_blocks"] >= 5
    assert {"green_kubo_spectrum_mS_cm", "green_kubo_integral_mS_cm"} <= set(result.arrays())
    assert result.green_kubo_cutoff_THz == pytest.approx(1.0 / result.diffusive_from_ps)
    assert next(check for check in result.checks if check["name"] == "green_kubo")["verdict"] == "pass"


def test_reasons_of_the_whole_analysis() -> None:
    segment, rows = run(1, 12_000)
    for runs, change, message in (
        ([(segment, None)], {}, "did not record their charge current"),
        ([(segment, thermo(np.zeros((12_000, 3)), 12_000))], {}, "did not record their charge current"),
        ([(segment, rows)], {"charges": {"Li": 1.0, "O": -1.0}}, "the charges add up to"),
        ([(segment, rows)], {"green_kubo": False}, "settings leave the Green-Kubo conductivity out"),
    ):
        result = analyse(runs, **change)
        assert result.moved
        assert result.green_kubo_ionic_conductivity_mS_cm is None
        assert message in (result.green_kubo_reason or "")
    still = Segment(np.repeat(segment.positions[:1], 240, axis=0), segment.times_ps, segment.cells)
    result = analyse([(still, rows)])
    assert not result.moved
    assert "Without a diffusive regime" in (result.green_kubo_reason or "")


def test_rows_that_are_missing_give_a_reason_and_no_error() -> None:
    segment, rows = run(1, 12_000)
    kept = np.arange(12_000) != 6_000
    broken = Thermo(
        rows.times_ps[kept],
        rows.temperature_K[kept],
        rows.potential_energy_eV[kept],
        None,
        None,
        rows.charge_current_e_A_fs[kept],
        12,
        "nvt",
        STEP_FS,
    )
    assert "not evenly spaced" in (analyse([(segment, broken)]).green_kubo_reason or "")
