"""Facts about a run from the output of pw.x: kind of dynamics, thermostat, level of theory."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from ase.data import atomic_masses, atomic_numbers

from aiida_ion.dft.pw.head import PwHead, element_of
from aiida_ion.dft.pw.output import PwOutput
from aiida_ion.dft.pw.status import read_versions
from aiida_ion.dft.steps import DftSteps
from aiida_ion.trajectory_files.pw.run import PwRun

#: Text of other calculations -> reason to refuse them.
OTHER_KINDS = (
    ("Entering Dynamics;", "its cell changes (vc-md); only molecular dynamics at constant volume is read"),
    ("BFGS Geometry Optimization", "it is a relaxation (BFGS), not molecular dynamics"),
    ("Damped Dynamics Calculation", "it is a relaxation (damped dynamics), not molecular dynamics"),
    ("Over-damped Langevin", "it is over-damped Langevin dynamics, whose steps are not steps in time"),
)
#: Velocity rescaling schemes that change the temperature on purpose.
RAMPS = ("rescale-T", "reduce-T")
#: A mass that deviates from the element's by more than this fraction is an isotope's.
ISOTOPE_TOLERANCE = 0.01
#: Text in the head -> suffix of the functional's name.
CORRECTIONS = ((r"Grimme-D2|DFT-D2", "-D2"), (r"DFT-D3|Grimme-D3", "-D3"), (r"LDA\+U|DFT\+U|Hubbard", "+U"))


def validate_kind(output: PwOutput) -> str | None:
    """Return why an output is not molecular dynamics at constant volume, or None."""
    notes = "\n".join(output.notes)
    words_of_kind = next((words for mark, words in OTHER_KINDS if mark in notes), None)
    if words_of_kind is not None:
        return words_of_kind
    if output.cell_changes:
        return "its cell changes; only molecular dynamics at constant volume is read"
    if any(step.kinetic_Ry is not None or step.iteration for step in output.steps):
        return None
    return "it holds no complete step of molecular dynamics" + (f": {output.error[1]}" if output.error else "")


def facts_of(runs: Sequence[PwRun], steps: DftSteps) -> dict[str, Any]:
    """Return facts from the runs of one file.

    :param steps: the steps that are used.
    """
    first = runs[0]
    versions = read_versions(first.output)
    facts: dict[str, Any] = {
        "program": f"pw.x {versions.get('quantumespresso', '')}".strip(),
        "sample_every": 1,
        "length_unit": _length_unit(first.output.steps[0].unit),
        "cell_fixed": True,
        "n_steps": len(steps),
        "n_steps_left_out": sum(run.n_left_out + len(run.steps) for run in runs) - len(steps),
        "mean_temperature_K": float(np.mean(steps.temperature_K)),
        **_frozen(first),
        **_temperature_facts(first.output),
    }
    if "functional" in versions:
        facts["level_of_theory"] = f"QE {versions['functional']}{_corrections(first.output)}"
    timestep_fs = next((run.timestep_fs for run in runs if run.timestep_fs is not None), None)
    if timestep_fs is not None:
        facts["timestep_fs"] = timestep_fs
    return facts


def _length_unit(unit: str) -> str:
    """Return the unit of length of a card in words; fractional positions are relative to the cell vectors."""
    return {"crystal": "cell vectors", "": "alat"}.get(unit, unit)


def _corrections(output: PwOutput) -> str:
    head = "".join(output.head)
    return "".join(words for pattern, words in CORRECTIONS if re.search(pattern, head))


def _frozen(run: PwRun) -> dict[str, int]:
    """Return the degrees of freedom, as counted by pw.x, and the number of fixed atoms."""
    frozen = run.output.frozen
    if frozen is None:
        return {"degrees_of_freedom": max(3 * len(run.head.symbols) - 3, 1)}
    return {"degrees_of_freedom": int((~frozen).sum()), "frozen_atoms": int(frozen.all(axis=1).sum())}


def _temperature_facts(output: PwOutput) -> dict[str, Any]:
    """Return ensemble and thermostat, and the target temperature only with a thermostat."""
    notes = "\n".join(output.notes)
    begin = re.search(r"Starting temperature\s+=\s+(\d+\.\d+) ", notes)
    control = re.search(r"temperature is controlled by (.+)", notes)
    if control is None:
        # A restarted run does not print its thermostat.
        return {"ensemble": "nve"} if "Molecular Dynamics Calculation" in notes else {}
    facts: dict[str, Any] = {"ensemble": "nvt", "thermostat": control[1].rstrip(" ;")}
    ramp = next((name for name in RAMPS if name in control[1]), None)
    if begin is not None and ramp is None:
        facts["target_temperature_K"] = float(begin[1])
    return facts


def labels_remarks(head: PwHead) -> list[str]:
    """Return sentences on species whose element or mass differs from their label."""
    remarks = []
    for label in dict.fromkeys(head.labels):
        index = head.labels.index(label)
        symbol, mass = head.symbols[index], float(head.masses[index])
        try:
            by_label = element_of(label, {})
        except ValueError:
            by_label = ""
        if by_label != symbol:
            remarks.append(f"WARNING: its species {label} is read as {symbol}, from its pseudopotential.")
        usual = float(atomic_masses[atomic_numbers[symbol]])
        if not np.isclose(mass, usual, rtol=ISOTOPE_TOLERANCE):
            remarks.append(f"Its species {label} has a mass of {mass:g} g/mol, and {symbol} has {usual:.4g}.")
    return remarks
