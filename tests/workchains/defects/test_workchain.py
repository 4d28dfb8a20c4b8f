"""Cells with defects made, relaxed and tabulated for real, by Lennard-Jones."""

from __future__ import annotations

from typing import Any

import pytest
from aiida import orm
from aiida.engine import run_get_node
from ase import Atoms

from aiida_ion.calculations.defects.energies import defect_energies
from aiida_ion.calculations.defects.make import MakeDefectsCalculation, validate_defect_inputs
from aiida_ion.runners.lennard_jones import PairLennardJones
from aiida_ion.workchains.defects.workchain import DefectsWorkChain, validate_relaxation_parameters

#: A toy: all pairs of atoms are alike, so that layers of Li and Cl on a face-centred lattice are stable.
TOY = {"sigma": 2.3, "epsilon": 0.05, "rc": 5.0}
SCHOTTKY = {"defect": "schottky", "removed": "LiCl", "concentration": 1 / 16, "max_atoms": 32, "min_width_A": 6.0}


def layers() -> orm.StructureData:
    """Return LiCl in layers on a face-centred cubic lattice."""
    edge = 2.3 * 1.5496  # of least energy with 12-6 pairs
    places = [[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
    return orm.StructureData(ase=Atoms("Li2Cl2", scaled_positions=places, cell=[edge] * 3, pbc=True))


def inputs(code: Any, **defects: Any) -> dict[str, Any]:
    return {
        "structure": layers(),
        "defects": {"code": code, "parameters": orm.Dict({**SCHOTTKY, "n_members": 1, **defects})},
        "relaxation": {
            "code": code,
            "potential": orm.Dict({"name": "lj", "kwargs": TOY}),
            "parameters": orm.Dict({"max_force_eV_A": 0.005}),
        },
        "level_of_theory": "toy",
    }


@pytest.mark.usefixtures("aiida_profile_clean")
def test_the_energy_of_a_schottky_defect_is_that_of_its_atoms(python_code: Any) -> None:
    node = run_get_node(DefectsWorkChain, **inputs(python_code("ion.relax_orderings")))[1]
    assert node.is_finished_ok, node.exit_message
    ensemble = node.outputs.ensemble.get_dict()
    assert ensemble["kind"] == "defects" and ensemble["level_of_theory"] == "toy"
    assert ensemble["concentration"] == pytest.approx(1 / 16)
    assert sum(member["weight"] for member in ensemble["members"]) == pytest.approx(1.0)
    energies = {}
    for name, cell in {"perfect": node.outputs.perfect, **dict(node.outputs.members)}.items():
        atoms = cell.get_ase()
        atoms.calc = PairLennardJones(**TOY)
        energies[name] = atoms.get_potential_energy()
        assert abs(atoms.get_forces()).max() < 0.01
    lowest = min(value for name, value in energies.items() if name != "perfect")
    # One of 16 formula units is taken out of the crystal.
    assert ensemble["formation_energy_eV"] == pytest.approx(lowest - energies["perfect"] * 15 / 16, abs=1e-6)
    assert 0.5 < ensemble["formation_energy_eV"] / (2 * 8.6 * TOY["epsilon"]) < 1.2  # two vacancies of the toy
    made = [child for child in node.called if child.process_class is MakeDefectsCalculation]
    assert made[0].outputs.ensemble.get_dict()["members"][0]["defects"][0]["kind"] == "vacancy"
    (table,) = [child for child in node.called if isinstance(child, orm.CalcFunctionNode)]
    assert table.process_type.endswith("ion.defect_energies")
    assert defect_energies.__name__ == "defect_energies"


@pytest.mark.usefixtures("aiida_profile_clean")
def test_what_cannot_be_made_is_refused_before_submission() -> None:
    wrong = {"structure": layers(), "parameters": orm.Dict({**SCHOTTKY, "removed": "Li2Cl"})}
    assert "a Schottky defect is neutral" in str(validate_defect_inputs(wrong, None))
    assert validate_defect_inputs({**wrong, "parameters": orm.Dict(SCHOTTKY)}, None) is None
    free = validate_relaxation_parameters(orm.Dict({"cell": "isotropic"}), None)
    assert "need the cell of the perfect crystal" in str(free)
    assert "did you mean max_steps" in str(validate_relaxation_parameters(orm.Dict({"max_step": 3}), None))
