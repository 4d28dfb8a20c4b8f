"""The job that orders a crystal, run for real."""

from __future__ import annotations

from typing import Any

import pytest
from aiida import orm
from aiida.engine import run_get_node
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure

from aiida_ion.calculations.disorder.order import (
    OrderStructureCalculation,
    crystal_of,
    validate_order_inputs,
    validate_order_parameters,
)
from aiida_ion.queries.atoms.orderings import orderings

QUICK = {"max_atoms": 60, "n_orderings": 3, "sweeps": 10, "min_width_A": 0.0}


def argyrodite() -> orm.StructureData:
    """Return Li6PS5Cl with half-filled Li sites, and an exchange of S and Cl."""
    species = [{"Li": 0.5}, "P", "S", {"Cl": 0.75, "S": 0.25}, {"S": 0.75, "Cl": 0.25}]
    places = [[0.3174, 0.0171, 0.6826], [0, 0, 0.5], [0.1194, -0.1194, 0.6194], [0, 0, 0], [0.25, 0.25, 0.75]]
    return orm.StructureData(pymatgen=Structure.from_spacegroup("F-43m", Lattice.cubic(9.85), species, places))


@pytest.mark.usefixtures("aiida_profile_clean")
def test_weights_of_a_node_become_ordered_cells(python_code: Any) -> None:
    structure = argyrodite()
    node = run_get_node(
        OrderStructureCalculation,
        code=python_code("ion.order_structure"),
        structure=structure,
        parameters=orm.Dict(QUICK),
    )[1]
    assert node.is_finished_ok, node.exit_message
    ensemble = node.outputs.ensemble.get_dict()
    assert sum(member["weight"] for member in ensemble["members"]) == pytest.approx(1.0)
    assert ensemble["settings"]["seed"] == 1
    assert set(node.outputs.orderings) == {f"o{number:03d}" for number in range(len(ensemble["members"]))}
    for cell in node.outputs.orderings.values():
        assert not cell.is_alloy
        assert not cell.has_vacancies
        composition = cell.get_composition()
        assert composition["Li"] + 5 * composition["P"] == 2 * composition["S"] + composition["Cl"]
        assert len(cell.sites) == ensemble["n_atoms"]
    assert node.outputs.versions["spglib"]
    assert node.outputs.cost["cpu_time_s"] > 0
    assert node.inputs.structure.uuid == structure.uuid
    table = orderings(structure.uuid)
    assert list(table["label"]) == sorted(node.outputs.orderings)
    assert table["weight"].sum() == pytest.approx(1.0)
    energies = [member["ewald_energy_eV"] for member in ensemble["members"]]
    assert list(table["ewald_above_eV"]) == pytest.approx([energy - min(energies) for energy in energies])
    assert table["relaxed_above_eV"].isna().all() and (table["n_atoms"] == ensemble["n_atoms"]).all()
    assert set(table["structure_uuid"]) == {cell.uuid for cell in node.outputs.orderings.values()}
    assert orderings(table["structure_uuid"][0]).empty


@pytest.mark.usefixtures("aiida_profile_clean")
def test_orbits_are_found_again_in_a_node() -> None:
    crystal = crystal_of(argyrodite())
    assert sorted(crystal.multiplicities.tolist()) == [1, 1, 1, 4, 12]
    assert crystal.composition["Li"] == pytest.approx(6.0)


@pytest.mark.usefixtures("aiida_profile_clean")
def test_what_cannot_be_ordered_is_refused_before_submission() -> None:
    charged = orm.StructureData(pymatgen=Structure(Lattice.cubic(5), [{"Li": 0.5}, "Cl"], [[0] * 3, [0.5] * 3]))
    message = validate_order_inputs({"structure": charged, "parameters": orm.Dict({})}, None)
    assert message is not None
    assert "-0.50 e" in message
    assert validate_order_inputs({"structure": argyrodite(), "parameters": orm.Dict({})}, None) is None


def test_an_unknown_setting_is_named() -> None:
    assert "did you mean max_atoms" in str(validate_order_parameters(orm.Dict({"max_atom": 3}), None))
