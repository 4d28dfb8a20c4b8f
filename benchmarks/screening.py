"""Screenings: what a thousand crystals cost, and how well stages rank crystals whose conductivity was measured.

    python benchmarks/screening.py --crystals 1000
    python benchmarks/screening.py --obelix FOLDER --engines .engines --engine sevenn

The first makes synthetic crystals, strained and displaced copies of known structure types, and takes them through the
gate and bond valences in a throw-away profile; what is not CPU time of jobs is overhead. The second takes the ordered
crystals of OBELiX, whose public files have noise of 0.01 in their coordinates, through the same and, with an engine,
frozen surfaces, and prints the scores of `aiida-ion screen status`. The crystals are not relaxed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.spacegroup import crystal

PROFILE = "ion-screening"
BIN = Path(sys.executable).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--crystals", type=int, default=1000, help="synthetic crystals; 0 for none")
    parser.add_argument("--obelix", type=Path, help="folder with the table and the structure files of OBELiX")
    parser.add_argument("--engines", type=Path, default=Path(".engines"), help="folder of the environments")
    parser.add_argument("--engine", help="also frozen surfaces with this engine, such as sevenn")
    parser.add_argument("--others", default="removed", help="what becomes of the other mobile ions there")
    parser.add_argument("--step-A", type=float, default=0.5, help="step of the grid of frozen surfaces, angstrom")
    parser.add_argument("--max-atoms", type=int, default=60)
    given = parser.parse_args()
    os.environ["AIIDA_ION_ENGINES"] = str(given.engines.absolute())
    with tempfile.TemporaryDirectory() as folder:
        os.environ["AIIDA_PATH"] = folder
        subprocess.run(
            [str(BIN / "aiida-ion"), "setup", "--profile-name", PROFILE, "--no-daemon"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        from aiida import load_profile

        load_profile(PROFILE)
        if given.crystals:
            throughput(given.crystals)
        if given.obelix:
            ranking(given)


def throughput(n_crystals: int) -> None:
    """Print wall and CPU time for each crystal, and what is left for everything around the jobs."""
    from aiida import orm

    group = orm.Group(label="synthetic").store()
    group.add_nodes([orm.StructureData(ase=atoms, label=name).store() for name, atoms in synthetic(n_crystals)])
    start, cpu = time.monotonic(), time.process_time()
    node = screened(["synthetic"], stages=["gate", "bvse"], protocol="quick")
    wall_s, own_s = time.monotonic() - start, time.process_time() - cpu
    stages = node.outputs.summary["stages"]
    jobs_s = sum(stage["core_hours"] for stage in stages) * 3600
    counts = {name: stages[-1][name] for name in ("pass", "unsure", "fail", "error")}
    print(f"{n_crystals} crystals: {counts}")
    print("| crystals | wall s | CPU s of jobs, each | CPU s around them, each |\n|---|---|---|---|")
    print(f"| {n_crystals} | {wall_s:.0f} | {jobs_s / n_crystals:.2f} | {own_s / n_crystals:.3f} |", flush=True)
    start = time.monotonic()
    again = screened(["synthetic"], stages=["gate", "bvse"], protocol="quick")
    jobs = [child for child in again.called if isinstance(child, orm.CalcJobNode)]
    print(f"Once more: {time.monotonic() - start:.0f} s, {len(jobs)} jobs\n", flush=True)


def synthetic(n_crystals: int) -> Iterator[tuple[str, Atoms]]:
    """Yield crystals of 3 to 60 atoms: known structure types, other ions, strained and displaced at random."""
    generator = np.random.default_rng(1)
    phosphate = crystal(
        ("Li", "Li", "P", "O", "O", "O"),
        [(0.164, 0.002, 0.302), (0.424, 0.25, 0.206), (0.411, 0.25, 0.809), (0.341, 0.044, 0.205), (0.05, 0.25, 0.3),
         (0.09, 0.25, 0.84)],
        spacegroup=62,
        cellpar=[10.49, 6.12, 4.93, 90, 90, 90],
    )  # fmt: skip
    kinds = {
        "oxide": bulk("OLi2", "fluorite", a=4.62, cubic=True),
        "sulfide": bulk("SLi2", "fluorite", a=5.71, cubic=True),
        "fluoride": bulk("LiF", "rocksalt", a=4.03, cubic=True),
        "chloride": bulk("LiCl", "rocksalt", a=5.14, cubic=True).repeat((2, 1, 1)),
        "bromide": bulk("LiBr", "rocksalt", a=5.5, cubic=True).repeat((2, 2, 1)),
        "phosphate": phosphate,
    }
    names = list(kinds)
    for index in range(n_crystals):
        name = names[index % len(names)]
        atoms = kinds[name].copy()
        atoms.set_cell(atoms.cell.array * generator.uniform(0.97, 1.05, 3)[:, None], scale_atoms=True)
        atoms.positions += generator.normal(0, 0.03, atoms.positions.shape)
        yield f"{name}_{index}", atoms


def ranking(given: Any) -> None:
    """Print scores and recall over the ordered crystals of OBELiX."""
    from aiida import orm

    from aiida_ion.campaigns.obelix.materials import materials_of
    from aiida_ion.campaigns.obelix.tasks import store_and_link
    from aiida_ion.datasets.obelix import read_obelix
    from aiida_ion.datasets.obelix_crystals import select

    materials, refused = materials_of(select(read_obelix(given.obelix), ["ordered"]))
    small = [material for material in materials if len(material.structure.sites) <= given.max_atoms]
    store_and_link(small)
    group = orm.Group(label="obelix").store()
    group.add_nodes([material.structure for material in small])
    print(
        f"{len(small)} crystals of at most {given.max_atoms} atoms, {len(materials) - len(small)} larger ones left out"
    )
    print("\n".join(refused))
    stages = ["gate", "bvse"] + (["pes"] if given.engine else [])
    if given.engine:
        subprocess.run([str(BIN / "aiida-ion"), "engine", "install", given.engine, "-p", PROFILE], check=True)
    node = screened(["obelix"], stages=stages, engine=given.engine, step_A=given.step_A, others=given.others)
    subprocess.run([str(BIN / "aiida-ion"), "screen", "status", str(node.pk), "--scores", "-p", PROFILE], check=True)


def screened(sources: list[str], step_A: float | None = None, others: str | None = None, **options: Any) -> Any:
    """Run a screening in this process and return its node."""
    from dataclasses import replace

    from aiida.engine import run_get_node

    from aiida_ion.campaigns.screening.materials import find_materials
    from aiida_ion.campaigns.screening.processes import stage_plans
    from aiida_ion.campaigns.screening.request import ScreenRequest, plan_of
    from aiida_ion.campaigns.screening.submit import screening_builder

    request = ScreenRequest(**{name: value for name, value in options.items() if value is not None})
    plan = plan_of(request)
    if step_A is not None:
        changed = {"pes": {"step_A": step_A, "others": others}}
        stages = [replace(stage, settings=stage.settings | changed.get(stage.name, {})) for stage in plan.stages]
        # Every crystal goes through every stage, so that all are scored.
        free = [replace(stage, cut=replace(stage.cut, unsure_passes=True, errors_pass=True)) for stage in stages]
        plan = replace(plan, stages=tuple(free))
    plans, _ = stage_plans(plan, request)
    return run_get_node(screening_builder(find_materials(sources), plans, request))[1]


if __name__ == "__main__":
    main()
