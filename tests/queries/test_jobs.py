"""One row a job of molecular dynamics: what it was, what became of it, what it cost, and on which potential."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from aiida import orm

from aiida_ion.aiida_private.caching import CACHED_FROM
from aiida_ion.queries import Selection, cost, potentials, runs
from aiida_ion.queries.jobs import COST_COLUMNS, RUN_COLUMNS
from tests.queries.nodes import FIT, called, chain, given, job, output, trajectory

pytestmark = pytest.mark.usefixtures("aiida_profile_clean")
LEDGER = {"n_atoms": 36, "n_steps": 500, "wall_time_s": 2.0, "steps_per_s": 250.0, "device": "cpu", "gpu_time_s": 1.0}
SETTINGS = {"temperature_K": 800.0, "timestep_fs": 2.0, "seed": 108000, "n_steps": 1000}
SAMPLE = {"formula": "Li3N", "level_of_theory": "PBE", "target_temperature_K": 800.0}


class Campaign:
    """A conductivity work chain whose runs are written one after another."""

    def __init__(self, computer: orm.Computer, structure: orm.StructureData) -> None:
        self.computer = computer
        self.code = orm.InstalledCode(label="toy", computer=computer, filepath_executable="/bin/true").store()
        self.potential = orm.Dict({"name": "lj", "model": "argon"}).store()
        inputs = {"md__engine__code": self.code, "md__engine__potential": self.potential}
        self.chain = given(chain(), structure=structure, parameters=orm.Dict({"formula": "Li3N"}), **inputs).store()

    def run(self, label: str, *, caller: Any = None) -> Any:
        """Store a work chain of molecular dynamics."""
        return called(caller or self.chain, chain("ion.md.mlip"), label).store()

    def segment(self, run: Any, *, ledger: dict[str, Any] | None = None, fitted: bool = True, status: int = 0) -> Any:
        """Store a job with a trajectory, unless it failed, and the fit of it."""
        md = called(run, job("ion.mlip_md", computer=self.computer, exit_status=status), "iteration_01")
        md.base.attributes.set("resources", {"num_machines": 1, "num_mpiprocs_per_machine": 4})
        given(md, code=self.code, potential=self.potential, parameters=orm.Dict(SETTINGS)).store()
        if status == 300:
            return md
        output(md, orm.Dict(), "cost", LEDGER | (ledger or {}))
        output(md, orm.Dict(), "versions", {"ase": "3.29.0", "runner_sha256": "1f", "checkpoint": {"sha256": "ab12"}})
        frames = output(md, trajectory(), "trajectory")
        for _ in range(2 if fitted else 0):  # as in a later round
            process = given(called(self.chain, job("ion.diffusion"), "fit_T_0800K"), parameters=orm.Dict(SAMPLE))
            output(given(process, trajectories__x=frames).store(), orm.ArrayData(), "diffusion", FIT)
        return md


@pytest.fixture
def campaign(aiida_localhost: orm.Computer, lithium_nitride: orm.StructureData) -> Campaign:
    return Campaign(aiida_localhost, lithium_nitride)


def test_every_seed_and_segment_is_one_row_whatever_became_of_it(campaign: Campaign) -> None:
    first, second = (campaign.run(f"md_T_0800K_seed_{seed}") for seed in (1, 2))
    later = campaign.run("md_T_0800K_seed_1_round_2")
    jobs = [campaign.segment(first, status=400), campaign.segment(first), campaign.segment(second, status=300)]
    jobs.append(campaign.segment(later))
    table = runs()
    assert list(table.columns) == list(RUN_COLUMNS)
    rows = table.set_index("pk").loc[[one.pk for one in jobs]]
    assert list(rows["seed"]) == [1, 1, 2, 1]
    assert rows["segment"].tolist() == [0, 1, pd.NA, 2]
    assert list(rows["exit_status"]) == [400, 0, 300, 0]
    assert set(rows["formula"]) == {"Li3N"}
    assert set(rows["level_of_theory"]) == {"PBE"}  # also of the one that failed: that of the others of its chain
    assert list(rows["time_ps"])[:2] == [1.0, 1.0]
    assert np.isnan(rows["time_ps"].iloc[2])
    assert set(rows["process_uuid"]) == {campaign.chain.uuid}
    assert set(rows["computer"]) == {"localhost"}
    assert rows["trajectory_uuid"].iloc[1] == jobs[1].outputs.trajectory.uuid
    assert rows["trajectory_uuid"].isna().tolist() == [False, False, True, False]


def test_a_job_that_nobody_called_is_a_row_too(campaign: Campaign) -> None:
    alone = job("ion.lammps_md", computer=campaign.computer)
    given(alone, parameters=orm.Dict(SETTINGS)).store()
    (row,) = runs().to_dict("records")
    assert (row["pk"], row["seed"], row["temperature_K"]) == (alone.pk, 108000, 800.0)
    assert row["formula"] is None or pd.isna(row["formula"])


def test_runs_can_be_chosen(campaign: Campaign) -> None:
    campaign.segment(campaign.run("md_T_0800K_seed_1"))
    group = orm.Group(label="mine").store()
    group.add_nodes(campaign.chain)
    for selection, n_rows in (
        (Selection(formula="Li3N", level_of_theory="PBE"), 1),
        (Selection(formula="Li2O"), 0),
        (Selection(elements=("Li", "N")), 1),
        (Selection(temperature_K=(900.0, 1000.0)), 0),
        (Selection(group="mine"), 1),
        (Selection(group="theirs"), 0),
    ):
        assert len(runs(selection)) == n_rows, selection
        assert len(cost(selection)) == n_rows, selection


def test_the_ledger_has_jobs_that_ran_and_whose_level_is_known(
    campaign: Campaign, lithium_nitride: orm.StructureData
) -> None:
    ran = campaign.segment(campaign.run("md_T_0800K_seed_1"))
    twin = campaign.segment(campaign.run("md_T_0800K_seed_2"))
    twin.base.extras.set(CACHED_FROM, "elsewhere")
    campaign.segment(campaign.run("md_T_0800K_seed_3"), ledger={"n_steps": 0})
    campaign.segment(campaign.run("md_T_0800K_seed_4"), status=300)
    other = Campaign(campaign.computer, lithium_nitride)
    other.segment(other.run("md_T_0800K_seed_1"), fitted=False)
    (row,) = cost().to_dict("records")
    assert list(row) == list(COST_COLUMNS)
    assert row["job_pk"] == ran.pk
    assert (row["computer"], row["level_of_theory"], row["cores"]) == ("localhost", "PBE", 4)
    assert (row["n_atoms"], row["n_steps"], row["wall_time_s"]) == (36, 500, 2.0)
    assert (row["wall_s_per_step"], row["core_s_per_step"], row["gpu_s_per_step"]) == (0.004, 0.016, 0.002)


def test_a_potential_is_one_row_with_what_it_loaded(campaign: Campaign) -> None:
    for seed in (1, 2):
        campaign.segment(campaign.run(f"md_T_0800K_seed_{seed}"))
    dft = job("ion.quantumespresso_md", computer=campaign.computer)
    given(dft, parameters=orm.Dict(SETTINGS)).store()
    pw, toy = potentials().to_dict("records")
    assert (toy["name"], toy["model"], toy["n_runs"]) == ("lj", "argon", 2)
    assert (toy["checkpoint_sha256"], toy["versions"]) == ("ab12", "ase 3.29.0")
    assert (toy["levels_of_theory"], toy["engines"], toy["wall_time_s"]) == ("PBE", "toy", 4.0)
    assert toy["potential_uuid"] == campaign.potential.uuid
    assert pw["name"] == "ion.quantumespresso_md"
    assert pw["model"] is None


def test_an_empty_profile_has_tables_with_their_columns() -> None:
    assert list(runs().columns) == list(RUN_COLUMNS)
    assert list(cost().columns) == list(COST_COLUMNS)
    assert potentials().empty
