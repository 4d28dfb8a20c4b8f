"""What a frozen surface costs, beside the protocol of the published program on the same crystals in the same run.

    python benchmarks/pes.py --engine .engines/sevenn --potential sevenn

``ours``: other ions removed, and kept, symmetry, energies alone. ``published``: each ion of the mobile species in turn,
all others kept, a grid from the corner of the cell with ceil(|a| / 0.25) points along each vector, all points further
than 1.2 angstrom from other atoms, energies with forces; of these ``--sample`` are evaluated and the rest is projected.
``without forces``: both for one frame, in the same batches. CPU seconds of one core; loading is not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
STEP_A, EXCLUSION_A = 0.25, 1.2
MOBILE = "Li"
THIRD = [1 / 3, 2 / 3, 0]
#: Space group, cell (angstrom, degrees), elements and their sites.
CRYSTALS: dict[str, tuple[str, list[float], list[str], list[list[float]]]] = {
    "Li3N": ("P6/mmm", [3.648, 3.648, 3.875, 90, 90, 120], ["Li", "Li", "N"], [[0, 0, 0.5], THIRD, [0, 0, 0]]),
    "Li2O": ("Fm-3m", [4.619] * 3 + [90] * 3, ["Li", "O"], [[0.25] * 3, [0] * 3]),
    "Li2S": ("Fm-3m", [5.708] * 3 + [90] * 3, ["Li", "S"], [[0.25] * 3, [0] * 3]),
    "Li3OCl": ("Pm-3m", [3.907] * 3 + [90] * 3, ["Li", "O", "Cl"], [[0.5, 0, 0.5], [0.5] * 3, [0] * 3]),
    "LiCoO2": ("R-3m", [2.816, 2.816, 14.054, 90, 90, 120], ["Li", "Co", "O"], [[0, 0, 0.5], [0] * 3, [0, 0, 0.2605]]),
}
FRAMES = 32


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--engine", type=Path, default=ROOT / ".engines" / "sevenn", help="environment of the potential"
    )
    parser.add_argument("--potential", default="sevenn", help="sevenn, chgnet, mace ...")
    parser.add_argument("--crystals", nargs="+", default=list(CRYSTALS), choices=list(CRYSTALS))
    parser.add_argument("--sample", type=int, default=200, help="points of the published protocol that are evaluated")
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        work(arguments.worker)
        return
    python = arguments.engine.absolute() / "bin" / "python"
    ours = {others: run_ours(python, arguments.potential, arguments.crystals, others) for others in ("removed", "kept")}
    theirs = run_worker(python, arguments)
    show(ours, theirs)


def structure_of(name: str) -> Any:
    """Return the primitive cell of a crystal."""
    from pymatgen.core.lattice import Lattice
    from pymatgen.core.structure import Structure

    group, cell, elements, sites = CRYSTALS[name]
    conventional = Structure.from_spacegroup(group, Lattice.from_parameters(*cell), elements, sites)
    return conventional.get_primitive_structure()


def run_ours(python: Path, potential: str, names: list[str], others: str) -> dict[str, Any]:
    """Return the record of each crystal by the program of ``ion.pes``."""
    from aiida_ion.calculations.screening.pes import frozen_plan
    from aiida_ion.settings.pes import PesSettings

    settings = PesSettings(mobile_species=MOBILE, others=others)
    structures, plans = [], {}
    for name in names:
        crystal = structure_of(name)
        symbols = [site.specie.symbol for site in crystal]
        entry = {"label": name, "cell_A": crystal.lattice.matrix.tolist(), "symbols": symbols}
        structures.append(entry | {"fractional": crystal.frac_coords.tolist()})
        plans[name] = {"plan": frozen_plan(crystal, MOBILE, settings).to_dict(), "mobile_species": MOBILE}
    inputs = {"potential": {"name": potential}, "settings": settings.to_dict()}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "inputs.json").write_text(json.dumps(inputs | {"structures": structures, "plans": plans}))
        call(python, Path(folder), "-m", "aiida_ion.runners.screening.pes")
        lines = (Path(folder) / "results.jsonl").read_text().splitlines()
    return {record["label"]: record for record in map(json.loads, lines)}


def run_worker(python: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what the published protocol costs, and what forces cost."""
    cells = {}
    for name in arguments.crystals:
        crystal = structure_of(name)
        numbers = [site.specie.Z for site in crystal]
        cells[name] = {
            "cell": crystal.lattice.matrix.tolist(),
            "numbers": numbers,
            "places": crystal.frac_coords.tolist(),
        }
    with tempfile.TemporaryDirectory() as folder:
        content = {"potential": arguments.potential, "cells": cells, "sample": arguments.sample}
        (Path(folder) / "work.json").write_text(json.dumps(content))
        call(python, Path(folder), str(Path(__file__).resolve()), "--worker", folder)
        result: dict[str, Any] = json.loads((Path(folder) / "worked.json").read_text())
    return result


def call(python: Path, folder: Path, *arguments: str) -> None:
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    environment = os.environ | threads | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    subprocess.run([str(python), *arguments], cwd=folder, env=environment, check=True, stdout=sys.stderr)


def work(folder: Path) -> None:
    """Evaluate what the published protocol evaluates, and frames with and without forces; in the engine's Python."""
    from ase import Atoms

    from aiida_ion.runners.batches import batch_of, one_by_one
    from aiida_ion.runners.energies import EnergyEvaluator, atoms_at_once, energy_batch_of
    from aiida_ion.runners.potentials import load_potential
    from aiida_ion.runners.run_inputs import PotentialInputs

    content = json.loads((folder / "work.json").read_text())
    potential = load_potential(PotentialInputs(content["potential"]), [])
    calculator = potential.calculator
    evaluator = EnergyEvaluator(calculator, energy_batch_of(content["potential"], calculator), atoms_at_once("cpu"))
    with_forces = batch_of(content["potential"], calculator)
    random = np.random.default_rng(1)
    result: dict[str, Any] = {"published": {}, "frames": []}
    for name, cell in content["cells"].items():
        atoms = Atoms(cell["numbers"], scaled_positions=cell["places"], cell=cell["cell"], pbc=True)
        frames = published_frames(atoms)
        chosen = [frames[i] for i in random.permutation(len(frames))[: content["sample"]]]
        one_by_one(calculator, chosen[:2])
        seconds = cpu_of(lambda chosen=chosen: one_by_one(calculator, chosen))
        per_energy = seconds / len(chosen)
        result["published"][name] = {"n": len(frames), "n_sampled": len(chosen), "cpu_s": per_energy * len(frames)}
    first = next(iter(content["cells"].values()))
    atoms = Atoms(first["numbers"], scaled_positions=first["places"], cell=first["cell"], pbc=True)
    for multiples in ((1, 1, 1), (2, 2, 1), (2, 2, 2)):
        big = atoms.repeat(multiples)
        frames = [rattled(big, seed) for seed in range(max(4, FRAMES // (len(big) // len(atoms))))]
        size = max(1, atoms_at_once("cpu") // len(big))
        parts = [frames[i : i + size] for i in range(0, len(frames), size)]
        evaluator.energies(frames[:size])
        row = {"n_atoms": len(big), "energy_ms": 1e3 * cpu_of(lambda f=frames: evaluator.energies(f)) / len(frames)}
        if with_forces is not None:
            with_forces(frames[:size])
            row["forces_ms"] = 1e3 * cpu_of(lambda p=parts: [with_forces(part) for part in p]) / len(frames)
        row["ase_ms"] = 1e3 * cpu_of(lambda f=frames: one_by_one(calculator, f)) / len(frames)
        result["frames"].append(row)
    (folder / "worked.json").write_text(json.dumps(result))


def rattled(atoms: Any, seed: int) -> Any:
    frame = atoms.copy()
    frame.rattle(0.05, seed=seed)
    frame.wrap()
    return frame


def cpu_of(work_of: Any) -> float:
    """Return the CPU time of a call, s."""
    begin = time.process_time()
    work_of()
    return time.process_time() - begin


def published_frames(atoms: Any) -> list[Any]:
    """Return every frame of the published protocol: each mobile ion at each point far enough from the others."""
    shape = np.ceil(np.linalg.norm(atoms.cell.array, axis=1) / STEP_A).astype(int)
    points = np.stack(np.meshgrid(*(np.arange(n) / n for n in shape), indexing="ij"), axis=-1).reshape(-1, 3)
    shifts = np.stack(np.meshgrid(*[np.arange(-2, 3)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    frames = []
    for ion in [atom.index for atom in atoms if atom.symbol == MOBILE]:
        others = np.delete(atoms.get_scaled_positions(), ion, axis=0)
        images = (others[None] + shifts[:, None]).reshape(-1, 3) @ atoms.cell.array
        near = np.array([np.linalg.norm(images - place, axis=1).min() for place in points @ atoms.cell.array])
        for place in points[near >= EXCLUSION_A]:
            frame = atoms.copy()
            frame.positions[ion] = place @ atoms.cell.array
            frames.append(frame)
    return frames


def show(ours: dict[str, dict[str, Any]], theirs: dict[str, Any]) -> None:
    from tabulate import tabulate

    rows = []
    for name, published in theirs["published"].items():
        row: dict[str, Any] = {"crystal": name, "atoms": ours["kept"][name]["n_atoms"]}
        for others, records in ours.items():
            record = records[name]
            barriers = ", ".join("none" if one is None else f"{one:.2f}" for one in record["barriers_eV"])
            cost = record["cost"]
            row |= {f"{others}: eV": barriers, f"{others}: energies": int(cost["n_energies"])}
            row[f"{others}: CPU s"] = round(cost["cpu_s"], 2)
        row |= {"published: energies": published["n"], "published: CPU s": round(published["cpu_s"], 1)}
        row["energies fewer"] = round(published["n"] / ours["removed"][name]["cost"]["n_energies"])
        row["times cheaper"] = round(published["cpu_s"] / ours["removed"][name]["cost"]["cpu_s"])
        rows.append(row)
    print(tabulate(rows, headers="keys", tablefmt="github"))
    print()
    print(tabulate(theirs["frames"], headers="keys", tablefmt="github", floatfmt=".1f"))


if __name__ == "__main__":
    main()
