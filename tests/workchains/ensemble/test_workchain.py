"""The whole of ``ion.ensemble`` with real engines, and what it refuses before anything runs."""

from __future__ import annotations

from typing import Any

import pytest
from aiida import orm
from aiida.engine import run_get_node
from aiida.plugins import WorkflowFactory

from aiida_ion.archives.selection import choose
from aiida_ion.calculations.surrogate.labels import label_of
from aiida_ion.campaigns.surrogate_candidates import find_candidates, fit_of, temperatures
from aiida_ion.cli.text.nodes import describe
from aiida_ion.queries import Selection
from aiida_ion.queries.conductivities import conductivity
from aiida_ion.queries.crystals import materials

SHORT = {"n_steps": 500, "equilibration_fs": 200.0, "timestep_fs": 2.0, "sample_every": 10}
LONGER = {"total_time_ps": 6.0, "equilibration_fs": 500.0, "timestep_fs": 2.0, "sample_every": 10}
LOOSE = {"temperature_off_fail": 1.0, "temperature_drift_fail": 1.0, "framework_displaced_fail": 1.0}
LOOSE |= {"framework_vibration_fail": 10.0, "framework_growth_fail_A2": 100.0, "framework_peak_ratio_fail": 0.0}
LOOSE |= {"framework_bonds_kept_fail": 0.0, "energy_drift_fail_meV_atom_ps": 1e6}


@pytest.mark.usefixtures("aiida_profile_clean")
def test_a_disordered_crystal_is_ordered_run_and_pooled(ensemble_builder: Any) -> None:
    overrides = {"temperatures_K": [1800], "md": SHORT, "diffusion": {"limits": LOOSE}}
    node = run_get_node(ensemble_builder(overrides=overrides, ordering={"n_orderings": 2}))[1]
    assert node.exit_status in (0, 717, 718), node.exit_message
    cells = node.outputs.ensemble["members"]
    assert sorted(node.outputs.members) == [f"o{number:03d}" for number in range(len(cells))]
    result = node.outputs.conductivity.base.attributes.all
    assert result["n_members_given"] == len(cells)
    assert [member["label"] for member in result["members"]] == sorted(node.outputs.members)
    assert result["mobile_species"] == "F"
    pooled = node.outputs.diffusion["T_1800K"]
    parts = [orm.load_node(uuid=member["uuid"]) for member in result["members"]]
    weights = [member["weight"] for member in result["members"]]
    each = [link.creator.inputs["T_1800K"].base.attributes.all for link in parts]
    if all(one["tracer_diffusivity_cm2_s"] for one in each):
        mean = sum(w * one["tracer_diffusivity_cm2_s"] for w, one in zip(weights, each, strict=True))
        assert pooled.base.attributes.get("tracer_diffusivity_cm2_s") == pytest.approx(mean, rel=0.15)
    table = conductivity()
    row = table[table["uuid"] == node.outputs.conductivity.uuid].iloc[0]
    assert row["n_members"] == result["n_members"]
    assert row["structure_uuid"] == node.inputs.structure.uuid
    members = table[table["uuid"] != node.outputs.conductivity.uuid]
    assert set(members["ensemble_uuid"]) == {node.outputs.conductivity.uuid}
    words = describe(node.outputs.conductivity)
    assert all(f"{label}: weight" in words for label in node.outputs.members)
    assert choose([node.outputs.conductivity.uuid]).pks >= {part.creator.caller.pk for part in parts}
    # The crystal is one row, and its ordered cells are none of their own.
    crystals = materials()
    assert list(crystals["structure_uuid"]) == [node.inputs.structure.uuid]


@pytest.mark.slow
@pytest.mark.usefixtures("aiida_profile_clean")
def test_members_are_added_and_earlier_ones_are_found(ensemble_builder: Any) -> None:
    overrides = {
        "temperatures_K": [2400, 2700, 3000],
        "target_temperature_K": 1500.0,
        "md": LONGER,
        "diffusion": {"limits": LOOSE},
    }
    ordering = {"n_orderings": 6, "max_atoms": 48, "min_width_A": 6.5}
    first = run_get_node(ensemble_builder(overrides=overrides, ordering=ordering, parameters={"n_members": 2}))[1]
    assert first.exit_status in (0, 717), first.exit_message
    assert sorted(first.outputs.members) == ["o000", "o001"]
    result = first.outputs.conductivity.base.attributes.all
    assert result["between_members"] == "measured"
    assert result["between_members_std_decades"] is not None
    assert result["verdict"] in ("measured", "poorly_known")
    # One draw more, the same seed: members that were computed are not computed again.
    more = ensemble_builder(overrides=overrides, ordering=ordering | {"n_orderings": 7}, parameters={"n_members": 3})
    second = run_get_node(more)[1]
    assert sorted(second.outputs.members) == ["o000", "o001", "o002"]
    called = [child.process_label for child in second.called if child.process_label == "ConductivityWorkChain"]
    assert called == ["ConductivityWorkChain"]
    for label in ("o000", "o001"):
        assert second.outputs.members[label].uuid == first.outputs.members[label].uuid
    # An archive of the result has the work chains of members that another ensemble computed.
    chains = {node.creator.caller.pk for node in first.outputs.members.values()}
    assert chains <= choose([second.outputs.conductivity.uuid]).pks
    check_a_surrogate_learns_from(second)


def check_a_surrogate_learns_from(ensemble: Any) -> None:
    """An ensemble is one material of a dataset: the pooled diffusivity, and configurations of its main member."""
    sampling = {"kinds": ["displaced"], "seed": 1, "amplitudes_A": {"0.05": 3}}
    found = find_candidates(Selection(temperature_K=temperatures(3000.0)), sampling)
    pooled = ensemble.outputs.diffusion["T_3000K"]
    (candidate,) = [one for one in found.candidates if one.inputs["diffusion"].uuid == pooled.uuid]
    assert "it is a member of an ensemble, whose pooled result counts" in {reason for _, reason in found.refused}
    assert candidate.label == label_of(pooled)
    weights = {member["label"]: member["weight"] for member in pooled.base.attributes.get("members")}
    main = max(sorted(pooled.base.attributes.get("members_pooled")), key=lambda label: weights[label])
    run = next(iter(fit_of(pooled).creator.inputs.trajectories.values())).creator
    assert fit_of(pooled).creator.caller.uuid == ensemble.outputs.members[main].creator.caller.uuid
    assert candidate.inputs["structure"].uuid == run.inputs.structure.uuid
    samples = run_get_node(WorkflowFactory("ion.surrogate_samples"), **candidate.inputs)[1]
    assert samples.is_finished_ok, samples.exit_message
    assert len(samples.outputs.displaced_forces.get_array("forces")) == 3


def test_what_cannot_run_is_refused_before_anything_is_submitted(
    ensemble_builder: Any, fluorite: orm.StructureData
) -> None:
    from aiida_ion.aiida_private.builders import validate_builder

    good = ensemble_builder()
    assert validate_builder(good) is None
    assert list(good.conductivity.parameters["supercell"]) == [1, 1, 1]
    with pytest.raises(ValueError, match="give a disordered structure, or members"):
        ensemble_builder(structure=None)
    with pytest.raises(ValueError, match="max_members is for members that are added"):
        ensemble_builder(parameters={"max_members": 3})
    both = ensemble_builder(members={"o000": fluorite})
    assert validate_builder(both) is None
    both.ensemble = orm.Dict({"members": [{"weight": 0.5}, {"weight": 0.5}]})
    assert "ensemble describes 2 members, and 1 are given" in str(validate_builder(both))
    with pytest.raises(ValueError, match="weight, a positive number"):
        both.ensemble = orm.Dict({"members": [{"weight": -1.0}]})
    without = ensemble_builder(members={"o000": fluorite})
    without.conductivity.parameters = orm.Dict(without.conductivity.parameters.get_dict() | {"mobile_species": "Ca"})
    without.members = {"o000": orm.StructureData(cell=fluorite.cell)}
    assert "o000: the structure has no Ca" in str(validate_builder(without))
