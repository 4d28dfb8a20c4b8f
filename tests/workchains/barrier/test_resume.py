"""Jobs of hops that are killed: what is done is kept, and the rest is computed by the next job."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiida import orm
from aiida.engine import run_get_node
from ase import Atoms

from aiida_ion.calculations.migration.hops import read_records
from aiida_ion.workchains.barrier.runs import batches, point_runs
from aiida_ion.workchains.barrier.workchain import BarrierWorkChain
from tests.conftest import OPTIONS

#: Lennard-Jones argon that is killed, as by a scheduler, when it has been asked so often.
MORTAL = """
import os
from aiida_ion.runners.lennard_jones import PairLennardJones

class Mortal(PairLennardJones):
    left = {calls}

    def __init__(self):
        super().__init__(3.405, 0.01032, 8.5125)

    def calculate(self, *arguments, **named):
        Mortal.left -= 1
        if Mortal.left < 0:
            os._exit(9)
        super().calculate(*arguments, **named)
"""


@pytest.fixture
def hexagonal_argon() -> orm.StructureData:
    """Return hexagonal close packing, whose neighbours in the plane and across it are two kinds of hops."""
    cell = [3.72, 3.72, 6.075, 90, 90, 120]
    return orm.StructureData(
        ase=Atoms("Ar2", scaled_positions=[(1 / 3, 2 / 3, 0.25), (2 / 3, 1 / 3, 0.75)], cell=cell, pbc=True)
    )


def run(code: orm.InstalledCode, structure: orm.StructureData, folder: Path, calls: int) -> Any:
    (folder / "mortal.py").write_text(MORTAL.format(calls=calls))
    builder = BarrierWorkChain.get_builder_from_protocol(
        structure,
        "ion.md.mlip",
        overrides={
            "relax_ions": False,
            "search": {"mobile_species": "Ar", "supercell": [3, 3, 2]},
            "hop": {"max_force_eV_A": 0.01},
            "transport": {"kinetic_monte_carlo": False, "temperature_K": 80.0, "charge_e": 1.0},
        },
        code=code,
        potential={"name": "import", "model": "mortal:Mortal"},
        options={**OPTIONS, "prepend_text": f"export PYTHONPATH={folder}"},
    )
    return run_get_node(builder)[1]


@pytest.mark.usefixtures("aiida_profile_clean")
@pytest.mark.slow
def test_a_killed_job_loses_only_the_hop_that_it_was_at(
    python_code: Callable[..., orm.InstalledCode], hexagonal_argon: orm.StructureData, tmp_path: Path
) -> None:
    code = python_code("ion.mlip_md")
    whole = run(code, hexagonal_argon, tmp_path, 100_000)
    assert whole.is_finished_ok, whole.exit_message
    hops = whole.outputs.barriers["hops"]
    assert [hops[label]["verdict"] for label in ("hop_01", "hop_02")] == ["converged"] * 2
    calls = {label: entry["calls"] for label, entry in hops.items()}
    # The crystal itself is asked once, and each job begins anew.
    killed = run(code, hexagonal_argon, tmp_path, 1 + max(calls.values()) + 2)
    jobs = [job for job in killed.called if job.process_label == "HopsCalculation"]
    assert [job.exit_status for job in sorted(jobs, key=lambda job: job.pk)] == [400, 0]
    assert killed.is_finished_ok, killed.exit_message
    assert {label: entry["forward_eV"] for label, entry in killed.outputs.barriers["hops"].items()} == pytest.approx(
        {label: entry["forward_eV"] for label, entry in hops.items()}
    )
    assert sorted(killed.outputs.images) == ["hop_01", "hop_02"]
    hopeless = run(code, hexagonal_argon, tmp_path, 5)
    assert hopeless.exit_status == 525
    assert len([job for job in hopeless.called if job.process_label == "HopsCalculation"]) == 1
    # Both barriers in three dimensions, and the network takes the lower for what it can do alone.
    low, high = sorted(entry["forward_eV"] for entry in hops.values())
    one_d, _, three_d = whole.outputs.network["barriers_eV"]
    assert one_d == pytest.approx(low)
    assert three_d in (pytest.approx(low), pytest.approx(high))


def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "hops.jsonl"
    assert read_records(path) == []
    path.write_text('{"label": "hop_01"}\n{"label": "ho')
    assert [record["label"] for record in read_records(path)] == ["hop_01"]
    path.write_text('{"label": "hop_01"}\n{"label" "hop_02"}\n')
    with pytest.raises(ValueError, match="delimiter"):
        read_records(path)


def test_hops_are_spread_evenly_over_jobs() -> None:
    labels = [f"hop_{number:02d}" for number in range(7)]
    spread = batches(labels, 3)
    assert [len(batch) for batch in spread] == [3, 2, 2]
    assert sorted(label for batch in spread for label in batch) == labels


def test_symmetric_hops_need_no_second_end() -> None:
    table = {
        "hop_01": {"verdict": "converged", "path": "midpoint", "energies_eV": [0.0, 1.0], "climbing": 1},
        "hop_02": {"verdict": "converged", "path": "band", "energies_eV": [0.0, 0.5, 1.0, 0.5, 0.1], "climbing": 2},
        "hop_03": {"verdict": "fell_back", "path": None},
    }
    points = [(run["hop"], run["part"], run["image"]) for run in point_runs(table)]
    assert points == [
        *(("hop_01", "start", 0), ("hop_01", "saddle", 1)),
        *(("hop_02", "start", 0), ("hop_02", "saddle", 2), ("hop_02", "end", 4)),
    ]
