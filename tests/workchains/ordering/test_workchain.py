"""A disordered crystal drawn, relaxed and ranked for real, by Lennard-Jones."""

from __future__ import annotations

from typing import Any

import pytest
from aiida import orm
from aiida.engine import run_get_node
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure

from aiida_ion.calculations.disorder.relax import RelaxOrderingsCalculation, validate_inputs
from aiida_ion.workchains.ordering.workchain import OrderingWorkChain
from tests.calculations.disorder.test_order import argyrodite

#: A toy: every pair of atoms repels and attracts in the same way.
TOY = {"name": "lj", "kwargs": {"sigma": 2.3, "epsilon": 0.05, "rc": 6.0}}
QUICK = {"max_atoms": 16, "n_orderings": 4, "sweeps": 10, "min_width_A": 7.0}


def half_filled() -> orm.StructureData:
    """Return a crystal that can hold its Li in several ways."""
    sites = [{"Li": 0.5}, {"Li": 0.5}, "Cl"]
    places = [[0, 0, 0], [0, 0, 0.5], [0.5, 0.5, 0.25]]
    return orm.StructureData(pymatgen=Structure(Lattice.orthorhombic(3.6, 3.9, 7.0), sites, places))


def inputs(code: Any, **changes: Any) -> dict[str, Any]:
    relaxation = {"code": code, "potential": orm.Dict(TOY), "parameters": orm.Dict(changes)}
    ordering = {"code": code, "parameters": orm.Dict(QUICK)}
    return {"structure": half_filled(), "ordering": ordering, "relaxation": relaxation}


@pytest.mark.usefixtures("aiida_profile_clean")
def test_cells_are_relaxed_in_one_job_and_ranked(python_code: Any) -> None:
    node = run_get_node(OrderingWorkChain, **inputs(python_code("ion.relax_orderings"), max_steps=200))[1]
    assert node.is_finished_ok, node.exit_message
    ensemble, (job,) = node.outputs.ensemble.get_dict(), _relaxations(node)
    assert len(ensemble["members"]) == len(node.outputs.orderings) == len(job.inputs.structures) > 1
    for number, member in enumerate(ensemble["members"]):
        record = job.outputs.results[member["drawn_as"]].get_dict()
        assert "positions_A" not in record and "cell_A" not in record
        cell = node.outputs.orderings[f"o{number:03d}"]
        assert cell.uuid == job.outputs.orderings[member["drawn_as"]].uuid
        assert member["energy_eV"] == record["energy_eV"] < member["energy_before_eV"]
        assert member["converged"] and member["max_force_eV_A"] <= 0.05
    lowest = min(ensemble["members"], key=lambda member: member["energy_eV"])
    assert lowest["rank"] == 1 and lowest["energy_above_lowest_eV"] == 0.0
    assert ensemble["settings"]["seed"] == 1 and sum(m["weight"] for m in ensemble["members"]) == pytest.approx(1.0)
    assert job.outputs.versions["level_of_theory_fingerprint"]["program"] == "lj"
    assert node.inputs.structure.uuid == job.inputs.structures.o000.creator.inputs.structure.uuid
    _few_steps(job)


def _few_steps(earlier: Any) -> None:
    """Cells that are not relaxed are kept, and said to be not."""
    given = {name: earlier.inputs[name] for name in ("code", "potential")}
    structures = {"o000": earlier.inputs.structures.o000}
    node = run_get_node(
        RelaxOrderingsCalculation, **given, structures=structures, parameters=orm.Dict({"max_steps": 1})
    )[1]
    assert node.exit_status == 700 and "1 of 1 cells (o000) after at most 1 steps" in node.exit_message
    assert not node.outputs.results.o000["converged"] and "o000" in node.outputs.orderings


def _relaxations(node: Any) -> list[Any]:
    return [child for child in node.called if child.process_class is RelaxOrderingsCalculation]


@pytest.mark.usefixtures("aiida_profile_clean")
def test_what_cannot_be_ordered_or_relaxed_is_refused_before_submission(python_code: Any) -> None:
    code = python_code("ion.relax_orderings")
    given = inputs(code)
    given["structure"] = orm.StructureData(
        pymatgen=Structure(Lattice.cubic(5), [{"Li": 0.5}, "Cl"], [[0] * 3, [0.5] * 3])
    )
    with pytest.raises(ValueError, match=r"-0\.50 e"):
        run_get_node(OrderingWorkChain, **given)
    with pytest.raises(ValueError, match="did you mean max_steps"):
        run_get_node(OrderingWorkChain, **inputs(code, max_step=3))
    assert "o000: it is disordered" in str(validate_inputs({"structures": {"o000": half_filled()}}, None))


@pytest.mark.slow
@pytest.mark.usefixtures("aiida_profile_clean")
def test_argyrodite_by_sevennet(python_code: Any) -> None:
    """Ions of split sites move apart, and the order of point charges is about that of relaxed energies."""
    given = inputs(python_code("ion.relax_orderings", "sevenn"))
    given["structure"] = argyrodite()
    settings = {"max_atoms": 30, "n_orderings": 6, "min_width_A": 0.0, "sweeps": 50}
    given["ordering"] = {"code": python_code("ion.order_structure"), "parameters": orm.Dict(settings)}
    given["relaxation"]["potential"] = orm.Dict({"name": "sevenn"})
    node = run_get_node(OrderingWorkChain, **given)[1]
    assert node.is_finished_ok, node.exit_message
    ensemble = node.outputs.ensemble.get_dict()
    for member in ensemble["members"]:
        assert member["converged"] and 0.0 < member["energy_drop_meV_atom"] < 500.0
        assert member["closest_mobile_A"] > 2.0 and member["max_framework_displacement_A"] < 1.5
        assert 0.0 <= member["energy_above_lowest_eV"] < 5.0
    assert ensemble["k_effective_boltzmann"] <= ensemble["n_orderings"]
