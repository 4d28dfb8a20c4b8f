"""The job of many crystals, run for real."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.engine import run_get_node
from ase.spacegroup import crystal

from aiida_ion.aiida_private.builders import validate_builder
from aiida_ion.calculations.programs import program_files
from aiida_ion.calculations.screening.batch import HASH_EXTRA, MAX_MATERIALS
from aiida_ion.calculations.screening.bvse import BvseCalculation
from aiida_ion.queries.screening.existing import existing_results
from aiida_ion.queries.screening.maps import kept_maps, read_map

KIND = "aiida.calculations:ion.bvse"
PARAMETERS = {"mobile_species": "Li", "resolution_A": 0.3}
#: The line after which a program kills itself when it comes to a material.
WORK = "    def work(material: Material) -> dict[str, Any]:\n"
KILL = '        if material.label == "m_2":\n            import os\n\n            os.kill(os.getpid(), 9)\n'


def oxide(metal: str = "Li", edge_A: float = 4.619) -> orm.StructureData:
    sites = [(0.25, 0.25, 0.25), (0, 0, 0)]
    return orm.StructureData(ase=crystal([metal, "O"], sites, spacegroup=225, cellpar=[edge_A] * 3 + [90] * 3))


def disordered() -> orm.StructureData:
    structure = orm.StructureData(cell=[[4, 0, 0], [0, 4, 0], [0, 0, 4]])
    structure.append_atom(position=(0, 0, 0), symbols=["Li", "Na"], weights=[0.5, 0.5])
    structure.append_atom(position=(2, 2, 2), symbols="O")
    return structure


def overlapping() -> orm.StructureData:
    structure = orm.StructureData(cell=[[4, 0, 0], [0, 4, 0], [0, 0, 4]])
    for place in ((0, 0, 0), (0, 0, 0.1)):
        structure.append_atom(position=place, symbols="Li")
    structure.append_atom(position=(2, 2, 2), symbols="O")
    return structure


def layer() -> orm.StructureData:
    structure = oxide()
    structure.set_pbc((True, True, False))
    return structure


def run(code: orm.InstalledCode, structures: dict[str, Any], **inputs: Any) -> orm.CalcJobNode:
    parameters = orm.Dict(PARAMETERS | inputs.pop("parameters", {}))
    return run_get_node(BvseCalculation, code=code, structures=structures, parameters=parameters, **inputs)[1]


@pytest.mark.usefixtures("aiida_profile_clean")
def test_hostile_crystals_among_others(python_code: Any) -> None:
    structures = {
        "good": oxide().store(),
        "disordered": disordered(),
        "overlapping": overlapping(),
        "sodium": oxide("Na", 5.55),
        "layer": layer(),
        "again": oxide(),
    }
    node = run(python_code("ion.bvse"), structures)
    assert node.is_finished_ok, node.exit_message
    results = {label: node.outputs.results[label].get_dict() for label in node.outputs.results}
    assert {label: result["status"] for label, result in results.items()} == {
        "good": "finished",
        "again": "finished",
        "disordered": "refused",
        "overlapping": "refused",
        "sodium": "refused",
        "layer": "refused",
    }
    good = results["good"]
    assert good["barriers_eV"] == pytest.approx([0.2901] * 3, abs=1e-3)
    assert good["barriers_eV"] == results["again"]["barriers_eV"]
    assert (
        good["structure_hash"] == results["again"]["structure_hash"] == structures["good"].base.extras.get(HASH_EXTRA)
    )
    assert (good["method"], good["mobile_species"], len(good["method_hash"])) == ("bvse", "Li", 64)
    assert good["cost"]["cpu_s"] > 0
    assert "disordered" in results["disordered"]["message"]
    assert "0.100 angstrom apart" in results["overlapping"]["message"]
    assert results["sodium"]["message"] == "no Li in Na2O: nothing would diffuse"
    assert "periodic" in results["layer"]["message"]
    assert all(result["barriers_eV"] is None for label, result in results.items() if result["status"] == "refused")
    assert node.outputs.cost["wall_time_s"] > 0
    assert node.outputs.versions["pymatgen"]
    assert "inputs.json" not in node.base.repository.list_object_names()
    assert "results.jsonl" not in node.outputs.retrieved.base.repository.list_object_names()


@pytest.mark.usefixtures("aiida_profile_clean")
def test_maps_are_kept_when_asked_for_and_found_by_their_crystal(python_code: Any) -> None:
    structures = {"a": oxide().store(), "b": oxide("Na", 5.55), "c": oxide(edge_A=9.0)}
    node = run(python_code("ion.bvse"), structures, parameters={"keep_map": True, "max_map_points": 2000})
    assert node.is_finished_ok, node.exit_message
    assert set(node.outputs.maps) == {"a"}  # one is refused, and one map is too large
    assert "the map was not kept: it has" in " ".join(node.outputs.results["c"]["caveats"])
    kept, result = node.outputs.maps["a"], node.outputs.results["a"]
    assert kept.get_array("energies_eV").dtype == np.float32
    assert list(kept.get_array("energies_eV").shape) == result["grid"]["shape"]
    assert kept.base.attributes.get("barriers_eV") == result["barriers_eV"]
    assert kept.base.attributes.get("zero") == result["zero"] == "lowest energy in the crystal"
    assert [name for name in node.outputs.retrieved.base.repository.list_object_names() if "map" in name] == []
    (row,) = kept_maps(structures["a"].uuid).to_dict("records")
    assert (row["uuid"], row["structure_uuid"], row["method"]) == (kept.uuid, structures["a"].uuid, "bvse")
    assert row["barrier_3d_eV"] == result["barriers_eV"][2]
    np.testing.assert_array_equal(read_map(kept.uuid).energies_eV, kept.get_array("energies_eV"))
    assert kept_maps(structures["c"].uuid).empty
    with pytest.raises(ValueError, match="not a map"):
        read_map(orm.ArrayData(np.zeros(3)).store().uuid)
    # A result with a map serves where none is asked for, and not the other way round.
    shared = {name: node.inputs[name] for name in ("code", "program")}
    digest = result["structure_hash"]
    with_map, without = (PARAMETERS | {"keep_map": one, "max_map_points": 2000} for one in (True, False))
    for parameters in (with_map, without, PARAMETERS):
        known = existing_results(KIND, shared | {"parameters": orm.Dict(parameters)}, [digest])
        assert known == {digest: result.uuid}
    for parameters in (PARAMETERS | {"keep_map": True}, PARAMETERS | {"resolution_A": 0.31}):
        assert existing_results(KIND, shared | {"parameters": orm.Dict(parameters)}, [digest]) == {}


@pytest.mark.usefixtures("aiida_profile_clean")
def test_a_job_that_is_killed_keeps_what_it_computed(python_code: Any) -> None:
    program = orm.FolderData()
    for path, content in program_files("screening.bvse").items():
        text = content.decode()
        if path.endswith("runners/screening/bvse.py"):
            text = text.replace(WORK, WORK + KILL)
            assert "os.kill" in text
        program.base.repository.put_object_from_bytes(text.encode(), path)
    structures = {f"m_{index}": oxide(edge_A=4.6 + 0.01 * index) for index in range(4)}
    node = run(python_code("ion.bvse"), structures, program=program)
    assert node.exit_status == 710
    assert "2 of 4 have none (m_2, m_3)" in node.exit_message
    assert set(node.outputs.results) == {"m_0", "m_1"}
    assert node.outputs.results["m_1"]["status"] == "finished"
    assert not node.base.caching.is_valid_cache
    none = run(python_code("ion.bvse"), {"m_2": structures["m_2"]}, program=program)
    assert none.exit_status in (300, 340)
    assert "results" not in none.outputs


@pytest.mark.usefixtures("aiida_profile_clean")
def test_a_python_without_the_libraries_says_so(python_code: Any) -> None:
    node = run(python_code("ion.bvse", "sevenn"), {"m_0": oxide()})
    assert node.exit_status == 420
    assert "pip install" in node.exit_message


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({"mobile_species": "Xx"}, "mobile_species must be the symbol of an element"),
        ({"resolution_A": 0.0}, "resolution_A must be a number from 0.05 to 1 angstrom"),
        ({"resolution": 0.2}, "did you mean resolution_A?"),
        ({"charges": {"Li": "one"}}, "charges: Li must be a number"),
    ],
)
@pytest.mark.usefixtures("aiida_profile_clean")
def test_settings_are_refused_before_anything_is_submitted(
    python_code: Any, parameters: dict[str, Any], fault: str
) -> None:
    builder = BvseCalculation.get_builder()
    builder.code = python_code("ion.bvse")
    builder.structures = {"m_0": oxide()}
    with pytest.raises(ValueError, match=fault.replace("?", r"\?")):
        builder.parameters = orm.Dict(PARAMETERS | parameters)


@pytest.mark.usefixtures("aiida_profile_clean")
def test_numbers_of_structures(python_code: Any) -> None:
    builder = BvseCalculation.get_builder()
    builder.code, builder.parameters = python_code("ion.bvse"), orm.Dict(PARAMETERS)
    assert "no structure is given" in str(validate_builder(builder))
    one = oxide()
    builder.structures = {f"m_{index}": one for index in range(MAX_MATERIALS + 1)}
    assert "501 structures are too many" in str(validate_builder(builder))


def test_the_program_has_its_table() -> None:
    assert "aiida_ion/analysis/energy_maps/softbv.json" in program_files("screening.bvse")
