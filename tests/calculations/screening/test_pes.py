"""The job of frozen surfaces, run for real on several crystals, by a toy potential and by SevenNet."""

from __future__ import annotations

from typing import Any

import pytest
from aiida import orm
from aiida.engine import run_get_node
from ase import Atoms
from ase.spacegroup import crystal

from aiida_ion.calculations.screening.combine_pes import combine_pes, combined, validate_results
from aiida_ion.calculations.screening.pes import PesCalculation, planned
from aiida_ion.settings.pes import PesSettings

#: A toy: every pair of atoms repels and attracts in the same way.
TOY = {"name": "lj", "kwargs": {"sigma": 1.9, "epsilon": 0.05, "rc": 5.0}}


def cell(name: str) -> Atoms:
    """Return a crystal from its Wyckoff sites."""
    made = {
        "Li2O": ((["Li", "O"], [(0.25, 0.25, 0.25), (0, 0, 0)]), 225, [4.619] * 3 + [90] * 3),
        "Li3N": (
            (["Li", "Li", "N"], [(0, 0, 0.5), (1 / 3, 2 / 3, 0), (0, 0, 0)]),
            191,
            [3.648, 3.648, 3.875, 90, 90, 120],
        ),
        "Li3OCl": ((["Li", "O", "Cl"], [(0.5, 0, 0.5), (0.5, 0.5, 0.5), (0, 0, 0)]), 221, [3.907] * 3 + [90] * 3),
        "MgO": ((["Mg", "O"], [(0, 0, 0), (0.5, 0.5, 0.5)]), 225, [4.21] * 3 + [90] * 3),
    }
    (symbols, basis), group, cellpar = made[name]
    primitive: Atoms = crystal(symbols, basis, spacegroup=group, cellpar=cellpar, primitive_cell=True)
    return primitive


def compute(code: orm.InstalledCode, structures: dict[str, Atoms], potential: dict[str, Any], **inputs: Any) -> Any:
    nodes = {label: orm.StructureData(ase=atoms) for label, atoms in structures.items()}
    settings = inputs.pop("parameters", {})
    inputs = {
        "code": code,
        "potential": orm.Dict(potential),
        "structures": nodes,
        "parameters": orm.Dict(settings),
    } | inputs
    return run_get_node(PesCalculation, **inputs)[1]


@pytest.mark.usefixtures("aiida_profile_clean")
def test_a_batch_has_a_result_for_every_material(python_code: Any) -> None:
    supercell = cell("Li2O").repeat((2, 1, 1))
    supercell.positions += 0.3
    crowded = cell("Li2O")
    crowded.positions[0] = crowded.positions[2] + [0.0, 0.0, 0.9]
    structures = {"a": cell("Li2O"), "b": supercell, "c": cell("MgO"), "d": crowded, "e": cell("Li3N")}
    node = compute(python_code("ion.pes"), structures, TOY, parameters={"mobile_species": "Li", "step_A": 0.5})
    assert node.is_finished_ok, node.exit_message
    results = {label: node.outputs.results[label].get_dict() for label in structures}
    assert {label: one["status"] for label, one in results.items()} == dict(
        zip("abcde", ["finished", "finished", "refused", "refused", "finished"], strict=True)
    )
    assert "not in the crystal" in results["c"]["message"]
    assert "0.90 angstrom from another atom" in results["d"]["message"]
    first, again = results["a"], results["b"]
    assert first["structure_hash"] == again["structure_hash"] and first["method_hash"] == again["method_hash"]
    assert again["barriers_eV"] == pytest.approx(first["barriers_eV"], abs=1e-6)
    assert first["cost"]["n_energies"] == first["evaluations"]["n_evaluated"] < 40
    assert first["evaluations"]["n_without_symmetry"] > 600
    assert len(first["descriptors"]) > 300 and first["others"] == "removed"
    assert results["e"]["maps"][0]["sites"][1]["multiplicity"] == 2
    assert node.outputs.versions["level_of_theory_fingerprint"]["program"] == "lj"
    assert first["potential"]["program"] == "lj" and first["potential"]["arguments"] == TOY["kwargs"]
