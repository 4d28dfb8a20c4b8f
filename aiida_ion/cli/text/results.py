"""Results as text: diffusivities, conductivities and trajectories with their intervals and checks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aiida import orm

from aiida_ion.cli.text.comparisons import comparison_lines
from aiida_ion.cli.text.converged import convergence_table
from aiida_ion.cli.text.convergence import convergence_lines
from aiida_ion.cli.text.datasets import dataset_lines, is_dataset
from aiida_ion.cli.text.extrapolation import extrapolation_lines
from aiida_ion.cli.text.jumps import is_jump_analysis, jump_lines
from aiida_ion.cli.text.members import member_lines
from aiida_ion.cli.text.screenings.results import barrier_lines, decision_lines
from aiida_ion.cli.text.species import species_lines
from aiida_ion.cli.text.students import is_student, student_lines
from aiida_ion.cli.text.tables import (
    entries,
    number,
    number_or_interval,
    sentences,
    text,
    value_or_bound,
    with_interval,
)
from aiida_ion.fingerprints import FINGERPRINT_SHA256
from aiida_ion.queries.cells import known
from aiida_ion.queries.reading.kinds import read_attributes
from aiida_ion.verdicts import MOVED, NOT_MEASURABLE, POORLY_KNOWN, verdict_of, words_of

#: Attributes of a diffusion node that are shown as checks, and their names.
CHECKS = (
    ("n_eff", "effective hops"),
    ("n_hops", "counted hops"),
    ("n_ions_hopped", "ions that hopped"),
    ("log_log_slope", "log-log slope of the MSD"),
    ("max_msd_A2", "largest MSD, angstrom^2"),
    ("framework_msd_A2", "framework MSD, angstrom^2"),
    ("drift_A", "drift removed, angstrom"),
    ("fit_consistent", "kinisi and least squares agree"),
    ("analysed_time_ps", "analysed, ps"),
    ("n_replicas", "replicas"),
    ("temperature_mean_K", "measured temperature, K"),
)
#: Whether the runs of a trained potential were watched.
WATCHED = "watched: runs that leave the frames that the potential was trained on are stopped"
NOT_WATCHED = "NOT watched: runs may have left the frames that the potential was trained on"
#: Start of remarks that may change a result.
WARNING = "WARNING: "
#: Attributes of a trajectory that was read from a file.
SOURCE = (
    *("source_file", "source_sha256", "source_format", "source_program", "source_n_frames", "source_n_left_out"),
    *("source_numbers", "source_units", "source_cell", "source_wrapping"),
)


def result_lines(node: orm.Node) -> list[str]:
    """Return a result as lines of text."""
    attributes = read_attributes(node.base.attributes.all)
    if isinstance(node, orm.TrajectoryData):
        return _trajectory(node)
    if is_jump_analysis(attributes):
        return jump_lines(node)
    if is_dataset(attributes):
        return dataset_lines(node)
    if is_student(attributes):
        return student_lines(node)
    for name, lines_of in _BY_ATTRIBUTE.items():
        if name in attributes:
            return lines_of(attributes)
    skip = ("array|", "units", "symbols", "cell")
    plain = {key: value for key, value in attributes.items() if not key.startswith(skip)}
    return [f"{key}: {value}" for key, value in plain.items() if isinstance(value, (str, int, float, bool))]


def _diffusion(attributes: Mapping[str, Any]) -> list[str]:
    what = f"{text(attributes.get('formula'))}, {text(attributes.get('level_of_theory'))}"
    lines = [
        f"{what}, {number(attributes.get('target_temperature_K'), 6)} K, "
        f"{text(attributes.get('mobile_species'))} mobile"
    ]
    verdict = verdict_of(attributes)
    if verdict == MOVED:
        lines.append(f"diffusive; grade {text(attributes.get('grade'))}")
    elif verdict == POORLY_KNOWN:
        lines.append(
            f"diffusive, POORLY KNOWN; grade {text(attributes.get('grade'))}. {text(attributes.get('reason'))}"
        )
    elif verdict == NOT_MEASURABLE:
        lines.append(f"undetermined. {text(attributes.get('reason'))}")
    else:
        lines.append(f"no diffusion detected: upper bound. {text(attributes.get('reason'))}")
    for name, unit, words in (
        ("tracer_diffusivity", "cm2_s", "tracer diffusivity, cm2/s"),
        ("ionic_conductivity", "mS_cm", "ionic conductivity (Nernst-Einstein), mS/cm"),
        ("collective_diffusivity", "cm2_s", "collective diffusivity, cm2/s"),
        ("collective_ionic_conductivity", "mS_cm", "ionic conductivity (collective), mS/cm"),
        ("green_kubo_ionic_conductivity", "mS_cm", "ionic conductivity (Green-Kubo), mS/cm"),
    ):
        value = value_or_bound(attributes, name, unit)
        if value != "-":
            lines.append(f"{words}: {value}")
    lines += species_lines(attributes)
    if known(attributes.get("haven_ratio")):
        limits = attributes.get("haven_ratio_ci95"), attributes.get("max_interval_decades")
        lines.append(f"Haven ratio: {number_or_interval(attributes['haven_ratio'], *limits)}")
    checks = [f"{words} {_plain(attributes[name])}" for name, words in CHECKS if known(attributes.get(name))]
    lines.append(f"checks: {'; '.join(checks)}")
    lines += [f"warning: {warning}" for warning in sentences(attributes.get("warnings"))]
    return lines + _remarks(attributes)


def _remarks(attributes: Mapping[str, Any]) -> list[str]:
    """Return the notes on the trajectories; warnings are among those of the result."""
    return [f"note: {remark}" for remark in sentences(attributes.get("remarks")) if not remark.startswith(WARNING)]


def _conductivity(attributes: Mapping[str, Any]) -> list[str]:
    lines = [text(attributes.get("summary"))]
    lines.append(f"verdict: {words_of(verdict_of(attributes))}")
    if known(attributes.get("reason")):
        lines.append(f"why: {text(attributes['reason'])}")
    target = number(attributes.get("target_temperature_K"), 6)
    lines.append(
        f"ionic conductivity at {target} K, mS/cm: {value_or_bound(attributes, 'ionic_conductivity', 'mS_cm')}"
    )
    energy = with_interval(attributes.get("activation_energy_eV"), attributes.get("activation_energy_ci95_eV"))
    lines.append(f"activation energy, eV: {energy}")
    lines += member_lines(attributes)
    lines += species_lines(attributes)
    lines += extrapolation_lines(attributes)
    used = ", ".join(number(value, 4) for value in attributes.get("temperatures_used_K") or [])
    lines.append(f"temperatures used, K: {used or 'none'}")
    for words, name in (("bound at", "temperatures_bound"), ("not used:", "temperatures_refused")):
        for item in entries(attributes.get(name)):
            lines.append(f"{words} {number(item.get('temperature_K'), 4)} K: {text(item.get('reason'))}")
    lines += convergence_lines(attributes.get("convergence"))
    if isinstance(attributes.get("watched"), bool):
        lines.append(WATCHED if attributes["watched"] else NOT_WATCHED)
    return lines + [f"warning: {warning}" for warning in sentences(attributes.get("warnings"))]


#: What only one kind of result has -> its lines.
_BY_ATTRIBUTE: dict[str, Callable[[Mapping[str, Any]], list[str]]] = {
    "reference_level_of_theory": comparison_lines,
    "recommended_cutoffs": convergence_table,
    "activation_energy_eV": _conductivity,
    "verdict": _diffusion,
    "decisions": decision_lines,
    "barriers_eV": barrier_lines,
}


def _trajectory(node: orm.TrajectoryData) -> list[str]:
    attributes = read_attributes(node.base.attributes.all)
    shape = attributes["array|positions"]
    sized = isinstance(shape, list) and len(shape) == 3
    lines = [f"{text(shape[0])} frames of {text(shape[1])} atoms, angstrom, unwrapped"] if sized else []
    names = (
        "target_temperature_K",
        "timestep_fs",
        "sample_every",
        "equilibration_fs",
        "seed",
        "watched",
        "level_of_theory",
    )
    for name in (*names, FINGERPRINT_SHA256, *SOURCE):
        if known(attributes.get(name)):
            lines.append(f"{name}: {attributes[name]}")
    warnings = [remark for remark in sentences(attributes.get("remarks")) if remark.startswith(WARNING)]
    return lines + [f"warning: {remark.removeprefix(WARNING)}" for remark in warnings] + _remarks(attributes)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "NO"
    return number(value, 4)
