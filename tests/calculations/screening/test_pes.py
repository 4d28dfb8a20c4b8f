"""The job of frozen surfaces, run for real on several crystals, by a toy potential and by SevenNet."""

from __future__ import annotations

from typing import Any

import pytest
from aiida import orm
from aiida.engine import run_get_node
from ase import Atoms
from ase.spacegroup import crystal

from aiida_ion.analysis.energy_maps.kept_map import in_cell
from aiida_ion.analysis.energy_maps.percolation import percolate_grid
from aiida_ion.calculations.screening.combine_pes import combine_pes, combined, validate_results
from aiida_ion.calculations.screening.pes import PesCalculation, planned
from aiida_ion.queries.screening.maps import kept_maps, read_map
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
    node = compute(
        python_code("ion.pes"), structures, TOY, parameters={"mobile_species": "Li", "step_A": 0.5, "keep_map": True}
    )
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
    assert set(node.outputs.maps) == set("abe")
    kept = read_map(node.outputs.maps["b"].uuid)
    assert list(kept.energies_eV.shape) == again["maps"][0]["grid"] and kept.energies_eV.min() == 0.0
    assert percolate_grid(kept.energies_eV).barriers_eV == pytest.approx(again["barriers_eV"], abs=1e-5)
    repeated = in_cell(kept, supercell.cell.array)
    assert repeated is not None and repeated.host_symbols == ("O", "O")
    listed = kept_maps(node.inputs.structures["b"].uuid).set_index("uuid")
    assert len(listed) == 2  # the same crystal in another cell has one, too
    row = listed.loc[node.outputs.maps["b"].uuid]
    assert (row["method"], row["potential"], row["others"]) == ("pes", "lj", "removed")
    assert row["structure_uuid"] == node.inputs.structures["b"].uuid


@pytest.mark.usefixtures("aiida_profile_clean")
def test_settings_and_structures_are_checked_before_anything_runs(python_code: Any) -> None:
    code, oxide = python_code("ion.pes"), {"a": cell("Li2O")}
    for parameters, message in (
        ({"others": "gone"}, "others must be one of removed, kept, vacancy"),
        ({"step_A": 3}, "step_A must be a number from 0.05 to 1 angstrom"),
        ({"mobile_species": "Na"}, "none of the structures has the mobile species Na"),
        ({"stepp_A": 0.2}, "did you mean step_A"),
    ):
        with pytest.raises(ValueError, match=message):
            compute(code, oxide, TOY, parameters=parameters)
    with pytest.raises(ValueError, match="name must be one of"):
        compute(code, oxide, {"name": "nothing"})


def test_a_crystal_that_cannot_be_planned_says_why() -> None:
    disordered = orm.StructureData(cell=[[4, 0, 0], [0, 4, 0], [0, 0, 4]])
    disordered.append_atom(position=(0, 0, 0), symbols=["Li", "Na"], weights=[0.5, 0.5])
    assert "disordered" in planned(disordered, PesSettings())["refusal"]
    salt = orm.StructureData(ase=cell("MgO"))
    assert "has no plan" not in str(planned(salt, PesSettings()))  # O is taken for mobile where nothing else is
    assert planned(salt, PesSettings())["mobile_species"] == "O"
    lithium = orm.StructureData(ase=Atoms("Li", cell=[3.5] * 3, pbc=True))
    assert "no framework" in planned(lithium, PesSettings())["refusal"]


@pytest.mark.usefixtures("aiida_profile_clean")
def test_an_element_that_the_potential_does_not_know(python_code: Any) -> None:
    copper = crystal(["Cu", "Au"], [(0, 0, 0), (0.5, 0.5, 0.5)], spacegroup=221, cellpar=[3.2] * 3 + [90] * 3)
    settings = {"step_A": 0.8}
    node = compute(python_code("ion.pes"), {"a": cell("Li2O"), "b": copper}, {"name": "emt"}, parameters=settings)
    assert node.is_finished_ok, node.exit_message
    assert node.outputs.results["a"]["message"] == "the potential does not know Li"
    assert node.outputs.results["b"]["status"] == "finished"
    few = {"step_A": 0.3, "max_evaluations": 20}
    node = compute(python_code("ion.pes"), {"b": copper}, {"name": "emt"}, parameters=few)
    assert "more than max_evaluations = 20" in node.outputs.results["b"]["message"]


@pytest.mark.usefixtures("aiida_profile_clean")
def test_lithium_oxide_by_sevennet(python_code: Any) -> None:
    """With the other Li removed the barrier is the published DFT order, a tenth of that among all of them."""
    node = compute(python_code("ion.pes", "sevenn"), {"Li2O": cell("Li2O")}, {"name": "sevenn"})
    assert node.is_finished_ok, node.exit_message
    result = node.outputs.results["Li2O"].get_dict()
    assert result["barriers_eV"] == pytest.approx([0.12] * 3, abs=0.02)
    low, high = result["barriers_interval_eV"][0]
    assert low < 0.12 < high < 0.2
    assert result["maps"][0]["sites"][0]["energy_above_minimum_eV"] == 0.0
    assert result["maps"][0]["minimum"]["distance_to_site_A"] == 0.0
    assert 40 * result["evaluations"]["n_evaluated"] < result["evaluations"]["n_without_symmetry"]
    assert result["descriptors"]["mpe"] == pytest.approx(result["barriers_eV"][0])
    assert len(result["potential"]["checkpoint_sha256"]) == 64 and result["caveats"] == []
    assert result["cost"]["cpu_s"] < 30


#: Percolation energies by SevenNet-0, eV, of an implementation of its own: crystal, others, number of the map.
REFERENCE = [
    ("Li3N", "removed", 0, (0.27, 0.27, 0.52)),
    ("Li3N", "kept", 1, (1.83, 3.11, 3.11)),
    ("Li2O", "kept", 0, (1.19, 1.19, 1.19)),
    ("Li3OCl", "removed", 0, (0.447, 0.447, 0.447)),
    ("Li3OCl", "kept", 0, (2.98, 2.98, 5.10)),
]


@pytest.mark.slow
@pytest.mark.usefixtures("aiida_profile_clean")
@pytest.mark.parametrize("others", ["removed", "kept"])
def test_reference_values_of_sevennet(python_code: Any, others: str) -> None:
    wanted = [entry for entry in REFERENCE if entry[1] == others]
    structures = {name: cell(name) for name, *_ in wanted}
    node = compute(python_code("ion.pes", "sevenn"), structures, {"name": "sevenn"}, parameters={"others": others})
    assert node.is_finished_ok, node.exit_message
    for name, _, number, barriers in wanted:
        result = node.outputs.results[name].get_dict()
        assert result["maps"][number]["barriers_eV"] == pytest.approx(barriers, abs=0.02), name


@pytest.mark.slow
@pytest.mark.usefixtures("aiida_profile_clean")
def test_symmetry_changes_no_number_by_sevennet(python_code: Any) -> None:
    """Up to the single precision of the model: equivalent points differ by up to 1e-4 eV."""
    results = []
    for use_symmetry in (True, False):
        settings = {"step_A": 0.5, "use_symmetry": use_symmetry}
        node = compute(python_code("ion.pes", "sevenn"), {"a": cell("Li3N")}, {"name": "sevenn"}, parameters=settings)
        results.append(node.outputs.results["a"].get_dict())
    few, every = results
    assert few["barriers_eV"] == pytest.approx(every["barriers_eV"], abs=2e-4)
    assert few["maps"][0]["highest_eV"] == pytest.approx(every["maps"][0]["highest_eV"], abs=1e-3)
    numbers = {name: value for name, value in every["descriptors"].items() if isinstance(value, float)}
    assert {name: few["descriptors"][name] for name in numbers} == pytest.approx(numbers, abs=2e-3)
    assert 6 * few["evaluations"]["n_evaluated"] < every["evaluations"]["n_evaluated"]


@pytest.mark.slow
@pytest.mark.usefixtures("aiida_profile_clean")
def test_two_potentials_give_an_interval(python_code: Any) -> None:
    nodes = {}
    for engine in ("sevenn", "chgnet"):
        code = python_code("ion.pes", engine)
        job = compute(code, {"a": cell("Li2O")}, {"name": engine}, parameters={"step_A": 0.4, "descriptors": False})
        assert job.is_finished_ok, job.exit_message
        nodes[engine] = job.outputs.results["a"]
    both = combine_pes(**nodes).get_dict()
    values = [node["barriers_eV"][0] for node in nodes.values()]
    assert both["disagreement_eV"][0] == pytest.approx(abs(values[0] - values[1]))
    low, high = both["barriers_interval_eV"][0]
    assert low <= min(values) < max(values) <= high
    assert {name: one["potential"]["program"] for name, one in both["sources"].items()} == dict(
        zip(nodes, nodes, strict=True)
    )


def finished(barrier: float, **changes: Any) -> dict[str, Any]:
    content = {
        "method": "pes",
        "status": "finished",
        "message": "",
        "mobile_species": "Li",
        "structure_hash": "s",
        "method_hash": "m",
        "zero": "lowest point",
        "others": "removed",
        "potential": {"program": "lj"},
        "barriers_eV": [barrier, barrier, None],
        "barriers_interval_eV": [None, None, None],
        "cost": {"cpu_s": 1.0, "wall_s": 2.0},
    }
    return content | changes


def test_results_that_cannot_be_joined() -> None:
    one = finished(0.2)
    assert "two finished results" in str(validate_results({"a": one}))
    assert "different crystals" in str(validate_results({"a": one, "b": finished(0.2, structure_hash="t")}))
    assert "different mobile species" in str(validate_results({"a": one, "b": finished(0.2, mobile_species="Na")}))
    assert "nothing else" in str(validate_results({"a": one, "b": finished(0.2, method="bvse")}))
    assert validate_results({"a": one, "b": finished(0.9, others="kept")}) is None


def test_removed_and_kept_are_one_interval() -> None:
    contents = {
        "removed": finished(0.2),
        "kept": finished(0.9, others="kept"),
        "c": finished(0, status="failed", message="no"),
    }
    both = combined(contents)
    assert both["barriers_interval_eV"] == [[0.2, 0.9], [0.2, 0.9], None]
    assert both["agrees"] == [False, False, True] and "1-D, 2-D barriers differ" in both["message"]
    assert both["left_out"] == {"c": "no"} and set(both["sources"]) == {"removed", "kept"}
    assert both["cost"] == {"cpu_s": 2.0, "wall_s": 4.0}
    assert {"method", "status", "mobile_species", "structure_hash", "method_hash"} <= set(both)
