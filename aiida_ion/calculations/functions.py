"""Calcfunctions: small steps whose result is a node with its origin."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from aiida import orm
from aiida.engine import calcfunction

from aiida_ion.analysis.crystals.cell import check_size
from aiida_ion.analysis.crystals.structure import supercell_multiples


def multiples_of(structure: orm.StructureData, settings: Mapping[str, Any]) -> list[int]:
    """Return how often a cell is repeated along each vector.

    :param settings: `multiples` (three whole numbers), or `min_width_A` and `supercell_rule`.
    :raises ValueError: if the cell would be too large.
    """
    multiples = settings.get("multiples") or supercell_multiples(
        structure.get_ase().cell.array, settings["min_width_A"], rule=settings["supercell_rule"]
    )
    check_size(len(structure.sites) * math.prod(int(n) for n in multiples))
    return [int(n) for n in multiples]


@calcfunction
def make_supercell(structure: orm.StructureData, parameters: orm.Dict) -> orm.StructureData:
    """Repeat the cell until it is wide enough for its images not to matter.

    :param parameters: `multiples` (three whole numbers), or `min_width_A` and `supercell_rule`; with `sort_atoms` the
        atoms of one element follow each other, elements in alphabetical order.
    """
    settings = parameters.get_dict()
    multiples = multiples_of(structure, settings)
    atoms = structure.get_ase().repeat(multiples)
    if settings.get("sort_atoms"):
        atoms = atoms[np.argsort(atoms.get_chemical_symbols(), kind="stable")]
    supercell = orm.StructureData(ase=atoms)
    supercell.base.attributes.set("multiples", multiples)
    return supercell


@calcfunction
def sum_costs(**costs: orm.Dict) -> orm.Dict:
    """Add up the cost of segments or runs: times and steps are added, the largest memory counts."""
    ledgers = [cost.get_dict() for cost in costs.values()]
    total: dict[str, Any] = {"n_jobs": sum(ledger.get("n_jobs", 1) for ledger in ledgers)}
    for key in ("wall_time_s", "cpu_time_s", "gpu_time_s", "n_steps"):
        known = [ledger[key] for ledger in ledgers if ledger.get(key) is not None]
        if known:
            total[key] = sum(known)
    for key in ("peak_memory_MiB", "peak_gpu_memory_MiB", "n_atoms"):
        known = [ledger[key] for ledger in ledgers if ledger.get(key) is not None]
        if known:
            total[key] = max(known)
    if total.get("wall_time_s"):
        total["steps_per_s"] = total.get("n_steps", 0) / total["wall_time_s"]
    for key in ("device", "hardware", "threads"):
        total[key] = sorted({word for ledger in ledgers for word in words_of(ledger.get(key))})
    return orm.Dict(total)


def words_of(entry: Any) -> list[str]:
    """Return an entry of a ledger as a list: a job has one word, a sum of jobs a list, an older job may have none."""
    if entry is None:
        return []
    return [str(word) for word in entry] if isinstance(entry, list) else [str(entry)]


def conductivity_arrays(samples: dict[str, Any]) -> orm.ArrayData:
    """Return posterior samples as an array node, float32: their own spread is far wider than its rounding."""
    node = orm.ArrayData()
    for name, values in samples.items():
        node.set_array(name, np.asarray(values, dtype=np.float32))
    return node
