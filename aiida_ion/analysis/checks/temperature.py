"""Was the run at its target temperature, and was energy conserved where it should be?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from aiida_ion.analysis.checks.check import Check, graded, not_applicable
from aiida_ion.analysis.checks.explosion import NO_THERMO
from aiida_ion.analysis.checks.limits import CheckLimits
from aiida_ion.analysis.checks.sampled_frames import FloatArray
from aiida_ion.analysis.trajectories.thermo import Thermo
from aiida_ion.units import MEV_PER_EV

#: Number of blocks for standard errors, and the total number of rows they need.
N_BLOCKS, MIN_ROWS = 10, 50
#: A difference is significant above this many standard errors.
ERRORS = 3.0


class Trend(NamedTuple):
    """Mean of a series, rise of the line through its blocks, and their standard errors."""

    mean: float
    mean_error: float
    rise: float
    rise_error: float


def trend(series: FloatArray) -> Trend:
    """Return mean and rise over the whole series, with errors from the scatter of ten blocks about a line."""
    blocks = np.array([block.mean() for block in np.array_split(series, N_BLOCKS)])
    place = (np.arange(N_BLOCKS) + 0.5) / N_BLOCKS - 0.5
    rise = float(place @ blocks / (place @ place))
    rest = blocks - blocks.mean() - rise * place
    spread = float(np.sqrt(rest @ rest / (N_BLOCKS - 2)))
    return Trend(float(series.mean()), spread / N_BLOCKS**0.5, rise, spread / float(np.sqrt(place @ place)))


def temperature_checks(thermo: Thermo | None, target_temperature_K: float | None, limits: CheckLimits) -> list[Check]:
    """Mean against the target, and drift over the run.

    :param thermo: after equilibration.
    """
    units = {"temperature_off": "", "temperature_drift": ""}
    if thermo is None:
        return [not_applicable(name, unit, NO_THERMO) for name, unit in units.items()]
    if target_temperature_K is None or len(thermo.times_ps) < MIN_ROWS:
        why = f"The target temperature is not known, or fewer than {MIN_ROWS} steps are left after equilibration."
        return [not_applicable(name, unit, why) for name, unit in units.items()]
    line = trend(thermo.temperature_K)
    return [_off(thermo, line, target_temperature_K, limits), _drift(line, target_temperature_K, limits)]


def _off(thermo: Thermo, line: Trend, target: float, limits: CheckLimits) -> Check:
    if thermo.ensemble == "nve":
        return not_applicable("temperature_off", "", "With constant energy no temperature is imposed.")
    noise = ERRORS * line.mean_error / target
    off = abs(line.mean - target) / target
    return graded(
        "temperature_off",
        off,
        "",
        warn=max(limits.temperature_off_warn, noise),
        fail=max(limits.temperature_off_fail, noise),
        message=f"The mean temperature, {line.mean:.5g} K, differs from the target by {off:.2%}",
    )


def _drift(line: Trend, target: float, limits: CheckLimits) -> Check:
    noise = ERRORS * line.rise_error / target
    return graded(
        "temperature_drift",
        abs(line.rise) / target,
        "",
        warn=max(limits.temperature_drift_warn, noise),
        fail=max(limits.temperature_drift_fail, noise),
        message=f"The temperature drifts by {line.rise:+.3g} K over the run",
    )


def energy_drift_check(thermo: Thermo | None, limits: CheckLimits) -> Check:
    """Drift of the conserved energy of a run with constant energy, beyond its noise.

    :param thermo: after equilibration.
    """
    name, unit = "energy_drift", "meV/atom/ps"
    if thermo is None:
        return not_applicable(name, unit, NO_THERMO)
    if thermo.ensemble != "nve":
        return not_applicable(name, unit, "Only a run with constant energy (nve) conserves its energy.")
    if thermo.conserved_energy_eV is None or len(thermo.times_ps) < MIN_ROWS:
        return not_applicable(name, unit, f"The conserved energy is not known for {MIN_ROWS} steps.")
    line = trend(thermo.conserved_energy_eV)
    span_ps = float(thermo.times_ps[-1] - thermo.times_ps[0])
    per_atom = MEV_PER_EV / (thermo.n_atoms * span_ps)
    sure = max(0.0, abs(line.rise) - ERRORS * line.rise_error) * per_atom
    return graded(
        name,
        sure,
        unit,
        warn=limits.energy_drift_warn_meV_atom_ps,
        fail=limits.energy_drift_fail_meV_atom_ps,
        message=f"The energy drifts by {line.rise * per_atom:+.3g} meV/atom/ps, of which {sure:.3g} is beyond noise",
    )
