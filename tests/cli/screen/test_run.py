"""`aiida-ion screen run`: what is screened by which stages is checked and shown before anything is stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aiida import orm
from aiida.engine import run_get_node
from ase.build import bulk
from ase.io import write

from aiida_ion.campaigns.screening.materials import find_materials
from aiida_ion.campaigns.screening.processes import stage_plans
from aiida_ion.campaigns.screening.request import ScreenRequest, plan_of
from aiida_ion.campaigns.screening.submit import screening_builder
from tests.cli.conftest import Invoke, only_line


@pytest.fixture
def crystals(tmp_path: Path) -> Path:
    """Write a folder of crystals: two salts, one of them twice, and a file that is not a crystal."""
    folder = tmp_path / "crystals"
    folder.mkdir()
    write(folder / "Li2O.cif", bulk("OLi2", "fluorite", a=4.619))
    write(folder / "Li2O_again.cif", bulk("OLi2", "fluorite", a=4.619, cubic=True))
    write(folder / "LiF.cif", bulk("LiF", "rocksalt", a=4.026))
    (folder / "broken.cif").write_text("data_\n_cell_length_a 0\n")
    return folder


def test_a_dry_run_shows_materials_and_stages_and_stores_nothing(
    invoke: Invoke, lj_engine: str, crystals: Path
) -> None:
    before = orm.QueryBuilder().append(orm.Data).count()
    output = invoke("screen", "run", crystals, "--engine", lj_engine, "--dry-run").output
    assert "2 materials, 1 refused, 1 repeated" in output
    assert "REFUSED" in output and "broken.cif" in output
    assert "2. bvse: bvse, barrier_1d_eV at most 1" in output
    assert f"3. pes: pes by {lj_engine}, barrier_1d_eV at most 0.6, at most 500 materials" in output
    assert "stage aimd is left out: it needs an engine, --dft" in output
    assert "Nothing was submitted" in output
    assert orm.QueryBuilder().append(orm.Data).count() == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--protocol", "li-conductor"], "did you mean li-conductors?"),
        (["--stages", "gate,bvs"], 'there is no stage "bvs": did you mean bvse?'),
        (["--engine", "nothing"], "there is no engine 'nothing'"),
        (["--batch-size", "501"], "500"),
    ],
)
def test_mistakes_are_one_line(
    invoke: Invoke, lj_engine: str, crystals: Path, options: list[str], message: str
) -> None:
    result = invoke("screen", "run", crystals, *options, "--dry-run", code=1)
    assert message in result.output


def test_a_source_that_is_nothing(invoke: Invoke, lj_engine: str) -> None:
    assert "nor the label of a group" in only_line(invoke("screen", "run", "nowhere", "--dry-run", code=1))


def test_a_plan_of_ones_own(invoke: Invoke, lj_engine: str, crystals: Path, tmp_path: Path) -> None:
    own = tmp_path / "stages.yaml"
    own.write_text(
        "mobile_species: Li\nstages:\n- {name: bonds, method: bvse, settings: {resolution_A: 0.3},"
        " cut: {quantity: barrier_2d_eV, maximum: 0.8}}\n"
    )
    assert (
        "1. bonds: bvse, barrier_2d_eV at most 0.8"
        in invoke("screen", "run", crystals, "--protocol", own, "--dry-run").output
    )
    own.write_text("mobile_species: Li\nstages:\n- {name: bonds, method: bvse, settings: {resolution: 0.3}}\n")
    assert "did you mean resolution_A?" in only_line(
        invoke("screen", "run", crystals, "--protocol", own, "--dry-run", code=1)
    )


def test_a_group_is_screened_with_a_potential(invoke: Invoke, lj_engine: str, crystals: Path) -> None:
    del invoke
    group = orm.Group(label="salts").store()
    group.add_nodes([orm.StructureData(ase=bulk("OLi2", "fluorite", a=4.619), label="lithia").store()])
    request = ScreenRequest(engine=lj_engine, stages=["gate", "bvse", "pes"], label="trial")
    plans, _ = stage_plans(plan_of(request), request)
    found = find_materials(["salts"])
    assert [name for name, _, _ in found.crystals] == ["lithia"]
    builder: Any = screening_builder(found, plans, request)
    node = run_get_node(builder)[1]
    assert node.label == "trial"
    assert node.is_finished_ok, node.exit_message
    assert [stage["stage"] for stage in node.outputs.summary["stages"]][:2] == ["gate", "bvse"]
