"""Many crystals in one command: all that cannot be run is listed, and large cells are asked about."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from aiida import orm
from pymatgen.core import Lattice, Structure

from aiida_ion.analysis.crystals.cell import MAX_SIMULATED_ATOMS
from aiida_ion.calculations.functions import multiples_of
from aiida_ion.campaigns import EngineRequest, JobRequest, RunRequest
from aiida_ion.campaigns.batch import ASK_ABOVE_ATOMS, make_batch
from aiida_ion.campaigns.plans import comparison
from aiida_ion.campaigns.structures import READ_FROM, reading_lines, structure_node
from aiida_ion.engines.registration import register
from benchmarks.crystals_on_file.makers import LITHIA, cif, typed
from tests.cli.conftest import Invoke, only_line

REQUEST = RunRequest(protocol="fast", jobs=JobRequest(threads=1))
ODD = {
    "cut": cif()[:-5],
    "twice": cif([*LITHIA, ("Li2", "Li", "0.25 0.25 0.25")]),
    "vacancy": typed("Vac"),
    "silicon": cif([("Si1", "Si", "0 0 0")], edges="3.9 3.9 3.9"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of eight crystals, four of which cannot be run."""
    path = tmp_path / "crystals"
    path.mkdir()
    for number in range(4):
        (path / f"good_{number}.cif").write_text(cif(edges=f"4.{60 + number} 4.{60 + number} 4.{60 + number}"))
    for name, text in ODD.items():
        (path / f"{name}.cif").write_text(text)
    (path / "notes.txt").write_text("not a crystal")
    return path


def test_all_bad_crystals_are_listed_and_nothing_is_submitted(invoke: Invoke, lj_engine: str, folder: Path) -> None:
    result = invoke("run", folder, "--engine", lj_engine, "--protocol", "fast", code=1)
    *refused, last = result.stderr.strip().splitlines()
    assert last == "Error: 4 of 8 crystals cannot be run, and nothing was submitted; --skip-bad runs the other 4"
    assert len(refused) == 4
    for name, words in {
        "cut": "not a whole number of rows",
        "twice": "closer than 0.5 angstrom",
        "vacancy": "'Vac', which is not an element",
        "silicon": "no usual mobile ion",
    }.items():
        (line,) = (line for line in refused if f"{name}.cif" in line)
        assert line.startswith("REFUSED ")
        assert words in line
    assert orm.QueryBuilder().append(orm.ProcessNode).count() == 0


def test_the_others_run_when_the_user_says_so(invoke: Invoke, lj_engine: str, folder: Path) -> None:
    result = invoke("run", folder, "--engine", lj_engine, "--protocol", "fast", "--skip-bad", "--dry-run")
    assert result.stderr.count("REFUSED") == 4
    assert "NOTE 4 of 8 crystals cannot be run and are left out; 4 run (--skip-bad)" in result.stderr
    assert "In all: 4 cells and engines" in result.stdout
    # Without a broker the command stops at the daemon, after everything was checked.
    assert "broker" in invoke("run", folder, "--engine", lj_engine, "--skip-bad", code=1).stderr


def test_a_wrong_option_is_one_line_for_all(invoke: Invoke, lj_engine: str, folder: Path) -> None:
    for name in ODD:
        (folder / f"{name}.cif").unlink()
    options = ("--engine", lj_engine, "--protocol", "fast", "--mobile-species", "Na")
    assert "no Na in Li2O" in only_line(invoke("run", folder, *options, "--skip-bad", code=1))


def test_a_crystal_runs_with_all_engines_or_not_at_all(invoke: Invoke, lj_engine: str, folder: Path) -> None:
    register("lammps", "/bin/ls", "ion.md.lammps")
    (folder / "bromide.cif").write_text(
        cif([("Li1", "Li", "0 0 0"), ("Br1", "Br", "0.5 0.5 0.5")], edges="5.5 5.5 5.5")
    )
    request = replace(REQUEST, engine=EngineRequest(potential="pedone-2006"))
    batch = make_batch([str(folder)], [lj_engine, "lammps"], request)
    assert len(batch.plans) == 8
    assert "has no Br" in batch.refused[str(folder / "bromide.cif")]
    comparison(batch.plans, request)


def test_two_crystals_of_one_name_are_not_one(invoke: Invoke, lj_engine: str, tmp_path: Path) -> None:
    register("second", "/bin/ls", "ion.md.mlip", potential={"name": "lj"})
    for name, edge in (("one", "4.62"), ("two", "4.7")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.cif").write_text(cif(edges=f"{edge} {edge} {edge}"))
    batch = make_batch([str(tmp_path / "one"), str(tmp_path / "two")], [lj_engine, "second"], REQUEST)
    with pytest.raises(ValueError, match="two crystals are called x"):
        comparison(batch.plans, REQUEST)


def test_a_folder_without_crystals(invoke: Invoke, lj_engine: str, tmp_path: Path) -> None:
    assert "no crystal in this folder" in only_line(invoke("run", tmp_path, "--engine", lj_engine, code=1))


def test_what_was_read_is_printed_and_stored(invoke: Invoke, lj_engine: str, tmp_path: Path) -> None:
    path = tmp_path / "x.cif"
    path.write_text(typed("7Li"))
    output = invoke("run", path, "--engine", lj_engine, "--protocol", "fast", "--dry-run").stdout
    assert "read x.cif (CIF, block x): Li8O4, 12 atoms, 98.61 A^3, 2.01 g/cm^3; 192 symmetry operations" in output
    assert "  7Li was read as Li with the usual mass" in output
    assert "  cell 3 x 3 x 3, smallest width 13.9 angstrom\n" in output
    assert "  temperatures 800, 1000, 1200 K, seeds 1; 5,000 steps of 2 fs each\n" in output
    node = structure_node(str(path)).store()
    attributes = orm.load_node(node.uuid).base.extras.get(READ_FROM)
    assert (attributes["file"], attributes["n_atoms"]) == ("x.cif", 12)
    again = structure_node(node.uuid)
    assert reading_lines(again)[0].startswith("read x.cif (CIF, block x)")
    other = tmp_path / "other.cif"
    other.write_text(typed("7Li"))
    # The same crystal from another file is the same crystal: what was computed of it is found again.
    assert structure_node(str(other)).store().base.caching.compute_hash() == node.base.caching.compute_hash()


def test_a_doubtful_file_is_taken_when_the_user_insists(invoke: Invoke, lj_engine: str, tmp_path: Path) -> None:
    path = tmp_path / "x.cif"
    path.write_text(cif(columns={"attached_hydrogens": ["0", "1"]}))
    command = ("run", path, "--engine", lj_engine, "--protocol", "fast", "--dry-run")
    assert only_line(invoke(*command, code=1)).endswith("(--force-structure accepts the file as it is)")
    assert "INSISTED the site O1 carries 1 hydrogen atoms" in invoke(*command, "--force-structure").stdout


def test_a_node_that_looks_like_no_crystal_is_questioned(aiida_profile_clean: object) -> None:
    sparse = Structure(Lattice.cubic(5.13), ["Li", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    (first, *_) = reading_lines(orm.StructureData(pymatgen=sparse))
    assert "far too empty: 0.521 g/cm^3" in first


def test_large_cells_are_asked_about(invoke: Invoke, lj_engine: str, crystal_file: Path) -> None:
    command = ("run", crystal_file, "--engine", lj_engine, "--protocol", "fast", "--supercell", "11,11,11")
    result = invoke(*command, "--dry-run")
    assert f"1 of 1 simulated cells have more than {ASK_ABOVE_ATOMS:,} atoms" in result.stderr
    assert "has 5,324" in result.stderr
    assert "--yes runs them" in invoke(*command, code=1).stderr
    assert "broker" in invoke(*command, "--yes", code=1).stderr.splitlines()[-1]


def test_too_large_cells_are_refused(
    invoke: Invoke, lj_engine: str, crystal_file: Path, lithium_nitride: orm.StructureData
) -> None:
    command = ("run", crystal_file, "--engine", lj_engine, "--protocol", "fast", "--yes", "--dry-run")
    line = only_line(invoke(*command, "--supercell", "100,100,100", code=1))
    assert f"would have 4,000,000 atoms, more than the maximum of {MAX_SIMULATED_ATOMS:,}:" in line
    with pytest.raises(ValueError, match="would have 108,000,000,000 atoms"):
        multiples_of(lithium_nitride, {"multiples": [3000, 3000, 3000]})


def test_the_rule_of_the_edges_may_accept_less(invoke: Invoke, lj_engine: str, crystal_file: Path) -> None:
    command = ("run", crystal_file, "--engine", lj_engine, "--protocol", "obelix", "--dry-run")
    output = invoke(*command).stdout
    assert "smallest width 9.5 angstrom, less than the 10 asked for: supercell_rule edge measures the edges" in output
