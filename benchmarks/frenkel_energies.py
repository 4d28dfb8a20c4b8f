"""Frenkel energies of alpha- and beta-Li3N by SevenNet-0: why one conducts as a perfect crystal and the other does not.

``python benchmarks/frenkel_energies.py FOLDER [alpha|beta]`` makes cells of about 72 atoms with one Frenkel pair, one
for each combination of inequivalent site and empty site, relaxes them and the perfect cell in one go with the runner
of ``ion.relax_orderings`` in the environment of SevenNet, and prints a table. The same folder goes on where it was.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure

from aiida_ion.analysis.defects.energies import DISPLACED, PERFECT, energies_of_defects, n_vacant_sites
from aiida_ion.analysis.defects.ensemble import DefectEnsemble, make_defects
from aiida_ion.analysis.defects.settings import DefectSettings
from aiida_ion.analysis.disorder.crystal import disordered_crystal
from aiida_ion.runners.disorder.order import described
from aiida_ion.units import BOLTZMANN_EV_K

#: Cells of the perfect crystals at room temperature, angstrom, and their special positions.
CRYSTALS = {
    "alpha": ("P6/mmm", (3.648, 3.875), ["Li", "Li", "N"], [[0, 0, 0.5], [1 / 3, 2 / 3, 0], [0, 0, 0]]),
    "beta": (
        "P6_3/mmc",
        (3.552, 6.311),
        ["Li", "Li", "N"],
        [[0, 0, 0.25], [1 / 3, 2 / 3, 0.584], [1 / 3, 2 / 3, 0.25]],
    ),
}
SETTINGS = {"defect": "frenkel", "concentration": 1 / 54, "max_atoms": 72, "min_width_A": 7.0, "n_members": 4}
RELAXATION = {"max_force_eV_A": 0.05, "max_steps": 150}


def crystal(name: str) -> Any:
    group, lengths, species, places = CRYSTALS[name]
    return disordered_crystal(Structure.from_spacegroup(group, Lattice.hexagonal(*lengths), species, places))


def relaxed(ensemble: DefectEnsemble, folder: Path) -> dict[str, dict[str, Any]]:
    cells = {PERFECT: ensemble.perfect, DISPLACED: ensemble.displaced}
    cells |= {f"o{number:03d}": member.structure for number, member in enumerate(ensemble.members)}
    content = {
        "structures": [{"label": label, **described(cell)} for label, cell in cells.items()],
        "settings": RELAXATION,
        "potential": {"name": "sevenn", "model": "7net-0", "device": "cpu", "threads": 1},
        "threads": 1,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "inputs.json").write_text(json.dumps(content))
    python = Path(os.environ["AIIDA_ION_ENGINES"]) / "sevenn" / "bin" / "python"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    subprocess.run([python, "-m", "aiida_ion.runners.disorder.relax"], cwd=folder, env=environment, check=True)
    lines = (folder / "results.jsonl").read_text().splitlines()
    return {record["label"]: record for record in map(json.loads, lines)}


def main() -> None:
    folder, names = Path(sys.argv[1]), sys.argv[2:] or list(CRYSTALS)
    for name in names:
        ensemble = make_defects(crystal(name), DefectSettings.from_dict(SETTINGS))
        begin = time.monotonic()
        records = relaxed(ensemble, folder / name)
        sites = ensemble.perfect.frac_coords[[site.specie.symbol == "Li" for site in ensemble.perfect]]
        vacant = {}
        for number, member in enumerate(ensemble.members):
            record = records.get(f"o{number:03d}", {})
            if record.get("status") == "finished":
                cell = np.asarray(record["cell_A"])
                fractions = np.asarray(record["positions_A"]) @ np.linalg.inv(cell)
                ions = fractions[[site.specie.symbol == "Li" for site in member.structure]]
                vacant[f"o{number:03d}"] = n_vacant_sites(cell, sites, ions)
        attributes = ensemble.attributes() | {"settings": ensemble.plan.settings.to_dict()}
        table = energies_of_defects(attributes, records, vacant, ensemble.perfect.composition.formula)
        print(f"{name}-Li3N, {attributes['n_atoms']} atoms, {time.monotonic() - begin:.0f} s")
        for member in table["members"]:
            where = ", ".join(f"{defect['kind']} {defect['site']}" for defect in member["defects"])
            print(
                f"  {where}: E_F {member['formation_energy_eV']} eV, {member['closest_defects_A']} angstrom apart, "
                f"force left {member['max_force_eV_A']:.3f}, {member['n_steps']} steps, "
                f"{member['n_vacant_sites']} vacant"
            )
        lowest = table["formation_energy_eV"]
        if lowest is not None:
            pairs = [float(np.exp(-lowest / (2 * BOLTZMANN_EV_K * temperature))) for temperature in (300.0, 1000.0)]
            print(f"  E_F {lowest:.3f} eV: {pairs[0]:.2g} pairs for each site at 300 K, {pairs[1]:.2g} at 1000 K")
        print("\n".join(f"  {remark}" for remark in table["energy_remarks"]))


if __name__ == "__main__":
    main()
