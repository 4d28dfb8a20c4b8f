"""`ion.decide_stage`: results of materials against the cut of a stage."""

from __future__ import annotations

from typing import Any

import pytest
from aiida import orm
from ase.build import bulk

from aiida_ion.calculations.screening.decide import decide_stage
from aiida_ion.calculations.screening.gate import validate_candidate

pytestmark = pytest.mark.usefixtures("aiida_profile_clean")
BVSE = {"name": "bvse", "method": "bvse", "cut": {"quantity": "barrier_1d_eV", "maximum": 0.5}}


def _material(label: str, **more: Any) -> dict[str, Any]:
    return {"label": label, "name": label.upper(), "uuid": f"uuid-{label}", "structure_hash": None, **more}


def _result(**attributes: Any) -> orm.Dict:
    return orm.Dict({"status": "finished", "message": "", "cost": {"cpu_s": 2.0}, **attributes}).store()


def test_results_of_a_batch() -> None:
    results = {
        "low": _result(barriers_eV=[0.3, 0.4, None], barriers_interval_eV=[[0.28, 0.31], [0.4, 0.4], None]),
        "near": _result(barriers_eV=[0.48, 0.6, 0.6], barriers_interval_eV=[[0.45, 0.55], None, None]),
        "high": _result(barriers_eV=[0.9, 1.0, 1.2]),
        "closed": _result(barriers_eV=[None, None, None]),
        "refused": _result(status="refused", message="no parameters for Xe", barriers_eV=None),
    }
    materials = [_material(label) for label in results] + [_material("lost", reason="the job was killed")]
    node = decide_stage(orm.Dict(BVSE), orm.List(materials), **results)
    decisions = {entry["label"]: entry for entry in node["decisions"]}
    verdicts = {label: entry["verdict"] for label, entry in decisions.items()}
    assert verdicts == {
        "low": "pass", "near": "unsure", "high": "fail", "closed": "fail", "refused": "error", "lost": "error"
    }  # fmt: skip
    assert node["counts"] == {"pass": 1, "unsure": 1, "fail": 2, "error": 2}
    assert decisions["low"]["core_s"] == 2.0
    assert (decisions["low"]["low"], decisions["low"]["high"]) == (0.28, 0.31)
    assert decisions["low"]["result_uuid"] == results["low"].uuid
    assert "fewer than 1 dimensions" in decisions["closed"]["reason"]
    assert decisions["refused"]["reason"] == "no parameters for Xe"
    assert decisions["lost"]["reason"] == "the job was killed"
    assert [entry["label"] for entry in node["decisions"] if entry["goes_on"]] == ["low", "near"]


def test_conductivities_are_judged_by_interval_or_bound() -> None:
    md = {"name": "md", "method": "conductivity", "cut": {"quantity": "ionic_conductivity_mS_cm", "minimum": 0.1}}
    shared = {"ionic_conductivity_mS_cm": None, "ionic_conductivity_ci95_mS_cm": None, "reason": "few jumps"}
    shared["ionic_conductivity_upper_bound_mS_cm"] = None
    stored = {
        "good": {"verdict": "measured", "ionic_conductivity_mS_cm": 2.0, "ionic_conductivity_ci95_mS_cm": [0.5, 8.0]},
        "bound": {"verdict": "bound", "ionic_conductivity_upper_bound_mS_cm": 0.01},
        "high_bound": {"verdict": "bound", "ionic_conductivity_upper_bound_mS_cm": 3.0},
        "unknown": {"verdict": "not_measurable"},
    }
    results = {}
    for label, attributes in stored.items():
        node = orm.ArrayData()
        node.base.attributes.set_many(shared | attributes)
        results[label] = node.store()
    decided = decide_stage(orm.Dict(md), orm.List([_material(label) for label in results]), **results)
    verdicts = {entry["label"]: entry["verdict"] for entry in decided["decisions"]}
    assert verdicts == {"good": "pass", "bound": "fail", "high_bound": "unsure", "unknown": "unsure"}


def test_gate() -> None:
    salt = orm.StructureData(ase=bulk("NaCl", "rocksalt", a=5.64))
    lithia = orm.StructureData(ase=bulk("LiF", "rocksalt", a=4.03))
    assert validate_candidate(lithia, {"mobile_species": "Li"}) is None
    assert "there is no Li" in str(validate_candidate(salt, {"mobile_species": "Li"}))
    assert "contains F" in str(validate_candidate(lithia, {"mobile_species": "Li", "forbidden_elements": ["F"]}))
    assert "more than 1" in str(validate_candidate(lithia, {"mobile_species": "Li", "max_atoms": 1}))
    metal = orm.StructureData(ase=bulk("Li", "bcc", a=3.5))
    assert "no charge" in str(validate_candidate(metal, {"mobile_species": "Li"}))
    assert validate_candidate(metal, {"mobile_species": "Li", "needs_charges": False}) is None
