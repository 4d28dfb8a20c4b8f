"""Which disordered crystals of OBELiX become ensembles of ordered, neutral cells, and why the others do not.

    python benchmarks/orderings.py FOLDER --jobs 2 --max-atoms 400

FOLDER has ``all.csv`` and ``all_cifs.zip``. A line for each crystal goes to ``--table``, as CSV; what is printed is
counted from it. The table's composition is used where the sites are charged.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from aiida_ion.analysis.disorder.crystal import disordered_crystal
from aiida_ion.analysis.disorder.ensemble import draw_ensemble
from aiida_ion.analysis.disorder.enumeration import log10_arrangements
from aiida_ion.analysis.disorder.lattice import lattice_of
from aiida_ion.analysis.disorder.refusal import OrderingRefused
from aiida_ion.analysis.disorder.settings import OrderingSettings
from aiida_ion.campaigns.obelix.orderings import ordering_of
from aiida_ion.crystal_files.disordered import read_disordered_cif
from aiida_ion.datasets.obelix import Entry, read_obelix

COLUMNS = (
    *("id", "family", "formula", "disorder", "outcome", "reason", "message"),
    *("n_atoms", "n_sites", "width_A", "mobile_percent", "composition_percent", "orbit_percent", "log10_arrangements"),
    *("n_draws", "n_orderings", "n_frameworks", "min_distance_A", "closest_mobile_A", "drift", "framework_exchanges"),
    *("plan_s", "electrostatics_s", "remarks"),
)
Task = tuple[Entry, int, int]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="all.csv and all_cifs.zip")
    parser.add_argument("--max-atoms", type=int, default=400)
    parser.add_argument("--orderings", type=int, default=8)
    parser.add_argument("--ids", nargs="*", help="only these crystals")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--table", type=Path, default=Path("orderings.csv"))
    given = parser.parse_args()
    tasks: list[Task] = [
        (entry, given.max_atoms, given.orderings)
        for name, entry in read_obelix(given.folder).items()
        if entry.cif is not None and (not given.ids or name in given.ids)
    ]
    start = time.perf_counter()
    if given.jobs == 1:
        rows = [ordered(task) for task in tasks]
    else:
        with ProcessPoolExecutor(given.jobs) as pool:
            rows = list(pool.map(ordered, tasks, chunksize=1))
    with given.table.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    print_counts(rows)
    print(f"{time.perf_counter() - start:.0f} s with {given.jobs} processes")


def ordered(task: Task) -> dict[str, Any]:
    """Return the line of one crystal."""
    entry, max_atoms, n_orderings = task
    row: dict[str, Any] = {"id": entry.entry_id, "family": entry.family or "unassigned", "formula": entry.cell_formula}
    settings = OrderingSettings(max_atoms=max_atoms, n_orderings=n_orderings)
    start = time.process_time()
    try:
        crystal = disordered_crystal(read_disordered_cif(entry.cif or "", entry.entry_id).structure)
        if crystal.is_ordered:
            return row | {"disorder": "ordered", "outcome": "ordered", "n_atoms": round(crystal.n_atoms)}
        plan = ordering_of(crystal, entry, settings)
        row |= {"disorder": plan.roles.kind, "plan_s": time.process_time() - start}
        start = time.process_time()
        ensemble = draw_ensemble(plan, settings)
    except OrderingRefused as refusal:
        return row | {"outcome": "refused", "reason": refusal.reason, "message": refusal.message}
    except ValueError as error:
        return row | {"outcome": "refused", "reason": "file", "message": str(error)}
    values = ensemble.attributes()
    closest = [member.closest_mobile_A for member in ensemble.members if member.closest_mobile_A is not None]
    row |= {key: values[key] for key in COLUMNS if key in values and key != "remarks"}
    return row | {
        "outcome": "ensemble",
        "electrostatics_s": time.process_time() - start,
        "mobile_percent": 100 * plan.counts.mobile_deviation,
        "composition_percent": 100 * plan.counts.composition_deviation,
        "orbit_percent": 100 * plan.counts.orbit_deviation,
        "log10_arrangements": log10_arrangements(lattice_of(plan)),
        "closest_mobile_A": min(closest, default=None),
        "remarks": "; ".join(values["remarks"] + values["draw_remarks"]),
    }


def print_counts(rows: Sequence[dict[str, Any]]) -> None:
    """Print what became of the crystals, by family and by reason."""
    disordered = [row for row in rows if row["outcome"] != "ordered"]
    made = [row for row in disordered if row["outcome"] == "ensemble"]
    close = [row for row in made if abs(row["mobile_percent"]) <= 5.0]
    print(f"{len(rows)} crystals, {len(disordered)} disordered; {len(made)} ensembles, {len(close)} of them within 5 %")
    print(f"within 3 % of the mobile ion: {sum(abs(row['mobile_percent']) <= 3.0 for row in made)}")
    for key in ("n_atoms", "n_sites", "width_A", "electrostatics_s", "plan_s", "closest_mobile_A"):
        print(f"{key}: {quantiles(row[key] for row in made if row[key] is not None)}")
    print(f"electrostatics of all: {sum(row['electrostatics_s'] for row in made):.0f} s of processor time")
    print("distances kept:", dict(Counter(f"{row['min_distance_A']:.1f}" for row in made)))
    print("not at equilibrium:", sum(abs(row["drift"] or 0.0) > 3.0 for row in made))
    print("framework frozen:", sum((row["framework_exchanges"] or 9.0) < 2.0 for row in made))
    print("refused:", dict(Counter(row["reason"] for row in disordered if row["outcome"] == "refused")))
    families: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in disordered:
        families[row["family"]].append(row)
    for family, members in sorted(families.items(), key=lambda item: -len(item[1])):
        kept = [row for row in members if row["outcome"] == "ensemble"]
        atoms = f", median {np.median([row['n_atoms'] for row in kept]):.0f} atoms" if kept else ""
        print(f"{family}: {len(kept)} of {len(members)}{atoms}")


def quantiles(values: Iterable[float]) -> str:
    """Return the 10, 50, 90 and 100 % quantiles."""
    numbers = list(values)
    return " / ".join(f"{value:.3g}" for value in np.percentile(numbers, [10, 50, 90, 100])) if numbers else "none"


if __name__ == "__main__":
    main()
