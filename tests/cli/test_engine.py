"""Engines are registered, tested by a real job, and pinned to the checkpoint they were tested with."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest
from aiida import orm

from aiida_ion.engines.codes import load_engine, register, remember_test
from tests.cli.conftest import Invoke, only_line
from tests.conftest import engine_environment


def test_an_engine_is_added_tested_and_listed(invoke: Invoke, lj_engine: str) -> None:
    assert "never" in invoke("engine", "list").output
    output = invoke("engine", "test", lj_engine, "--steps", 5).output
    assert "steps/s with 32 atoms" in output
    assert "ase " in output
    row = next(line for line in invoke("engine", "list").output.splitlines() if line.startswith("toy"))
    assert "never" not in row
    assert "ion.md.mlip" in row
    assert load_engine(lj_engine).tested["versions"]["python"] == sys.version.split()[0]


def test_lammps_is_tested_without_a_potential_of_its_own(invoke: Invoke, aiida_localhost: orm.Computer) -> None:
    folder = engine_environment("lammps")
    prepend = f"export LD_LIBRARY_PATH={folder}/lib:$LD_LIBRARY_PATH"
    invoke("engine", "add", "lammps", "--executable", folder / "bin" / "lmp", "--prepend-text", prepend)
    output = invoke("engine", "test", "lammps", "--steps", 5).output
    assert "lammps 22 Jul 2025" in output


def test_an_engine_that_does_not_work_says_so_in_one_line(invoke: Invoke, aiida_localhost: orm.Computer) -> None:
    invoke(
        "engine", "add", "none", "--python", sys.executable, "--potential", "import", "--model", "absent_package:Calc"
    )
    line = only_line(invoke("engine", "test", "none", code=1))
    assert line.startswith("Error: none does not work (job ")
    assert "pip install absent_package" in line
    assert load_engine("none").tested == {}


def test_the_same_once_more_keeps_what_the_test_found(invoke: Invoke, lj_engine: str) -> None:
    engine = load_engine(lj_engine)
    remember_test(
        engine, {"ase": "3", "checkpoint": {"name": "x", "sha256": "ab" * 32}}, {"steps_per_s": 9.0, "n_atoms": 4}
    )
    again = invoke("engine", "add", "toy", "--python", sys.executable, "--potential", "lj").output
    assert "Brought up to date" in again
    after = load_engine(lj_engine)
    assert after.code.uuid == engine.code.uuid
    assert after.potential["checkpoint_sha256"] == "ab" * 32
    assert after.tested["steps_per_s"] == 9.0


def test_another_potential_forgets_the_test(invoke: Invoke, lj_engine: str) -> None:
    remember_test(load_engine(lj_engine), {"checkpoint": {"sha256": "ab" * 32}}, {})
    invoke("engine", "add", "toy", "--python", sys.executable, "--potential", "emt")
    after = load_engine(lj_engine)
    assert after.potential == {"name": "emt"}
    assert after.tested == {}


def test_a_taken_name_is_refused_or_replaced(invoke: Invoke, lj_engine: str, tmp_path: Path) -> None:
    other = tmp_path / "python"
    other.symlink_to(sys.executable)
    line = only_line(invoke("engine", "add", "toy", "--python", other, "--potential", "lj", code=1))
    assert "--replace" in line
    old = load_engine(lj_engine).code
    invoke("engine", "add", "toy", "--python", other, "--potential", "lj", "--replace")
    assert str(load_engine(lj_engine).code.filepath_executable) == str(other)
    assert orm.load_node(old.uuid).label == f"toy-{old.pk}"
    assert invoke("engine", "list").output.count("toy") == 1


def test_a_checkpoint_is_kept_by_its_hash(invoke: Invoke, aiida_localhost: orm.Computer, tmp_path: Path) -> None:
    weights = tmp_path / "trained.model"
    weights.write_bytes(b"weights")
    digest = hashlib.sha256(b"weights").hexdigest()
    command = ["engine", "add", "mine", "--python", sys.executable, "--potential", "mace", "--checkpoint", weights]
    invoke(*command)
    invoke(*command)
    engine = load_engine("mine")
    assert engine.potential == {"name": "mace", "checkpoint_sha256": digest}
    assert engine.checkpoint is not None
    assert engine.checkpoint.get_content(mode="rb") == b"weights"
    assert orm.QueryBuilder().append(orm.SinglefileData).count() == 1
    assert digest[:8] in invoke("engine", "list").output


def test_a_lammps_potential_may_be_a_file(invoke: Invoke, aiida_localhost: orm.Computer, tmp_path: Path) -> None:
    (tmp_path / "deployed.pth").write_bytes(b"x")
    text = "commands: 'pair_style table linear 10'\nlevel_of_theory: mine\nfiles: [deployed.pth]\n"
    (tmp_path / "own.yaml").write_text(text)
    invoke("engine", "add", "own", "--executable", "/bin/ls", "--kind", "lammps", "--potential", tmp_path / "own.yaml")
    engine = load_engine("own")
    assert engine.potential["files"] == ["deployed.pth"]
    assert [node.filename for node in engine.files.values()] == ["deployed.pth"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--potential", "lj"], 2, "either --python"),
        (["--python", sys.executable, "--potential", "magic"], 2, "give --potential, one of"),
        (["--python", sys.executable, "--potential", "import", "--model", "noclass"], 1, "package.module:Class"),
        (["--python", "/absent/python", "--potential", "lj"], 1, "/absent/python cannot be used on localhost"),
        (["--python", "python", "--potential", "lj"], 1, "absolute path"),
        (["--python", sys.executable, "--potential", "lj", "--computer", "mars"], 1, "no computer 'mars'"),
        (["--executable", "/bin/ls", "--kind", "lammps", "--model", "x"], 2, "lammps takes no --model"),
        (["--executable", "/bin/ls", "--kind", "lammps", "--potential", "unheard-of"], 1, "known are"),
        (["--python", sys.executable, "--potential", "mace", "--checkpoint", "/absent.model"], 1, "no such file"),
    ],
)
def test_what_cannot_work_is_refused(
    invoke: Invoke, aiida_localhost: orm.Computer, arguments: list[str], code: int, words: str
) -> None:
    assert words in invoke("engine", "add", "bad", *arguments, code=code).stderr


def test_unknown_engines_list_the_known(invoke: Invoke, lj_engine: str) -> None:
    assert only_line(invoke("engine", "test", "gold", code=1)) == "Error: there is no engine 'gold'; registered are toy"
    assert "is no engine" in only_line(invoke("engine", "test", "kinisi", code=1))


def test_two_computers_with_one_name_ask_for_the_computer(invoke: Invoke, lj_engine: str, tmp_path: Path) -> None:
    other = orm.Computer("other", "localhost", "", "core.local", "core.direct", str(tmp_path)).store()
    other.configure(safe_interval=0)
    register("toy", sys.executable, "ion.md.mlip", "other", {"name": "lj"})
    assert "add @computer" in only_line(invoke("engine", "test", "toy", code=1))
    assert load_engine("toy@other").code.computer.label == "other"
