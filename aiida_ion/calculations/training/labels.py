"""The nodes of a source -> its labelled frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from aiida import orm
from numpy.typing import NDArray

from aiida_ion.calculations.training.levels import job_inputs
from aiida_ion.calculations.training.sources import Source
from aiida_ion.training.extxyz import full_stress
from aiida_ion.training.runs import LabelledRun
from aiida_ion.units import FS_PER_PS, MEV_PER_EV

NEEDED = ("positions", "cells", "steps", "times")


def labelled_run(source: Source, default_level: str | None = None) -> LabelledRun:
    """Return the frames of a source that have forces.

    :param default_level: name of the level of theory, where nothing else says it.
    :raises ValueError: for missing arrays, forces, energies or an unknown level of theory; the message says what to do.
    """
    arrays = source.trajectory.get_arraynames()
    missing = [name for name in NEEDED if name not in arrays]
    if missing:
        raise ValueError(f"{source.name} has no {', '.join(missing)}")
    level = source.level.name or default_level
    if level is None:
        raise ValueError(
            f"{source.name} does not say what made its forces; name it with the setting level_of_theory, such as "
            "'VASP PBE'"
        )
    steps = np.asarray(source.trajectory.get_array("steps"), dtype=np.int64)
    frames, forces, energies = _label_arrays(source, steps)
    return LabelledRun(
        name=source.name,
        symbols=tuple(source.trajectory.base.attributes.get("symbols")),
        positions=source.trajectory.get_array("positions")[frames],
        cells=np.asarray(source.trajectory.get_array("cells"), dtype=float)[frames],
        forces=forces,
        energies_eV=energies,
        stress=_stress(source, steps[frames]),
        frames=frames,
        steps=steps[frames],
        times_fs=np.asarray(source.trajectory.get_array("times"), dtype=float)[frames] * FS_PER_PS,
        run=source.run,
        temperature_K=source.temperature_K,
        level_of_theory=level,
        unconverged=_unconverged(source, steps[frames]),
        picked=source.labels is not None,
        drift_meV_atom_ps=_drift(source),
    )


def _drift(source: Source) -> float | None:
    """Return the drift of the conserved energy of a run without thermostat, meV per atom and ps."""
    thermo = source.thermo
    if source.labels is not None or thermo is None or thermo.base.attributes.get("ensemble", None) != "nve":
        return None
    names = set(thermo.get_arraynames())
    if "conserved_energy" in names:
        energy = np.asarray(thermo.get_array("conserved_energy"), dtype=float)
    elif {"potential_energy", "kinetic_energy"} <= names:
        energy = np.asarray(thermo.get_array("potential_energy"), dtype=float) + thermo.get_array("kinetic_energy")
    else:
        return None
    times_ps = (
        np.asarray(thermo.get_array("steps"), dtype=float) * thermo.base.attributes.get("timestep_fs") / FS_PER_PS
    )
    n_atoms = len(source.trajectory.base.attributes.get("symbols"))
    if len(energy) < 3 or not np.isfinite(energy).all() or np.ptp(times_ps) == 0:
        return None
    return float(np.polyfit(times_ps, energy, 1)[0]) * MEV_PER_EV / n_atoms


def _label_arrays(
    source: Source, steps: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[Any], NDArray[np.float64]]:
    """Return the labelled frames of a source, their forces and energies."""
    if source.labels is not None:
        rows = _rows_of_labels(source)
        frames = np.asarray(source.labels.get_array("frames"), dtype=np.int64)[rows]
        energies = np.asarray(source.labels.get_array("energies"), dtype=float)[rows]
        if len(frames) and (frames.min() < 0 or frames.max() >= len(steps)):
            raise ValueError(f"the labels of {source.name} are of frames that it does not have")
        return frames, source.labels.get_array("forces")[rows], energies
    if "forces" not in source.trajectory.get_arraynames():
        raise ValueError(
            f"{source.name} holds no forces: keep them in the run (keep: forces), or label its frames with ion.forces"
        )
    if source.thermo is None or "potential_energy" not in source.thermo.get_arraynames():
        raise ValueError(f"{source.name} comes without energies: give the thermo node of the same segment")
    energies = at_steps(source.thermo, "potential_energy", steps)
    return np.arange(len(steps)), source.trajectory.get_array("forces"), energies


def _rows_of_labels(source: Source) -> NDArray[np.int64]:
    """Return the rows of labels that are of frames of this trajectory.

    :raises ValueError: if none is, or nothing says which are.
    """
    labels = source.labels
    assert labels is not None
    segments = labels.base.attributes.get("segments", [])
    of_row = np.asarray(labels.get_array("segment"), dtype=np.int64)
    job = labels.creator
    if not isinstance(job, orm.CalcJobNode):
        if len(segments) == 1:
            return np.arange(len(of_row))
        raise ValueError(f"labels {labels.pk} of {source.name} do not say which of their rows are of its frames")
    given = job_inputs(job).get("trajectories") or {}
    mine = [key for key, node in given.items() if node.uuid == source.trajectory.uuid]
    rows: NDArray[np.int64] = np.flatnonzero(np.isin(of_row, [segments.index(key) for key in mine]))
    if not len(rows):
        raise ValueError(f"labels {labels.pk} are not of frames of {source.name}")
    return rows


def at_steps(thermo: orm.ArrayData, name: str, steps: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return a quantity at some steps; NaN at steps that the node does not have.

    :param thermo: a node with ``steps`` and the quantity at each.
    :param steps: shape (n,).
    """
    known = np.asarray(thermo.get_array("steps"), dtype=np.int64)
    values = np.asarray(thermo.get_array(name), dtype=float)
    order = np.argsort(known, kind="stable")
    place = np.minimum(np.searchsorted(known[order], steps), max(len(known) - 1, 0))
    matched = np.full((len(steps), *values.shape[1:]), np.nan)
    if len(known):
        there = known[order][place] == steps
        matched[there] = values[order][place][there]
    return matched


def _stress(source: Source, steps: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the stress of frames, shape (n, 3, 3), eV/angstrom^3; NaN where the run has none.

    That of a run belongs to its own forces: labels of another level of theory come without.
    """
    stress = np.full((len(steps), 3, 3), np.nan)
    if source.labels is None and source.thermo is not None and "stress" in source.thermo.get_arraynames():
        for row, voigt in enumerate(at_steps(source.thermo, "stress", steps)):
            matrix = full_stress(voigt)
            if matrix is not None:
                stress[row] = matrix
    return stress


def _unconverged(source: Source, steps: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return at which frames the electrons took as many iterations as were allowed."""
    limit = scf_limit(source.level.inputs)
    if source.labels is not None or source.thermo is None or "scf_iterations" not in source.thermo.get_arraynames():
        return np.zeros(len(steps), dtype=bool)
    if limit is None:
        return np.zeros(len(steps), dtype=bool)
    return np.asarray(at_steps(source.thermo, "scf_iterations", steps) >= limit)


def scf_limit(inputs: Mapping[str, Any]) -> int | None:
    """Return the largest number of electronic iterations of a job of pw.x or VASP; ``None`` where none is set."""
    if "namelists" in inputs:
        electrons = {str(key).upper(): value for key, value in inputs["namelists"].get_dict().items()}.get("ELECTRONS")
        value = {str(key).lower(): one for key, one in (electrons or {}).items()}.get("electron_maxstep")
    elif "incar" in inputs:
        value = {str(key).lower(): one for key, one in inputs["incar"].get_dict().items()}.get("nelm")
    else:
        value = None
    return None if value is None else int(value)
