"""All checks of a diffusion result, the grade that follows, and whether the result must be refused."""

from __future__ import annotations

from collections.abc import Sequence

from aiida_ion.analysis.checks.check import Check, worst
from aiida_ion.analysis.checks.estimators import systematic_error_check
from aiida_ion.analysis.checks.explosion import distance_check, explosion_checks
from aiida_ion.analysis.checks.framework import framework_checks
from aiida_ion.analysis.checks.framework_order import order_checks
from aiida_ion.analysis.checks.green_kubo import green_kubo_check
from aiida_ion.analysis.checks.halves import diffusivity_halves_check, energy_halves_check
from aiida_ion.analysis.checks.limits import CheckLimits
from aiida_ion.analysis.checks.motion import motion_checks, spacing_check
from aiida_ion.analysis.checks.sampled_frames import SampledFrames, sample_frames
from aiida_ion.analysis.checks.temperature import energy_drift_check, temperature_checks
from aiida_ion.analysis.checks.units import find_bonds, find_units
from aiida_ion.analysis.diffusion import hops
from aiida_ion.analysis.diffusion.result import DiffusionResult
from aiida_ion.analysis.trajectories.thermo import Thermo
from aiida_ion.analysis.trajectories.trajectory import Segment

#: A warning lowers the grade by one letter.
LOWER = {"A": "B", "B": "C", "C": "C"}


def judge(
    result: DiffusionResult,
    replicas: Sequence[Sequence[Segment]],
    symbols: Sequence[str],
    *,
    thermo: Sequence[Thermo] | None = None,
    target_temperature_K: float | None = None,
    equilibration_fs: float = 0.0,
    limits: CheckLimits | None = None,
) -> None:
    """Run all checks, and fill in ``checks``, ``refused_because`` and ``grade`` of a finished result.

    :param result: with everything else filled in; its ``framework_species`` must stay ordered.
    :param replicas: the segments analysed, unwrapped.
    :param symbols: element of each atom, (N,).
    :param thermo: one for each replica, from the first step on; with ``None`` the checks that need it are not
        applicable.
    :param target_temperature_K: of the thermostat, K.
    :param equilibration_fs: left out by the checks of temperature, energy and diffusion; the framework and the
        distances are checked from the first frame on.
    :param limits: defaults when ``None``.
    """
    limits = limits or CheckLimits()
    framework = result.framework_species or None
    each = [
        _of_trajectory(
            sample_frames(segments, symbols, result.mobile_species, equilibration_fs, framework_species=framework),
            result,
            limits,
        )
        for segments in replicas
    ]
    records: Sequence[Thermo | None] = thermo or [None]
    each_thermo = [_of_thermo(record, target_temperature_K, equilibration_fs, limits) for record in records]
    checks = [*_worst_of_replicas(each_thermo), *_worst_of_replicas(each)]
    checks += [*motion_checks(result, limits), systematic_error_check(result, limits), green_kubo_check(result)]
    result.checks = [check.to_dict() for check in checks]
    result.refused_because = next((check.message for check in checks if check.verdict == "fail"), None)
    result.grade = grade(result, checks)


def grade(result: DiffusionResult, checks: Sequence[Check]) -> str:
    """``bound`` without a diffusivity; ``D`` if a check failed; else the letter of N_eff, lower after a warning."""
    if not result.moved:
        return "bound"
    verdicts = {check.verdict for check in checks}
    if "fail" in verdicts:
        return "D"
    letter = hops.grade(result.n_eff)
    return LOWER.get(letter, letter) if "warn" in verdicts else letter


def _of_trajectory(sampled: SampledFrames, result: DiffusionResult, limits: CheckLimits) -> list[Check]:
    bonds = find_bonds(sampled)
    units = find_units(sampled, bonds)
    return [
        distance_check(sampled, limits),
        *framework_checks(sampled, units, limits),
        *order_checks(sampled, units, bonds, limits),
        spacing_check(sampled, limits),
        diffusivity_halves_check(sampled, result, limits),
    ]


def _of_thermo(
    thermo: Thermo | None, target_temperature_K: float | None, equilibration_fs: float, limits: CheckLimits
) -> list[Check]:
    later = thermo.after(equilibration_fs) if thermo is not None else None
    return [
        *explosion_checks(thermo, target_temperature_K, limits),
        *temperature_checks(later, target_temperature_K, limits),
        energy_drift_check(later, limits),
        energy_halves_check(later, limits),
    ]


def _worst_of_replicas(each: Sequence[Sequence[Check]]) -> list[Check]:
    names = [f"Replica {number}" for number in range(1, len(each) + 1)]
    return [worst(same, names) for same in zip(*each, strict=True)]
