"""Conductivity against the concentration of vacancies: Li2O with magnesium, a classical potential in LAMMPS.

    python benchmarks/vacancies.py --engines .engines --folder vacancies

Perfect Li2O conducts only where it is hot; each Mg on a site of Li makes a vacancy. The cells are those of
``aiida-ion defects --dopant Li:Mg``, their molecular dynamics is ``aiida-ion run`` with the potential of Pedone et
al. (J. Phys. Chem. B 110, 11780 (2006)), and the lines and slopes are those of ``aiida-ion carriers``, in a profile of
its own in ``--folder``. Call it again to continue: what is in the profile is not computed again. ``--set`` changes the
settings below.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.own_profile import (
    aiida_ion,
    arguments,
    nodes,
    overrides_file,
    own_profile,
    processes,
    run_stages,
)

PROFILE = "vacancies"
STAGES = ("cells", "runs", "carriers")

#: What is run.
SETTINGS: dict[str, Any] = {
    "lattice_A": 4.70,
    # Vacancies for each site of Li; in 64 sites they are 1, 2, 4, 8 and 16.
    "concentrations": [1 / 64, 2 / 64, 4 / 64, 8 / 64, 16 / 64],
    "cells": 2,
    "seeds": [1, 2],
    "max_atoms": 100,
    "min_width_A": 9.3,
    "temperatures_K": [900],
    # Of the perfect crystal and of the fewest vacancies; more of them make as many jumps in less time.
    "longest_ps": 300.0,
    "shortest_ps": 60.0,
    "equilibration_ps": 5.0,
    "timestep_fs": 2.0,
    # Of the part of the lattice sum in real space, and of the pairs: forces are within 0.001 eV/angstrom of those with
    # 8 angstrom, which the built-in potential has, at a third of the cost.
    "cutoff_A": 5.0,
    "pair_cutoff_A": 6.0,
}


def main() -> None:
    given, settings = arguments(__doc__, STAGES, SETTINGS)
    with own_profile(PROFILE, given.folder, given.engines, ["lammps"]):
        stages = {
            "cells": lambda: make_cells(settings, given.folder),
            "runs": lambda: run_cells(settings, given.folder),
            "carriers": lambda: fit_carriers(settings, given.folder),
        }
        run_stages(given.stages, stages)


def make_cells(settings: dict[str, Any], folder: Path) -> None:
    """Make the cells of every concentration that is not there yet."""
    missing = [x for x in settings["concentrations"] if x not in made(settings)]
    if not missing:
        return print("all cells are there")
    aiida_ion(
        *("defects", crystal(folder, settings["lattice_A"]), "--dopant", "Li:Mg", "--mobile-species", "Li"),
        *("--concentration", ",".join(map(repr, missing)), "--n", settings["cells"]),
        *("--max-atoms", settings["max_atoms"], "--settings", json.dumps({"min_width_A": settings["min_width_A"]})),
        "--run",
    )
    return None


def crystal(folder: Path, lattice_A: float) -> Path:
    """Write antifluorite Li2O, and return its file."""
    from ase.build import bulk

    path = folder / "Li2O.cif"
    bulk("OLi2", "fluorite", a=lattice_A, cubic=True).write(path)
    return path


def made(settings: dict[str, Any]) -> dict[float, Any]:
    """Return the last job that made cells of each concentration."""
    jobs = [job for job in processes("ion.make_defects") if job.is_finished_ok]
    return {
        float(job.inputs.parameters["concentration"]): job
        for job in jobs
        if float(job.inputs.parameters["concentration"]) in settings["concentrations"]
    }


def time_ps(settings: dict[str, Any], concentration: float) -> float:
    """Return the length of the runs at a concentration, ps: as many jumps as at the lowest, within the limits."""
    alike = settings["longest_ps"] * min(settings["concentrations"]) / concentration
    return float(min(settings["longest_ps"], max(settings["shortest_ps"], alike)))


def run_cells(settings: dict[str, Any], folder: Path) -> None:
    """Submit every cell, then wait for all of them."""
    fits = {"diffusion": {"collective": False, "green_kubo": False}}
    jobs = made(settings)
    runs: dict[float, list[int]] = {}
    for concentration, job in jobs.items():
        members = [job.outputs.members[label].pk for label in sorted(job.outputs.members)]
        runs.setdefault(time_ps(settings, concentration), []).extend(members)
    perfect = jobs[min(jobs)].outputs.perfect.pk
    kinds: list[tuple[str, ...]] = [("Li", "O"), ("Li", "Mg", "O")]
    potentials = {elements: potential_file(settings, folder, elements) for elements in kinds}
    batches: list[tuple[tuple[int, ...], float, tuple[str, ...]]] = [((perfect,), settings["longest_ps"], ("Li", "O"))]
    batches += [(tuple(cells), length_ps, ("Li", "Mg", "O")) for length_ps, cells in runs.items()]
    for cells, length_ps, elements in batches:
        aiida_ion(
            *("run", *cells, "--engine", "lammps", "--potential", potentials[elements], "--time-ps", length_ps),
            *("--temperatures", ",".join(map(str, settings["temperatures_K"])), "--supercell", "1,1,1"),
            *("--seeds", ",".join(map(str, settings["seeds"])), "--mobile-species", "Li"),
            *("--equilibration-ps", settings["equilibration_ps"], "--timestep-fs", settings["timestep_fs"]),
            *("--overrides", overrides_file(folder, fits)),
        )
    aiida_ion("status", "--watch")


def potential_file(settings: dict[str, Any], folder: Path, elements: tuple[str, ...]) -> Path:
    """Write the potential for cells of these elements, with the published numbers, and return its file."""
    from aiida_ion.lammps.potentials import POTENTIALS

    published = POTENTIALS["pedone-2006"]
    cutoff_A, pairs_A = settings["cutoff_A"], settings["pair_cutoff_A"]
    commands = [
        f"pair_style hybrid/overlay coul/long {cutoff_A} pedone {pairs_A}",
        "pair_coeff * * coul/long",
        "kspace_style ewald 1.0e-4",
        "neighbor 1.0 bin",
        *(f"pair_coeff {one} O {published.pairs[(one, 'O')]}" for one in elements),
        *published.footer,
    ]
    content = {
        "level_of_theory": f"classical/Pedone-2006, {cutoff_A:g} angstrom",
        "charges": {element: published.charges[element] for element in elements},
        "commands": "\n".join(commands),
    }
    path = folder / f"pedone-{'-'.join(elements)}.yaml"
    path.write_text(json.dumps(content))  # JSON is YAML
    return path


def fit_carriers(settings: dict[str, Any], folder: Path) -> None:
    """Print lines, slopes and conductivities, and write the figure."""
    jobs = [job.pk for job in made(settings).values()]
    nodes()
    aiida_ion("carriers", *jobs, "--figure", folder / "conductivity.html")


if __name__ == "__main__":
    main()
