"""What ``ion.conductivity`` may be given instead of computing it: the relaxed cell, the supercell, runs of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm

from aiida_ion.workchains.conductivity.runs import temperature_label

NAMESPACE = "prepared"


def define_prepared(spec: Any) -> None:
    """Declare the inputs."""
    spec.input_namespace(
        NAMESPACE,
        required=False,
        help="What a process for many crystals computed before, such as `ion.batch_conductivity`.",
    )
    spec.input(
        f"{NAMESPACE}.relaxed_structure",
        valid_type=orm.StructureData,
        required=False,
        help="The relaxed cell: nothing is relaxed.",
    )
    spec.input(
        f"{NAMESPACE}.relaxation",
        valid_type=orm.Dict,
        required=False,
        help="Displacements (angstrom), energy drop (eV).",
    )
    spec.input(f"{NAMESPACE}.supercell", valid_type=orm.StructureData, required=False, help="The cell of the runs.")
    spec.input_namespace(
        f"{NAMESPACE}.runs",
        dynamic=True,
        required=False,
        help="The `earlier` of runs of the first round, under names such as `T_0800K_seed_1`; the others are run.",
    )


def run_name(temperature_K: float, seed: int) -> str:
    """Return the name of a run of the first round, such as ``T_0800K_seed_1``."""
    return f"{temperature_label(temperature_K)}_seed_{seed}"


def prepared_of(inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a conductivity was given; empty where it computes everything."""
    return inputs.get(NAMESPACE) or {}


def validate_prepared(inputs: Mapping[str, Any]) -> str | None:
    """Return what does not match among what was prepared; ``None`` if everything does."""
    prepared, parameters = prepared_of(inputs), inputs["parameters"].get_dict()
    if prepared.get("runs") and prepared.get("supercell") is None:
        return f"{NAMESPACE}.runs needs {NAMESPACE}.supercell, the cell that they are of"
    if parameters["relax_ions"] and prepared.get("supercell") is not None and "relaxed_structure" not in prepared:
        return f"relax_ions needs {NAMESPACE}.relaxed_structure, from which {NAMESPACE}.supercell was made"
    if not parameters["relax_ions"] and prepared.get("relaxed_structure") is not None:
        return f"{NAMESPACE}.relaxed_structure is given, and relax_ions is off"
    names = {run_name(float(t), int(seed)) for t in parameters["temperatures_K"] for seed in parameters["seeds"]}
    unknown = sorted(set(prepared.get("runs") or {}) - names)
    return f"{NAMESPACE}.runs names {unknown[0]}, which is no run of these temperatures and seeds" if unknown else None
