"""Tables say what the nodes say: one row a result, bounds as bounds, costs summed, cached twins once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from aiida import orm
from aiida.common.links import LinkType

from aiida_ion.queries import (
    COST_COLUMNS,
    comparison_table,
    conductivity_table,
    cost_table,
    diffusion_table,
    last_decisions,
    process_table,
)
from aiida_ion.queries.shared import CACHED_FROM

FIT = {
    "formula": "Li3N",
    "level_of_theory": "PBE",
    "target_temperature_K": 800.0,
    "verdict": "moved",
    "tracer_diffusivity_cm2_s": 1e-5,
    "tracer_diffusivity_ci95_cm2_s": [0.8e-5, 1.2e-5],
}
CONDUCTIVITY = {
    "formula": "Li3N",
    "level_of_theory": "PBE",
    "verdict": "measured",
    "target_temperature_K": 300.0,
    "ionic_conductivity_mS_cm": 1.5,
    "activation_energy_eV": 0.3,
    "temperatures_refused": [{"temperature_K": 600.0, "reason": "did not move"}],
}
pytestmark = pytest.mark.usefixtures("profile")


def job(kind: str, state: str = "finished") -> orm.CalcJobNode:
    node = orm.CalcJobNode(process_type=f"aiida.calculations:{kind}")
    node.set_process_state(state)
    node.set_exit_status(0)
    return node


def output(process: Any, node: Any, label: str, attributes: dict[str, Any] | None = None) -> Any:
    node.base.attributes.set_many(attributes or {})
    link = LinkType.RETURN if isinstance(process, orm.WorkflowNode) else LinkType.CREATE
    if link == LinkType.RETURN:
        node.store()
    node.base.links.add_incoming(process, link, label)
    return node.store()


def fit(attributes: dict[str, Any], md_seconds: tuple[float, ...] = (), twin_of: str | None = None) -> orm.CalcJobNode:
    """Store a fit, and the molecular dynamics behind each of its trajectories."""
    process = job("ion.diffusion")
    for index, seconds in enumerate(md_seconds):
        md = job("ion.mlip_md").store()
        output(md, orm.Dict(), "cost", {"wall_time_s": seconds})
        trajectory = orm.TrajectoryData()
        trajectory.set_trajectory(["Li"], np.zeros((1, 1, 3)), cells=np.eye(3)[None], pbc=(True,) * 3)
        output(md, trajectory, "trajectory")
        process.base.links.add_incoming(
            trajectory, LinkType.INPUT_CALC, f"trajectories__replica_00_segment_{index:03d}"
        )
    process.store()
    if twin_of is not None:
        process.base.extras.set(CACHED_FROM, twin_of)
    output(process, orm.ArrayData(), "diffusion", FIT | attributes)
    return process


def conductivity(attributes: dict[str, Any], cost_s: float | None = None) -> orm.WorkChainNode:
    process = orm.WorkChainNode(process_type="aiida.workflows:ion.conductivity").store()
    output(process, orm.ArrayData(), "conductivity", CONDUCTIVITY | attributes)
    if cost_s is not None:
        output(process, orm.Dict(), "cost", {"wall_time_s": cost_s})
    return process


def test_a_fit_is_one_row_with_the_cost_of_all_its_segments() -> None:
    process = fit({}, md_seconds=(10.0, 5.0))
    table = diffusion_table()
    assert len(table) == 1
    row = table.iloc[0]
    assert row["job_pk"] == process.pk
    assert row["wall_time_s"] == 15.0
    assert row["tracer_diffusivity_ci95_cm2_s"] == [0.8e-5, 1.2e-5]
    assert bool(row["moved"]) is True


def test_a_bound_is_no_diffusivity() -> None:
    fit({"verdict": "bound", "tracer_diffusivity_cm2_s": None, "tracer_diffusivity_upper_bound_cm2_s": 2e-7})
    row = diffusion_table().iloc[0]
    assert bool(row["moved"]) is False
    assert pd.isna(row["tracer_diffusivity_cm2_s"])
    assert row["tracer_diffusivity_upper_bound_cm2_s"] == 2e-7


def test_a_twin_from_the_cache_is_no_second_measurement() -> None:
    source = fit({})
    fit({}, twin_of=source.uuid)
    assert list(diffusion_table()["job_pk"]) == [source.pk]


def test_a_twin_whose_source_is_elsewhere_counts() -> None:
    """An archive may hold the twin alone."""
    fit({}, twin_of="00000000-0000-4000-8000-000000000000")
    assert len(diffusion_table()) == 1


def test_rows_are_in_the_order_of_reading_and_can_be_chosen() -> None:
    fit({"target_temperature_K": 900.0})
    fit({"level_of_theory": "CHGNet 0.3.0"})
    fit({})
    fit({"formula": "Li2O"})
    table = diffusion_table()
    assert list(zip(table["formula"], table["level_of_theory"], table["target_temperature_K"], strict=True)) == [
        ("Li2O", "PBE", 800.0),
        ("Li3N", "CHGNet 0.3.0", 800.0),
        ("Li3N", "PBE", 800.0),
        ("Li3N", "PBE", 900.0),
    ]
    assert len(diffusion_table(material="Li3N")) == 3
    assert len(diffusion_table(material="Li3N", level_of_theory="PBE")) == 2


def test_a_conductivity_is_one_row_with_what_was_refused() -> None:
    process = conductivity({}, cost_s=120.0)
    conductivity({"formula": "Li2O", "verdict": "bound", "ionic_conductivity_mS_cm": None})
    table = conductivity_table()
    assert list(table["formula"]) == ["Li2O", "Li3N"]
    assert table.loc[1, "process_pk"] == process.pk
    assert table.loc[1, "wall_time_s"] == 120.0
    assert table.loc[1, "temperatures_refused"] == CONDUCTIVITY["temperatures_refused"]
    assert pd.isna(table.loc[0, "ionic_conductivity_mS_cm"])
    assert pd.isna(table.loc[0, "wall_time_s"])
    assert len(conductivity_table(level_of_theory="PBEsol")) == 0


def comparison(chain: bool = False, twin_of: str | None = None, **attributes: Any) -> orm.ArrayData:
    """Store a comparison, and the work chain that returned it where there was one."""
    process = orm.CalcFunctionNode(process_type="aiida_ion.calculations.comparison.compare_levels").store()
    if twin_of is not None:
        process.base.extras.set(CACHED_FROM, twin_of)
    said = {
        "formula": "Li3N",
        "level_of_theory": "CHGNet",
        "reference_level_of_theory": "PBE",
        "missing": ["Cost: no."],
    }
    node: orm.ArrayData = output(process, orm.ArrayData(), "result", said | attributes)
    if chain:
        caller = orm.WorkChainNode(process_type="aiida.workflows:ion.comparison").store()
        node.base.links.add_incoming(caller, LinkType.RETURN, "comparisons__Li3N__chgnet")
    return node


def test_a_comparison_is_one_row_with_the_work_chain_that_returned_it() -> None:
    returned = comparison(chain=True, force_mae_eV_A=0.05, temperatures=[{"temperature_K": 800.0}])
    newest = orm.WorkChainNode(process_type="aiida.workflows:ion.comparison").store()
    returned.base.links.add_incoming(newest, LinkType.RETURN, "comparisons__Li3N__chgnet")
    called = comparison(formula="Li2O", wall_speed_ratio=300.0)
    table = comparison_table()
    assert list(table["pk"]) == [called.pk, returned.pk]
    assert pd.isna(table.loc[0, "process_pk"])
    assert table.loc[1, "process_pk"] == newest.pk
    assert pd.isna(table.loc[0, "force_mae_eV_A"])
    assert table.loc[1, "force_mae_eV_A"] == 0.05
    assert table.loc[1, "temperatures"] == [{"temperature_K": 800.0}]
    assert table.loc[0, "wall_speed_ratio"] == 300.0
    assert table.loc[0, "missing"] == ["Cost: no."]
    assert list(comparison_table(material="Li3N")["pk"]) == [returned.pk]
    assert comparison_table(level_of_theory="PBE").empty


def test_a_comparison_from_the_cache_is_no_second_one_unless_asked_for() -> None:
    source = comparison()
    twin = comparison(twin_of=source.creator.uuid)
    assert list(comparison_table()["pk"]) == [source.pk]
    assert list(comparison_table(pks=[twin.pk])["pk"]) == [twin.pk]


def test_other_arrays_of_other_processes_are_no_results() -> None:
    process = job("core.arithmetic.add").store()
    output(process, orm.ArrayData(), "diffusion", FIT)
    assert diffusion_table().empty


def test_processes_know_their_caller_and_whether_they_are_alive() -> None:
    chain = orm.WorkChainNode(process_type="aiida.workflows:ion.conductivity")
    chain.set_process_state("waiting")
    chain.store()
    called = job("ion.mlip_md", state="running")
    called.base.links.add_incoming(chain, LinkType.CALL_CALC, "md_T_0800K_seed_1")
    called.store()
    alone = job("ion.diffusion").store()
    job("core.arithmetic.add").store()
    table = process_table().set_index("pk")
    assert set(table.index) == {chain.pk, called.pk, alone.pk}
    assert table.loc[called.pk, "caller_pk"] == chain.pk
    assert table.loc[called.pk, "link_label"] == "md_T_0800K_seed_1"
    assert table["active"].to_dict() == {chain.pk: True, called.pk: True, alone.pk: False}
    assert set(process_table(pks=[chain.pk])["pk"]) == {chain.pk, called.pk}
    later = datetime.now(UTC) + timedelta(minutes=1)
    assert set(process_table(since=later)["pk"]) == {chain.pk, called.pk}


def test_an_empty_profile_has_tables_with_their_columns() -> None:
    assert "tracer_diffusivity_cm2_s" in diffusion_table()
    assert "activation_energy_eV" in conductivity_table()
    assert "active" in process_table()
    assert {"process_pk", "pk", "rdf_distance", "reference_steps_per_s"} <= set(comparison_table().columns)


def test_the_ledger_has_jobs_that_ran_and_whose_level_is_known(aiida_localhost: orm.Computer) -> None:
    def run(fitted: bool = True, cached: bool = False) -> orm.CalcJobNode:
        md = job("ion.mlip_md")
        md.computer = aiida_localhost
        md.base.attributes.set("resources", {"num_machines": 1, "num_mpiprocs_per_machine": 4})
        md.store()
        output(md, orm.Dict(), "cost", {"n_atoms": 36, "n_steps": 500, "wall_time_s": 2.0})
        trajectory = orm.TrajectoryData()
        trajectory.set_trajectory(["Li"], np.zeros((1, 1, 3)), cells=np.eye(3)[None], pbc=(True,) * 3)
        output(md, trajectory, "trajectory")
        if cached:
            md.base.extras.set(CACHED_FROM, "elsewhere")
        for _ in range(2 if fitted else 0):  # as in a later round
            process = job("ion.diffusion")
            process.base.links.add_incoming(trajectory, LinkType.INPUT_CALC, "trajectories__replica_00_segment_000")
            output(process.store(), orm.ArrayData(), "diffusion", FIT)
        return md

    ran = run()
    run(fitted=False)
    run(cached=True)
    (row,) = cost_table().to_dict("records")
    assert list(row) == list(COST_COLUMNS)
    assert row["job_pk"] == ran.pk
    assert (row["computer"], row["level_of_theory"], row["cores"]) == ("localhost", "PBE", 4)
    assert (row["n_atoms"], row["n_steps"], row["wall_time_s"]) == (36, 500, 2.0)


def test_the_last_decision_of_a_work_chain_is_found() -> None:
    chain = orm.WorkChainNode(process_type="aiida.workflows:ion.conductivity").store()
    silent = orm.WorkChainNode(process_type="aiida.workflows:ion.conductivity").store()
    for number in (1, 2):
        function = orm.CalcFunctionNode()
        function.base.attributes.set("function_name", "decide_extensions")
        function.base.links.add_incoming(chain, LinkType.CALL_CALC, f"decide_{number}")
        function.store()
        output(function, orm.Dict(), "result", {"round": number, "summary": f"Round {number}."})
    assert last_decisions([int(chain.pk or 0), int(silent.pk or 0)]) == {chain.pk: "Round 2."}
