"""``ion.batch_conductivity``: crystals in a batch end with the conductivities that each would have alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.engine import run_get_node
from ase import Atoms
from ase.build import bulk

from aiida_ion.aiida_private.builders import builder_inputs
from aiida_ion.queries import conductivity, cost, diffusion, potentials, runs
from aiida_ion.queries.job_runs import runs_of
from aiida_ion.queries.reuse import finished_conductivity
from aiida_ion.workchains.batch_conductivity.workchain import BatchConductivityWorkChain
from aiida_ion.workchains.conductivity.workchain import ConductivityWorkChain
from tests.conftest import OPTIONS

POTENTIAL = {"name": "lj", "kwargs": {"sigma": 3.4, "epsilon": 0.0104, "rc": 7.5}}
COLD = {
    "limits": dict.fromkeys([f"temperature_{of}_{end}" for of in ("off", "drift") for end in ("warn", "fail")], 1.0)
}
MD = {"n_steps": 300, "equilibration_fs": 100.0, "sample_every": 4, "timestep_fs": 2.0}


def salt(a: float) -> orm.StructureData:
    """Return a face-centred cell of two elements that a Lennard-Jones potential treats as one."""
    atoms: Atoms = bulk("Li", "fcc", a=a, cubic=True)
    atoms.symbols[2:] = "I"
    return orm.StructureData(ase=atoms)


@pytest.fixture
def material(python_code: Any) -> Any:
    def make(a: float, **overrides: Any) -> dict[str, Any]:
        builder = ConductivityWorkChain.get_builder_from_protocol(
            salt(a),
            "ion.md.mlip",
            protocol="fast",
            overrides={
                "temperatures_K": [30, 50],
                "seeds": [1],
                "supercell": [2, 1, 1],
                "mobile_species": "Li",
                "md": MD,
                "diffusion": COLD,
                **overrides,
            },
            code=python_code("ion.mlip_md"),
            potential=POTENTIAL,
            diffusion_code=python_code("ion.diffusion"),
            options=OPTIONS,
        )
        return builder_inputs(builder)

    return make


@pytest.mark.slow
@pytest.mark.usefixtures("aiida_profile_clean")
def test_each_crystal_has_the_conductivity_that_it_has_alone(material: Any) -> None:
    materials = {"wide": material(5.35), "narrow": material(5.3, relax_ions=False)}
    node: Any = run_get_node(BatchConductivityWorkChain, materials=materials, clean_workdir=False)[1]
    assert node.is_finished_ok, node.exit_message
    assert sorted(node.outputs.conductivity) == ["narrow", "wide"]
    md_jobs = [one for one in node.called_descendants if one.process_type == "aiida.calculations:ion.mlip_md"]
    batches = [one for one in node.called_descendants if one.process_type == "aiida.calculations:ion.batch_md"]
    assert md_jobs == [] and len(batches) == 1
    alone: Any = run_get_node(ConductivityWorkChain, **materials["wide"])[1]
    assert alone.is_finished_ok, alone.exit_message
    together: Any = (
        node.outputs.conductivity["wide"]
        .base.links.get_incoming(node_class=orm.WorkChainNode, link_label_filter="conductivity")
        .one()
        .node
    )
    assert sorted(together.outputs) == sorted(alone.outputs)
    one, other = together.outputs.conductivity, alone.outputs.conductivity
    for name in ("verdict", "ionic_conductivity_upper_bound_mS_cm", "temperatures_bound_K", "level_of_theory"):
        assert one.base.attributes.get(name) == other.base.attributes.get(name)
    for label in ("T_0030K", "T_0050K"):
        np.testing.assert_array_equal(
            *(chain.outputs.diffusion[label].get_array("msd_A2") for chain in (together, alone))
        )
    _check_tables(node, together, alone)
    # A later run of the same crystal finds what was computed for it in the batch.
    assert finished_conductivity(materials["wide"]) == alone.pk > together.pk
    assert finished_conductivity(materials["narrow"]) is not None


def _check_tables(node: Any, together: Any, alone: Any) -> None:
    """The tables read a crystal of a batch as one that was run alone."""
    table = runs().set_index("process_pk")
    one, other = (table.loc[[pk]].sort_values("temperature_K") for pk in (together.pk, alone.pk))
    for name in ("formula", "level_of_theory", "temperature_K", "seed", "segment", "n_steps", "n_atoms", "engine"):
        assert one[name].tolist() == other[name].tolist(), name
    assert one["job_type"].tolist() == ["ion.batch_md"] * 2 and one["structure_uuid"].notna().all()
    detail, expected = runs_of(together.uuid), runs_of(alone.uuid)
    for name in ("run", "segment", "temperature_K", "seed", "n_steps", "exit_status"):
        assert detail[name].tolist() == expected[name].tolist(), name
    assert detail["wall_time_s"].notna().all() and detail["trajectory_uuid"].notna().all()
    costs = cost()
    assert len(costs) == 6 and (costs["wall_s_per_step"] > 0).all()
    assert potentials()["n_runs"].sum() == 6
    fits = diffusion()
    assert len(fits) == 6 and (fits["wall_time_s"] > 0).all()
    batch = next(one for one in node.called_descendants if one.process_type == "aiida.calculations:ion.batch_md")
    mine = costs[costs["job_pk"] == batch.pk]
    assert mine["wall_time_s"].sum() == pytest.approx(batch.outputs.cost["wall_time_s"])
    assert len(conductivity()) == 3 and conductivity()["crystal"].nunique() == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"label": "a__b"}, "single underscores"),
        ({"potential": {"name": "orb"}}, "runs no batches"),
        ({"other": {"name": "lj", "kwargs": {"sigma": 3.1}}}, "potential is not that of the first"),
        ({"md": {"ensemble": "npt"}}, "fixed cells"),
    ],
)
@pytest.mark.usefixtures("aiida_profile")
def test_what_is_refused_before_anything_is_submitted(material: Any, change: dict[str, Any], words: str) -> None:
    first = material(5.3)
    materials = {change.get("label", "a"): first}
    if "md" in change:
        settings = first["md"]["parameters"].get_dict() | change["md"]
        materials = {"a": {**first, "md": {**first["md"], "parameters": orm.Dict(settings)}}}
    if "potential" in change:
        engine = {**first["md"]["engine"], "potential": orm.Dict(change["potential"])}
        materials = {"a": {**first, "md": {**first["md"], "engine": engine}}}
    if "other" in change:
        engine = {**first["md"]["engine"], "potential": orm.Dict(change["other"])}
        materials["b"] = {**first, "md": {**first["md"], "engine": engine}}
    problem = BatchConductivityWorkChain.spec().inputs.validate({"materials": materials})
    assert problem is not None and words in problem.message, problem
