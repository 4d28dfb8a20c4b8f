"""Facts about a run from ``vasprun.xml``: kind, thermostat, machine-learned steps, level of theory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from aiida_ion.dft.steps import DftSteps
from aiida_ion.dft.vasp.functional import functional_name
from aiida_ion.dft.vasp.xml import Vasprun

#: VASP's thermostats by MDALGO; 1, 11 and 21 depend on other tags.
THERMOSTATS = {2: "Nose-Hoover", 3: "Langevin", 4: "Nose-Hoover chain", 5: "CSVR", 21: "Nose-Hoover"}
ANDERSEN = (1, 11)
#: Several thermostats, each for some of the atoms.
SEVERAL = 13
#: From this version on the output interval of a force field applies to vasprun.xml (VASP wiki, ML_OUTBLOCK).
OUTBLOCK_SINCE = (6, 4, 3)


def check_kind(run: Vasprun) -> None:
    """Check that a run is molecular dynamics.

    :raises ValueError: naming what it is instead.
    """
    ibrion, images = run.number("IBRION"), run.number("IMAGES")
    if ibrion not in (None, 0.0):
        raise ValueError(f"it is not molecular dynamics (IBRION = {ibrion:g})")
    if images is not None and images > 0:
        raise ValueError(f"it is one of {images:g} images of a path (IMAGES), not molecular dynamics")
    if run.number("POTIM") == 0.0:
        raise ValueError("its time step is zero (POTIM = 0)")
    both = {run.parameters.get("POTIM"), run.incar.get("POTIM")} - {None}
    values = {float(text) for text in both if text and _is_number(text)}
    if len(values) > 1:
        raise ValueError(f"it states two time steps: POTIM is {' and '.join(f'{v:g}' for v in sorted(values))} fs")
    learned = int((~run.ab_initio).sum())
    n_steps = run.number("NSW")
    if run.has_force_field and not learned and n_steps is not None and len(run) < n_steps:
        raise ValueError(
            f"it is a run with a machine-learned force field (ML_LMLFF) of {n_steps:g} steps and holds positions of "
            f"only {len(run)}, those that were computed ab initio; read its XDATCAR instead"
        )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def facts_of(runs: Sequence[Vasprun], steps: DftSteps, n_constraints: int) -> dict[str, Any]:
    """Return facts from the runs of one file.

    :param steps: the steps that are used.
    :param n_constraints: constrained coordinates, each of which removes a degree of freedom.
    """
    run = runs[0]
    facts: dict[str, Any] = {
        "program": run.program.replace("vasp", "VASP"),
        "level_of_theory": f"VASP {_level(run)}",
        "length_unit": "cell vectors",
        "cell_fixed": True,
        "n_steps": len(steps),
        "n_steps_left_out": sum(map(len, runs)) - len(steps),
        "degrees_of_freedom": max(run.degrees_of_freedom - n_constraints, 1),
        **_temperature_facts(run),
    }
    if np.isfinite(steps.temperature_K).any():
        facts["mean_temperature_K"] = float(np.nanmean(steps.temperature_K))
    timestep_fs, sample_every = run.number("POTIM"), _sample_every(runs)
    if timestep_fs is not None:
        facts["timestep_fs"] = timestep_fs
    if sample_every is not None:
        facts["sample_every"] = sample_every
    if run.selective is not None:
        facts["frozen_atoms"] = int((~run.selective).all(axis=1).sum())
    if any(other.machine_learned for other in runs):
        facts["n_steps_ab_initio"] = sum(int(other.ab_initio.sum()) for other in runs)
    return facts


def _level(run: Vasprun) -> str:
    """Return the level of theory; of a machine-learned force field together with that of its training data."""
    tags = {name.lower(): value for name, value in {**run.incar, **run.parameters}.items()}
    functional = functional_name(tags, [str(block["title"]) for block in run.blocks])
    if not run.machine_learned or run.ab_initio.all():
        return functional
    return f"{functional}+MLFF" if run.ab_initio.any() else "MLFF"


def _temperature_facts(run: Vasprun) -> dict[str, Any]:
    """Return ensemble and thermostat, and the target only if a thermostat keeps one temperature."""
    begin, end = run.number("TEBEG"), run.number("TEEND")
    thermostat = _thermostat(run)
    facts: dict[str, Any] = {"ensemble": "nve" if thermostat is None else "nvt"}
    if thermostat is None:
        return facts
    facts["thermostat"] = thermostat
    if begin is not None and begin == (begin if end is None else end) and run.number("MDALGO") != SEVERAL:
        facts["target_temperature_K"] = begin
    return facts


def _thermostat(run: Vasprun) -> str | None:
    algorithm, mass = int(run.number("MDALGO") or 0), run.number("SMASS")
    if algorithm in THERMOSTATS:
        return THERMOSTATS[algorithm]
    if algorithm == SEVERAL:
        return "Andersen, several"
    if algorithm in ANDERSEN:
        return "Andersen" if (run.number("ANDERSEN_PROB") or 0.0) > 0 else None
    if mass is None or mass < -1:
        return None
    return "Nose-Hoover" if mass >= 0 else "velocity scaling"


def _sample_every(runs: Sequence[Vasprun]) -> int | None:
    """Return how many steps lie between two written ones; None if unknown.

    NBLOCK applies to other files. ML_OUTBLOCK applies to runs with only a force field, and to this file from VASP 6.4.3
    on (VASP wiki). If the run finished, the number of its steps must agree.
    """
    run = runs[0]
    interval = int(run.number("ML_OUTBLOCK") or 1)
    if interval <= 1 or not run.has_force_field or run.ab_initio.any():
        return 1
    claimed = interval if not run.version or run.version >= OUTBLOCK_SINCE else 1
    total = run.number("NSW")
    if not run.ended or total is None or len(runs) > 1:
        return claimed
    fitting = [every for every in (1, interval) if abs(len(run) - total / every) <= 1]
    return fitting[0] if len(fitting) == 1 else None


def run_remarks(run: Vasprun) -> list[str]:
    """Return sentences on a run that matter for trusting its result."""
    remarks = [f"Repaired while reading: {words}." for words in run.repaired[:3]]
    if len(run.repaired) > 3:
        remarks.append(f"Repaired while reading: {len(run.repaired) - 3} more lines.")
    if run.machine_learned:
        n_learned = int((~run.ab_initio).sum())
        remarks.append(
            f"VASP's machine-learned force field gave the forces of {n_learned} of {len(run)} steps; "
            f"{len(run) - n_learned} were computed ab initio."
        )
    begin, end, thermostat = run.number("TEBEG"), run.number("TEEND"), _thermostat(run)
    if thermostat is not None and begin is not None and end is not None and begin != end:
        remarks.append(f"WARNING: its temperature was changed from {begin:g} to {end:g} K on purpose.")
    if run.selective is not None and not run.selective.all():
        held = ~run.selective
        remarks.append(
            f"{int(held.all(axis=1).sum())} of {len(held)} atoms are fixed, {int(held.any(axis=1).sum())} in "
            f"at least one direction: its temperature is that of {run.degrees_of_freedom} degrees of freedom."
        )
    return remarks + _length_remarks(run)


def missing_remarks(steps: DftSteps) -> list[str]:
    """Return a sentence on steps with positions but without other data."""
    whole = np.isfinite(steps.forces).all(axis=(1, 2))
    whole &= np.isfinite(steps.potential_energy_eV) & np.isfinite(steps.temperature_K)
    if whole.all():
        return []
    return [
        f"{int((~whole).sum())} of {len(whole)} steps have no forces, energy or temperature in the file; only "
        "positions are kept."
    ]


def _length_remarks(run: Vasprun) -> list[str]:
    total = run.number("NSW")
    if not run.ended and not run.problem:
        return [f"The file ends within step {len(run)}: the run was stopped, or is still running."]
    if total is None or not run.ended or len(run) == total or int(run.number("ML_OUTBLOCK") or 1) > 1:
        return []
    return [f"WARNING: it should have {total:g} steps (NSW), but holds {len(run)}."]


def constraints_beside(path: Path) -> tuple[int, list[str]]:
    """Return how many coordinates ICONST in the folder of a run constrains, and a sentence on them."""
    file = path.parent / "ICONST"
    if not file.is_file() or not path.name.startswith("vasprun"):
        return 0, []
    rows = [line.split() for line in file.read_text(errors="replace").splitlines() if line.split()]
    n_held = sum(1 for row in rows if row[-1] == "0" and row[0].isalpha())
    if not n_held:
        return 0, []
    return n_held, [
        f"ICONST constrains {n_held} coordinates: the degrees of freedom of the temperature are reduced by that number."
    ]
