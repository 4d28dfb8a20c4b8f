"""Ordered cells of a crystal of OBELiX relaxed by a potential in one job, and ranked: energies, displacements, cost.

    python benchmarks/relaxed_orderings.py FOLDER mtn --python .engines/sevenn/bin/python --potential sevenn

FOLDER has ``all.csv`` and ``all_cifs.zip``; the Python is that of the potential, with this package on its path. No
database: the program of ``ion.relax_orderings`` runs in ``--work``, where a second call goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import time
from pathlib import Path

from aiida_ion.analysis.disorder.crystal import disordered_crystal
from aiida_ion.analysis.disorder.ensemble import draw_ensemble
from aiida_ion.analysis.disorder.ranking import RankingSettings, ranked_ensemble
from aiida_ion.analysis.disorder.settings import OrderingSettings
from aiida_ion.campaigns.obelix.orderings import ordering_of
from aiida_ion.cli.disorder.text import ensemble_lines
from aiida_ion.crystal_files.disordered import read_disordered_cif
from aiida_ion.datasets.obelix import read_obelix
from aiida_ion.screening.records import FILENAME_RECORDS, parse_records
from aiida_ion.settings.ordering import RelaxOrderingsSettings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="all.csv and all_cifs.zip")
    parser.add_argument("entry", help="id of the crystal")
    parser.add_argument("--python", required=True, help="of the potential")
    parser.add_argument("--potential", default="sevenn")
    parser.add_argument("--orderings", type=int, default=8)
    parser.add_argument("--max-atoms", type=int, default=100)
    parser.add_argument("--min-width", type=float, default=0.0, help="of the cells, angstrom")
    parser.add_argument("--cell", default="fixed")
    parser.add_argument("--max-steps", type=int, default=500)
    parser.add_argument("--work", type=Path, default=Path("relaxed-orderings"))
    given = parser.parse_args()
    settings = OrderingSettings(max_atoms=given.max_atoms, min_width_A=given.min_width, n_orderings=given.orderings)
    entry = read_obelix(given.folder)[given.entry]
    crystal = disordered_crystal(read_disordered_cif(entry.cif or "", entry.entry_id).structure)
    drawn = draw_ensemble(ordering_of(crystal, entry, settings), settings)
    given.work.mkdir(exist_ok=True)
    cells = [
        {
            "label": f"o{number:03d}",
            "cell_A": member.structure.lattice.matrix.tolist(),
            "symbols": [site.specie.symbol for site in member.structure],
            "fractional": member.structure.frac_coords.tolist(),
        }
        for number, member in enumerate(drawn.members)
    ]
    relax = RelaxOrderingsSettings(cell=given.cell, max_steps=given.max_steps)
    inputs = {"potential": {"name": given.potential}, "settings": relax.to_dict(), "structures": cells}
    (given.work / "inputs.json").write_text(json.dumps(inputs))
    root, start = Path(__file__).resolve().parents[1], time.perf_counter()
    subprocess.run(
        [given.python, "-m", "aiida_ion.runners.disorder.relax"],
        cwd=given.work,
        env=os.environ | {"PYTHONPATH": str(root)},
        check=True,
    )
    records = parse_records((given.work / FILENAME_RECORDS).read_text())
    ensemble = drawn.attributes() | {"settings": settings.to_dict()}
    ranked = ranked_ensemble(ensemble, records, RankingSettings(temperature_K=300.0))
    print(f"{given.entry} {entry.formula}: {ranked['n_atoms']} atoms, {time.perf_counter() - start:.0f} s")
    print("\n".join(ensemble_lines(ranked, range(len(ranked["members"])))))
    for label, record in sorted(records.items()):
        before, after = record["closest_mobile_before_A"], record["closest_mobile_A"]
        print(label, record["n_steps"], "steps,", f"{record['cost']['cpu_s']:.0f} CPU s, closest {before} -> {after}")


if __name__ == "__main__":
    main()
