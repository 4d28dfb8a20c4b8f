"""``aiida-ion order`` as a person uses it."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiida import orm
from click.testing import CliRunner

from aiida_ion.calculations.disorder.order import OrderStructureCalculation
from aiida_ion.cli.disorder.text import stored_ensemble_lines
from aiida_ion.cli.main import cli
from aiida_ion.engines.registration import register
from tests.cli.conftest import Invoke, only_line

HALF_FILLED = """data_half
_cell_length_a 4
_cell_length_b 4
_cell_length_c 8
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
Li1 Li 0 0 0 0.5
Li2 Li 0 0 0.5 0.5
Cl1 Cl 0.5 0.5 0.25 1
"""


@pytest.fixture
def half_filled(tmp_path: Path) -> Path:
    path = tmp_path / "half.cif"
    path.write_text(HALF_FILLED)
    return path


def test_a_plan_of_a_file_needs_no_profile(half_filled: Path) -> None:
    result = CliRunner().invoke(cli, ["order", str(half_filled), "--dry-run", "--max-atoms", "64"])
    assert result.exit_code == 0, result.output
    assert "disorder: mobile" in result.output
    assert "Li fills a part of its sites" in result.output


@pytest.mark.usefixtures("lj_engine")
def test_cells_are_drawn_and_named(invoke: Invoke, half_filled: Path) -> None:
    settings = '{"sweeps": 10, "min_width_A": 0}'
    shown = invoke("order", half_filled, "--n", 3, "--max-atoms", 16, "--settings", settings, "--run").output
    assert "3 draws gave" in shown
    (job,) = orm.QueryBuilder().append(orm.CalcJobNode).all(flat=True)
    assert job.process_class is OrderStructureCalculation
    assert job.inputs.structure.base.extras.get("aiida_ion_read_from")["file"] == "half.cif"
    for cell in job.outputs.orderings.values():
        assert str(cell.pk) in shown
        assert not cell.has_vacancies
    # The stored crystal can be ordered again by its pk.
    assert "disorder: mobile" in invoke("order", job.inputs.structure.pk, "--dry-run", "--max-atoms", 64).output


def test_a_charged_crystal_is_one_line(invoke: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "charged.cif"
    path.write_text(HALF_FILLED.replace("0.5 0.5\nCl1", "0.5 0.9\nCl1"))
    assert "+0.40 e" in only_line(invoke("order", path, "--run", code=1))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.cif"], "no such file"),
        (["missing.vasp"], "give one, or a node"),
        (["123456"], "neither a file nor the pk or uuid of a node"),
    ],
)
def test_what_is_not_a_crystal_is_one_line(invoke: Invoke, arguments: list[str], message: str) -> None:
    assert message in only_line(invoke("order", *arguments, "--run", code=1))


@pytest.mark.usefixtures("lj_engine")
def test_an_engine_relaxes_and_ranks_all_cells(invoke: Invoke, half_filled: Path) -> None:
    settings = '{"sweeps": 10, "min_width_A": 0}'
    small = ["--n", 3, "--max-atoms", 16, "--settings", settings]
    message = invoke("order", half_filled, "--relaxation", '{"max_steps": 3}', "--run", code=2).output
    assert "--relaxation is about the relaxation: give an --engine" in message
    wrong = ["--engine", "toy", "--relaxation", '{"cell": "free"}', "--run"]
    assert "cell must be one of fixed, isotropic" in only_line(invoke("order", half_filled, *small, *wrong, code=1))
    register("lammps", "/bin/ls", "ion.md.lammps")
    one_by_one = only_line(invoke("order", half_filled, *small, "--engine", "lammps", "--run", code=1))
    assert "lammps relaxes one cell in each job" in one_by_one and "such as sevenn" in one_by_one
    given = ["--engine", "toy", "--relaxation", '{"max_steps": 400}', "--ranking", '{"temperature_K": 300}']
    shown = invoke("order", half_filled, *small, *given, "--run").output
    assert "lowest, moved by up to" in shown and "with Boltzmann weights at 300 K" in shown
    (chain,) = orm.QueryBuilder().append(orm.WorkChainNode).all(flat=True)
    assert all(str(cell.pk) in shown for cell in chain.outputs.orderings.values())
    again = invoke("show", chain.pk).output
    assert "Ordered cells:" in again and "lowest, moved by up to" in again


def test_a_description_that_cannot_be_read_is_said(aiida_profile_clean: object) -> None:
    del aiida_profile_clean
    cell = orm.StructureData(cell=[[4, 0, 0], [0, 4, 0], [0, 0, 4]])
    cell.append_atom(position=(0, 0, 0), symbols="Li")
    outputs = {"ensemble": orm.Dict({"members": 3}), "orderings__o000": cell}
    assert "cannot be read" in stored_ensemble_lines(outputs)[0]
    assert stored_ensemble_lines({"ensemble": orm.Dict({})}) == []
