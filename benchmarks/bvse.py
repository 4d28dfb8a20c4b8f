"""Bond valence site energies: cost and barriers of crystals, beside the package bvlain where it is there.

    python benchmarks/bvse.py
    python benchmarks/bvse.py --bvlain FOLDER --folder CIFS

``FOLDER`` is what ``pip install --no-deps --target FOLDER bvlain joblib`` filled. Each crystal is computed by both in
one run, one after the other. Four tables: cost and barriers of each crystal, how barriers depend on the spacing of
the grid, the cost of batches of growing size, and that of percolation alone on grids of growing size.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np  # noqa: E402
from pymatgen.core.structure import Structure  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from aiida_ion.analysis.energy_maps.basins import find_basins  # noqa: E402
from aiida_ion.analysis.energy_maps.bvse import NotApplicableError, compute_bvse  # noqa: E402
from aiida_ion.analysis.energy_maps.bvse_settings import BvseSettings  # noqa: E402
from aiida_ion.analysis.energy_maps.percolation import percolate_grid  # noqa: E402
from aiida_ion.runners.screening.batch import Material, run_batch  # noqa: E402
from tests.analysis.energy_maps.crystals import CRYSTALS, crystal  # noqa: E402

MOBILE = {"Na2O": "Na", "NaCl": "Na", "KCl": "K", "MgO": "Mg", "CaF2": "F", "ZrO2": "O", "AgI": "Ag", "CuBr": "Cu"}
SPACINGS_A = (0.4, 0.3, 0.2, 0.15, 0.1)
BATCHES = (20, 40, 80)
#: Voxels along each of the three vectors: 27,000, 97,336 and 216,000 in all.
GRIDS = (30, 46, 60)
#: Crystals whose barriers are followed from spacing to spacing.
FOLLOWED = ("Li2O", "Li3N", "LiCoO2", "LiFePO4", "Li3PO4")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--bvlain", type=Path, help="folder with the package bvlain")
    parser.add_argument("--folder", type=Path, help="CIF files to compute, too, for Li")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    if arguments.bvlain:
        sys.path.insert(0, str(arguments.bvlain))
    crystals = {name: (crystal(name), MOBILE.get(name, "Li")) for name in CRYSTALS}
    crystals["Li3PO4 2x1x1"] = (crystal("Li3PO4") * [1, 1, 2], "Li")
    crystals["Li3PO4 displaced"] = (displaced(crystal("Li3PO4") * [1, 1, 2]), "Li")
    for path in sorted(arguments.folder.glob("*.cif")) if arguments.folder else ():
        crystals[path.stem] = (Structure.from_file(path), "Li")
    costs(crystals, bool(arguments.bvlain))
    spacings()
    batches()
    grids()


def displaced(structure: Structure, amplitude_A: float = 0.05) -> Structure:
    """Return a crystal without symmetry: the costliest case."""
    rng = np.random.default_rng(1)
    for index in range(len(structure)):
        structure.translate_sites([index], rng.normal(0, amplitude_A, 3), frac_coords=False)
    return structure


def costs(crystals: dict[str, tuple[Structure, str]], with_bvlain: bool) -> None:
    print("| crystal | atoms | ion | barriers, eV | of the grid | CPU s | bvlain: barriers | CPU s |")
    print("|---|---|---|---|---|---|---|---|")
    for name, (structure, mobile) in crystals.items():
        start = time.process_time()
        try:
            result = compute_bvse(structure, BvseSettings(mobile))
        except NotApplicableError as error:
            print(f"| {name} | {len(structure)} | {mobile} | refused: {error} |")
            continue
        own_s = time.process_time() - start
        theirs = bvlain(structure, mobile, result["mobile_charge_e"]) if with_bvlain else ("-", float("nan"))
        cells = [name, len(structure), mobile, shown(result["barriers_eV"]), shown(result["barriers_grid_eV"])]
        cells += [f"{own_s:.2f}", theirs[0], f"{theirs[1]:.2f}"]
        print(f"| {' | '.join(map(str, cells))} |", flush=True)


def bvlain(structure: Structure, mobile: str, charge_e: float) -> tuple[str, float]:
    """Return the barriers by the package, at its default settings, and the CPU time it took."""
    from bvlain import Lain  # type: ignore[import-not-found]

    start = time.process_time()
    try:
        calculator: Any = Lain(verbose=False)
        calculator.read_structure(structure)
        calculator.bvse_distribution(mobile_ion=f"{mobile}{abs(charge_e):g}{'+' if charge_e > 0 else '-'}")
        barriers = calculator.percolation_barriers()
    except (ValueError, KeyError, MemoryError) as error:
        return f"{type(error).__name__}: {error}", time.process_time() - start
    return shown([barriers[f"E_{number}D"] for number in (1, 2, 3)]), time.process_time() - start


def spacings() -> None:
    print(f"\n| crystal | {' | '.join(f'{spacing} A' for spacing in SPACINGS_A)} |")
    print(f"|---|{'---|' * len(SPACINGS_A)}")
    for name in FOLLOWED:
        results = [
            compute_bvse(crystal(name), BvseSettings("Li", resolution_A=spacing, coarser=1.01))
            for spacing in SPACINGS_A
        ]
        for kind, key in (("potential", "barriers_eV"), ("grid", "barriers_grid_eV")):
            print(f"| {name}, {kind} | {' | '.join(shown(result[key]) for result in results)} |", flush=True)


def batches() -> None:
    print("\n| crystals in a batch | CPU s | each |\n|---|---|---|")
    for count in BATCHES:
        materials = []
        for index in range(count):
            structure = crystal(FOLLOWED[index % len(FOLLOWED)])
            structure.scale_lattice(structure.volume * (1 + 1e-4 * index))
            symbols = [site.specie.symbol for site in structure]
            cell, fractions = structure.lattice.matrix.tolist(), structure.frac_coords.tolist()
            materials.append(Material(f"m_{index}", cell, symbols, fractions))
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            start = time.process_time()
            results: dict[str, Any] = {}
            run_batch(results, materials, one, {})
            cpu_s = time.process_time() - start
            os.chdir(ROOT)
        assert results["n_finished"] == count, results
        print(f"| {count} | {cpu_s:.1f} | {cpu_s / count:.2f} |", flush=True)


def grids() -> None:
    """Print what the three percolation energies of a grid cost: of a map as crystals have it, and of pure noise."""
    rng = np.random.default_rng(1)
    print("\n| voxels | smooth map, minima | CPU s | noise, minima | CPU s |\n|---|---|---|---|---|")
    for n in GRIDS:
        places = np.meshgrid(*[np.arange(n) / n] * 3, indexing="ij")
        smooth = sum(
            amplitude * np.cos(2 * np.pi * (sum(k * x for k, x in zip(wave, places, strict=True)) + phase))
            for wave, phase, amplitude in zip(
                rng.integers(-4, 5, (40, 3)), rng.uniform(size=40), rng.normal(size=40), strict=True
            )
        )
        cells = []
        for energies in (smooth, rng.normal(size=(n, n, n))):
            start = time.process_time()
            percolation = percolate_grid(energies)
            cpu_s = time.process_time() - start
            assert percolation.dimension == 3
            cells += [f"{len(find_basins(energies, 26).minima):,}", f"{cpu_s:.2f}"]
        print(f"| {n**3:,} | {cells[0]} | {cells[1]} | {cells[2]} | {cells[3]} |", flush=True)


def one(material: Material) -> dict[str, Any]:
    return compute_bvse(material.structure(), BvseSettings("Li"))


def shown(barriers: list[float | None]) -> str:
    return " / ".join("-" if barrier is None or not np.isfinite(barrier) else f"{barrier:.3f}" for barrier in barriers)


if __name__ == "__main__":
    main()
