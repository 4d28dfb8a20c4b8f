"""A screening of small crystals in one process, which the test kills: `python killed_program.py [--decisions]`."""

from __future__ import annotations

import json
import sys

from aiida import load_profile, orm
from aiida.engine import run_get_node
from ase import Atoms
from ase.build import bulk

from aiida_ion.calculations.screening.batch import structure_hash_of
from aiida_ion.campaigns.screening.materials import Materials
from aiida_ion.campaigns.screening.processes import stage_plans
from aiida_ion.campaigns.screening.request import ScreenRequest
from aiida_ion.campaigns.screening.submit import screening_builder
from aiida_ion.screening.plan import ScreeningPlan

N_CRYSTALS = 24


def crystals() -> dict[str, Atoms]:
    """Return crystals of different sizes: some pass, some fail."""
    oxides = {f"oxide_{i}": bulk("OLi2", "fluorite", a=4.5 + 0.02 * i) for i in range(N_CRYSTALS // 2)}
    return oxides | {f"fluoride_{i}": bulk("LiF", "rocksalt", a=3.9 + 0.02 * i) for i in range(N_CRYSTALS // 2)}


def main() -> None:
    load_profile()
    plan = ScreeningPlan.from_dict(
        {
            "mobile_species": "Li",
            "stages": [
                {"name": "gate", "method": "gate"},
                {
                    "name": "bvse",
                    "method": "bvse",
                    "settings": {"resolution_A": 0.4},
                    "cut": {"quantity": "barrier_1d_eV", "maximum": 0.4},
                },
            ],
        }
    )
    request = ScreenRequest(batch_size=2, max_concurrent=2)
    plans, _ = stage_plans(plan, request)
    nodes = {name: orm.StructureData(ase=atoms) for name, atoms in crystals().items()}
    found = Materials([(name, node, structure_hash_of(node)) for name, node in nodes.items()])
    node = run_get_node(screening_builder(found, plans, request))[1]
    entries = [entry for part in node.outputs.decisions.values() for entry in part["decisions"]]
    kept = ("name", "verdict", "value", "low", "high", "reason")
    print(json.dumps(sorted([[entry[key] for key in kept] for entry in entries], key=str)))


if __name__ == "__main__":
    sys.exit(main())
