"""Molecular dynamics of VASP from its ``vasprun.xml``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from ase import units
from numpy.typing import NDArray

from aiida_ion.dft.steps import DftSteps
from aiida_ion.dft.vasp.atoms import elements_of
from aiida_ion.dft.vasp.motion import unwrapped
from aiida_ion.dft.vasp.output import in_ase_convention
from aiida_ion.dft.vasp.xml import Vasprun, read_vaspruns
from aiida_ion.trajectory_files.dft_output import DftOutput, check_continuous, enough_steps, temperature_remarks
from aiida_ion.trajectory_files.opening import unpacked
from aiida_ion.trajectory_files.vasp.vasprun_facts import (
    check_kind,
    constraints_beside,
    facts_of,
    missing_remarks,
    run_remarks,
)

#: Tolerance of equal cells, which are written with eight digits, angstrom.
SAME_CELL_A = 1e-6
#: Tolerance of equal positions, which are written with eight digits of the cell, angstrom.
SAME_PLACE_A = 1e-6


@dataclass(frozen=True)
class VaspTrajectory:
    """The usable steps of one run.

    :param left_out: sentences on the other steps.
    """

    run: Vasprun
    steps: DftSteps
    left_out: list[str]


def read_vasp(path: Path) -> DftOutput:
    """Read molecular dynamics from a ``vasprun.xml``, which may be truncated anywhere.

    Several documents in one file are one run if each continues from the previous one.

    :raises ValueError: if it holds no molecular dynamics at constant volume, or two separate runs.
    """
    with unpacked(path) as file:
        runs = read_vaspruns(file)
    if not runs:
        raise ValueError("it is not a vasprun.xml")
    for run in runs:
        check_kind(run)
        if not len(run):
            raise ValueError(f"it holds no complete ionic step{f': {run.problem}' if run.problem else ''}")
    symbols, masses, remarks = elements_of(runs[0].blocks)
    n_constraints, constraint_remarks = constraints_beside(path)
    parts = [_trajectory(run, symbols, n_constraints) for run in runs]
    steps = parts[0].steps
    for part in parts[1:]:
        _check_same_run(runs[0], part.run)
        steps = _joined(steps, part.steps, remarks)
    facts = facts_of(runs, steps, n_constraints)
    if facts.get("sample_every") == 1:
        check_continuous(steps.positions, steps.cell, symbols, 0)
    for part in parts:
        remarks += run_remarks(part.run) + part.left_out
    remarks += temperature_remarks(steps, facts["degrees_of_freedom"]) + missing_remarks(steps)
    return DftOutput(symbols, enough_steps(steps), masses, facts, remarks + constraint_remarks)


def _trajectory(run: Vasprun, symbols: list[str], n_constraints: int) -> VaspTrajectory:
    """Return the steps of a run up to the first unusable one.

    :raises ValueError: if its cell or atoms change, or it holds no usable step.
    """
    if len(symbols) != run.positions.shape[1]:
        raise ValueError(f"it holds {run.positions.shape[1]} positions per step for {len(symbols)} atoms")
    _check_cell(run)
    left_out = [f"WARNING: the rest of the file is left out: {run.problem}."] if run.problem else []
    n_whole, reason = _usable(run)
    if reason:
        left_out.append(f"WARNING: {len(run) - n_whole} of {len(run)} steps are left out: {reason}.")
    kept, n_repeated = _not_repeated(run, n_whole)
    if n_repeated:
        left_out.append(f"WARNING: {n_repeated} steps repeat the previous one; each is read once.")
    fractional = run.positions[kept]
    if not len(fractional):
        raise ValueError(f"it holds no usable step: {reason}")
    kinetic = run.energies["kinetic_energy_eV"][kept]
    freedom = max(run.degrees_of_freedom - n_constraints, 1)
    steps = DftSteps(
        first_step=0,
        positions=unwrapped(fractional, run.cell, fractional[0] @ run.cell),
        next_positions=None,
        cell=run.cells[0],
        forces=run.forces[kept],
        potential_energy_eV=run.energies["free_energy_eV"][kept],
        kinetic_energy_eV=kinetic,
        conserved_energy_eV=run.energies["total_energy_eV"][kept],
        temperature_K=2.0 * kinetic / (freedom * units.kB),
        scf_iterations=run.scf_iterations[kept],
        stress=in_ase_convention(run.stresses[kept]),
    )
    return VaspTrajectory(run, steps, left_out)


def _check_cell(run: Vasprun) -> None:
    changed = np.abs(run.cells - run.cells[0]).max(axis=(1, 2))
    bad = ~(changed <= SAME_CELL_A)
    if bad.any():
        step = int(np.argmax(bad))
        volumes = np.abs(np.linalg.det(run.cells[[0, -1]]))
        raise ValueError(
            f"its cell changes from step {step} on ({volumes[0]:.1f} to {volumes[1]:.1f} angstrom^3 in total, "
            f"ISIF = {run.tag('ISIF') or '?'}); only molecular dynamics at constant volume is read"
        )


def _usable(run: Vasprun) -> tuple[int, str]:
    """Return how many steps can be used, and why not more."""
    places = ~np.isfinite(run.positions).all(axis=(1, 2))
    forces = ~np.isfinite(run.forces).all(axis=(1, 2)) & np.isfinite(run.forces).any(axis=(1, 2))
    unconverged = run.unconverged()
    ends = [
        (int(np.argmax(places)) if places.any() else len(run), "some positions are not numbers"),
        (int(np.argmax(forces)) if forces.any() else len(run), "some forces are not numbers"),
        (len(run) if unconverged is None else unconverged, "the electrons did not converge"),
    ]
    first, why = min(ends, key=lambda end: end[0])
    return first, f"from step {first} on {why}" if first < len(run) else ""


def _not_repeated(run: Vasprun, n_whole: int) -> tuple[NDArray[np.int64], int]:
    """Return the rows that do not repeat the previous one, with equal positions and forces although atoms move."""
    rows = np.arange(n_whole)
    if n_whole < 2:
        return rows, 0
    positions, forces = run.positions[:n_whole], np.nan_to_num(run.forces[:n_whole])
    still = np.zeros(n_whole, dtype=bool)
    still[1:] = (positions[1:] == positions[:-1]).all(axis=(1, 2)) & (forces[1:] == forces[:-1]).all(axis=(1, 2))
    still &= np.nan_to_num(run.energies["kinetic_energy_eV"][:n_whole]) > 0
    return rows[~still], int(still.sum())


def _check_same_run(first: Vasprun, later: Vasprun) -> None:
    """Check that two runs of a file can be parts of one.

    :raises ValueError: naming what differs.
    """
    if [(b["symbol"], b["count"]) for b in first.blocks] != [(b["symbol"], b["count"]) for b in later.blocks]:
        raise ValueError("it holds two runs of different atoms: give each its own file")
    if not np.allclose(first.cell, later.cell, atol=SAME_CELL_A):
        raise ValueError("it holds two runs in different cells: give each its own file")
    for tag in ("POTIM", "TEBEG", "TEEND"):
        if first.number(tag) != later.number(tag):
            raise ValueError(
                f"it holds two runs of {tag} {first.tag(tag)} and {later.tag(tag)}: give each its own file"
            )


def _joined(steps: DftSteps, later: DftSteps, remarks: list[str]) -> DftSteps:
    """Join two runs, the second of which begins at a step of the first or one step after its last."""
    inverse = np.linalg.inv(steps.cell)
    apart = (steps.positions - later.positions[0]) @ inverse
    away = np.abs((apart - np.round(apart)) @ steps.cell).max(axis=(1, 2))
    row = int(np.argmin(away)) if away.min() <= SAME_PLACE_A else len(steps)
    if row == 0:
        shared = min(len(steps), len(later))
        if not np.allclose(steps.positions[:shared], later.positions[:shared], atol=1e-4):
            raise ValueError("it holds two runs from the same start: give each its own file")
        remarks.append("WARNING: it holds the same run twice; it is read once.")
        return steps if len(steps) >= len(later) else later
    if row < len(steps):
        remarks.append(f"Its second run begins at step {row} of the first, which is read up to there.")
    else:
        remarks.append("It holds two runs, which are read as one: the second begins where the first ends.")
    before = steps.rows(0, row)
    shift: Any = np.round((before.positions[-1] - later.positions[0]) @ inverse) @ steps.cell
    return replace(before, next_positions=None).followed_by(later.moved(shift))
