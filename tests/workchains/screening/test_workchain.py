"""`ion.screening` with real jobs: cuts, results that are known, jobs that are killed, materials that are hostile."""

from __future__ import annotations

from typing import Any

import pytest
from aiida import orm
from aiida.engine import run_get_node
from ase import Atoms
from ase.build import bulk

from aiida_ion.calculations.programs import program_files
from aiida_ion.calculations.screening.batch import structure_hash_of
from aiida_ion.workchains.queue.plans import encoded
from aiida_ion.workchains.screening import ScreeningWorkChain
from aiida_ion.workchains.screening.inputs import material_entries
from tests.conftest import OPTIONS

pytestmark = pytest.mark.usefixtures("aiida_profile_clean")
GATE = {"name": "gate", "method": "gate", "settings": {"mobile_species": "Li"}}
WORK = "    def work(material: Material) -> dict[str, Any]:\n"


def crystals() -> dict[str, Atoms]:
    """Return small crystals: lithium salts, one without lithium, one without parameters, and a repeated one."""
    return {
        "Li2O": bulk("OLi2", "fluorite", a=4.619),
        "LiF": bulk("LiF", "rocksalt", a=4.026),
        "NaCl": bulk("NaCl", "rocksalt", a=5.64),
        "LiHe": bulk("LiHe", "rocksalt", a=5.0),
    }


def materials(chosen: dict[str, Atoms]) -> orm.List:
    nodes = {name: orm.StructureData(ase=atoms).store() for name, atoms in chosen.items()}
    return material_entries([(name, node, structure_hash_of(node)) for name, node in nodes.items()])


def bvse(code: orm.AbstractCode, maximum: float, program: orm.FolderData | None = None, **more: Any) -> dict[str, Any]:
    """Return a stage of bond valences on a coarse grid."""
    inputs = {
        "code": code,
        "parameters": orm.Dict({"mobile_species": "Li", "resolution_A": 0.4}),
        "metadata": {"options": OPTIONS},
    }
    if program is not None:
        inputs["program"] = program
    cut = {"quantity": "barrier_1d_eV", "maximum": maximum} | more.pop("cut", {})
    process = {"entry_point": "ion.bvse", "inputs": encoded(inputs)}
    return {"name": "bvse", "method": "bvse", "cut": cut, "process": process} | more


def screen(entries: orm.List, stages: list[dict[str, Any]], batch_size: int = 200) -> Any:
    """Run a screening and return its node."""
    inputs = {"materials": entries, "stages": orm.List(stages), "batch_size": orm.Int(batch_size)}
    return run_get_node(ScreeningWorkChain, **inputs)[1]


def verdicts(node: Any, stage: str) -> dict[str, str]:
    """Return name -> verdict at a stage."""
    parts = [part for name, part in node.outputs.decisions.items() if name.rpartition("_")[0] == stage]
    return {entry["name"]: entry["verdict"] for part in parts for entry in part["decisions"]}


def jobs(node: Any) -> list[Any]:
    return [child for child in node.called if isinstance(child, orm.CalcJobNode)]


def test_stages_decide_and_a_changed_cut_computes_nothing(python_code: Any) -> None:
    code = python_code("ion.bvse")
    entries = materials(crystals())
    node = screen(entries, [GATE, bvse(code, 0.5)])
    assert node.is_finished_ok, node.exit_message
    assert verdicts(node, "gate") == {"Li2O": "pass", "LiF": "pass", "NaCl": "fail", "LiHe": "fail"}
    assert verdicts(node, "bvse") == {"Li2O": "pass", "LiF": "fail"}
    gate, stage = node.outputs.summary["stages"]
    assert (gate["pass"], gate["fail"], stage["pass"], stage["fail"]) == (2, 2, 1, 1)
    assert stage["core_hours"] > 0
    (survivor,) = node.outputs.summary["survivors"]
    assert orm.load_node(uuid=survivor).get_formula() == "Li2O"
    assert len(jobs(node)) == 1
    # Every decision leads back to the crystal.
    (part,) = (part for name, part in node.outputs.decisions.items() if name.startswith("bvse"))
    ancestors = orm.QueryBuilder().append(orm.Dict, filters={"uuid": part.uuid}, tag="decision")
    ancestors.append(orm.StructureData, with_descendants="decision", project="uuid")
    assert survivor in ancestors.all(flat=True)

    again = screen(entries, [GATE, bvse(code, 0.7)])
    assert jobs(again) == []
    assert verdicts(again, "bvse") == {"Li2O": "pass", "LiF": "pass"}
    # Another cell of a crystal that is known, in another order of materials, is not computed either.
    supercell = {"salt": crystals()["LiF"].repeat((2, 1, 1)), "Li2S": bulk("SLi2", "fluorite", a=5.708)}
    more = screen(materials(supercell), [bvse(code, 0.7)])
    (job,) = jobs(more)
    assert list(job.inputs.structures) == ["m_00001"]
    assert verdicts(more, "bvse") == {"salt": "pass", "Li2S": "pass"}


def test_budget_takes_the_best_and_says_how_many_were_left(python_code: Any) -> None:
    code = python_code("ion.bvse")
    chosen = {name: atoms for name, atoms in crystals().items() if name in ("LiF", "Li2O")}
    stages = [bvse(code, 1.0), bvse(code, 1.0, name="again", budget={"max_materials": 1})]
    node = screen(materials(chosen), stages)
    assert verdicts(node, "again") == {"Li2O": "pass"}
    assert node.outputs.summary["stages"][1]["n_not_reached"] == 1
    spent = screen(materials(chosen), [bvse(code, 1.0, budget={"max_core_hours": 1e-9}, name="bvse")])
    assert spent.is_finished_ok


def test_hostile_material_costs_its_own_decision_alone(python_code: Any) -> None:
    """A crystal that kills its job, wherever it is in the batch, leaves the others their results."""
    program = orm.FolderData()
    for path, content in program_files("screening.bvse").items():
        text = content.decode()
        if path.endswith("runners/screening/bvse.py"):
            assert WORK in text
            text = text.replace(
                WORK, WORK + '        if "F" in material.symbols:\n            import os; os.kill(os.getpid(), 9)\n'
            )
        program.base.repository.put_object_from_bytes(text.encode(), path)
    code = python_code("ion.bvse")
    chosen = {name: atoms for name, atoms in crystals().items() if name in ("LiF", "Li2O")}
    chosen = {"LiF": chosen["LiF"], "Li2O": chosen["Li2O"], "Li2S": bulk("SLi2", "fluorite", a=5.708)}
    node = screen(materials(chosen), [bvse(code, 1.0, program.store())])
    assert verdicts(node, "bvse") == {"LiF": "error", "Li2O": "pass", "Li2S": "pass"}
    reasons = {
        entry["name"]: entry["reason"] for part in node.outputs.decisions.values() for entry in part["decisions"]
    }
    assert "killed" in reasons["LiF"]


def test_what_cannot_be_judged_is_an_error_that_may_go_on(python_code: Any) -> None:
    code = python_code("ion.bvse")
    helium = {"LiHe": crystals()["LiHe"]}
    node = screen(materials(helium), [bvse(code, 1.0)])
    assert node.exit_status == 508
    assert verdicts(node, "bvse") == {"LiHe": "error"}
    through = screen(materials(helium), [bvse(code, 1.0, cut={"errors_pass": True})])
    assert len(through.outputs.summary["survivors"]) == 1
