"""Engines are registered, tested by a real job, and pinned to the checkpoint they were tested with."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest
from aiida import orm
from ase.build import bulk

from aiida_ion.calculations.mlip.job import POTENTIALS
from aiida_ion.cli.engine.add import MLIP_NAMES
from aiida_ion.engines.engine import load_engine, remember_test
from aiida_ion.engines.registration import register
from aiida_ion.engines.requests import JobRequest
from tests.cli.conftest import SAFETENSORS, Invoke, only_line
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
    weights.write_bytes(SAFETENSORS)
    digest = hashlib.sha256(SAFETENSORS).hexdigest()
    command = ["engine", "add", "mine", "--python", sys.executable, "--potential", "mace", "--checkpoint", weights]
    invoke(*command)
    invoke(*command)
    engine = load_engine("mine")
    assert engine.potential == {"name": "mace", "checkpoint_sha256": digest}
    assert engine.checkpoint is not None
    assert engine.checkpoint.get_content(mode="rb") == SAFETENSORS
    assert orm.QueryBuilder().append(orm.SinglefileData).count() == 1
    assert digest[:8] in invoke("engine", "list").output


EVIL = b"cos\nsystem\n(S'touch opened'\ntR."


def add(checkpoint: Path, potential: str = "mace") -> list[object]:
    return ["engine", "add", "mine", "--python", sys.executable, "--potential", potential, "--checkpoint", checkpoint]


def test_a_checkpoint_that_runs_code_wants_the_users_word(
    invoke: Invoke, aiida_localhost: orm.Computer, tmp_path: Path
) -> None:
    weights = tmp_path / "evil.model"
    weights.write_bytes(EVIL)
    digest = hashlib.sha256(EVIL).hexdigest()
    line = only_line(invoke(*add(weights), code=1))
    assert "evil.model is a pickle that imports os.system" in line and "--trust-checkpoint" in line and digest in line
    assert orm.QueryBuilder().append(orm.SinglefileData).count() == 0
    assert digest in invoke(*add(weights), "--trust-checkpoint").output
    assert load_engine("mine").potential["trusted_sha256"] == [digest]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><html><body>Not found</body></html>", "is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n", "git-lfs"),
        (bytes(range(1, 256)) * 20, "is not a weight file"),
        (b"PK\x03\x04" + bytes(200), "is cut short"),
        ((10**6).to_bytes(8, "little") + b'{"a": 1', "is cut short"),
        (b"\x1f\x8b\x08" + bytes(30), "gzip"),
        (b"\x80\x04\x95", "is cut short"),
    ],
)
def test_what_cannot_be_weights_is_refused(
    invoke: Invoke, aiida_localhost: orm.Computer, tmp_path: Path, content: bytes, words: str
) -> None:
    weights = tmp_path / "weights.pth"
    weights.write_bytes(content)
    assert words in only_line(invoke(*add(weights, "sevenn"), "--trust-checkpoint", code=1))
    assert orm.QueryBuilder().append(orm.SinglefileData).count() == 0


def test_weights_found_by_the_job_are_trusted_by_its_test(
    invoke: Invoke, aiida_localhost: orm.Computer, tiny_mace: Path
) -> None:
    """As what a library downloads: no file is given here, the job finds it."""
    python = engine_environment("mace") / "bin" / "python"
    register("found", str(python), "ion.md.mlip", potential={"name": "mace", "model": str(tiny_mace)})
    copper = orm.StructureData(ase=bulk("Cu", "fcc", a=3.7, cubic=True)).store()
    command = ["engine", "test", "found", "--structure", copper.pk, "--steps", 5]
    digest = hashlib.sha256(tiny_mace.read_bytes()).hexdigest()
    line = only_line(invoke(*command, code=1))
    assert "--trust-checkpoint" in line and digest in line
    assert "trusted_sha256" not in load_engine("found").potential
    assert digest in invoke(*command, "--trust-checkpoint").output
    assert load_engine("found").potential["trusted_sha256"] == [digest]
    assert load_engine("found").tested["versions"]["checkpoint"]["loaded_as"] == "code trusted by the user"
    invoke(*command)


def test_trust_without_a_file_is_refused(invoke: Invoke, aiida_localhost: orm.Computer) -> None:
    line = only_line(
        invoke("engine", "add", "x", "--python", sys.executable, "--potential", "mace", "--trust-checkpoint", code=1)
    )
    assert "no file here to trust" in line


@pytest.mark.parametrize(
    ("style", "content", "words"),
    [
        ("mliap model mliappy x.pt descriptor sna x.d", b"# text", "is unpickled by this pair style"),
        ("allegro", EVIL, "is a pickle that imports os.system"),
        ("allegro", b"", "is empty"),
    ],
)
def test_files_of_lammps_are_looked_at_too(
    invoke: Invoke, aiida_localhost: orm.Computer, tmp_path: Path, style: str, content: bytes, words: str
) -> None:
    (tmp_path / "x.pt").write_bytes(content)
    (tmp_path / "own.yaml").write_text(f"commands: 'pair_style {style}'\nlevel_of_theory: mine\nfiles: [x.pt]\n")
    command = ["engine", "add", "own", "--executable", "/bin/ls", "--kind", "lammps"]
    command += ["--potential", str(tmp_path / "own.yaml")]
    assert words in only_line(invoke(*command, code=1))
    if content:
        invoke(*command, "--trust-checkpoint")
        assert load_engine("own").potential["trusted_sha256"] == [hashlib.sha256(content).hexdigest()]


def test_a_lammps_potential_may_be_a_file(invoke: Invoke, aiida_localhost: orm.Computer, tmp_path: Path) -> None:
    (tmp_path / "deployed.pth").write_bytes(SAFETENSORS)
    text = "commands: 'pair_style table linear 10'\nlevel_of_theory: mine\nfiles: [deployed.pth]\n"
    (tmp_path / "own.yaml").write_text(text)
    invoke("engine", "add", "own", "--executable", "/bin/ls", "--kind", "lammps", "--potential", tmp_path / "own.yaml")
    engine = load_engine("own")
    assert engine.potential["files"] == ["deployed.pth"]
    assert [node.filename for node in engine.files.values()] == ["deployed.pth"]


def test_a_file_that_has_changed_is_another_potential(
    invoke: Invoke, aiida_localhost: orm.Computer, tmp_path: Path
) -> None:
    """The mapping of the potential is as before, and so are the names of its files."""
    (tmp_path / "own.yaml").write_text("commands: 'pair_style table linear 10'\nlevel_of_theory: a\nfiles: [x.table]\n")
    command = ["engine", "add", "own", "--executable", "/bin/ls", "--kind", "lammps"]
    for content in ("first\n", "second\n"):
        (tmp_path / "x.table").write_text(content)
        invoke(*command, "--potential", tmp_path / "own.yaml")
        (node,) = load_engine("own").files.values()
        assert node.get_content() == content


def test_job_options_are_kept_used_and_shown(invoke: Invoke, lj_engine: str) -> None:
    add = ("engine", "add", "toy", "--python", sys.executable, "--potential", "lj")
    remember_test(load_engine(lj_engine), {"checkpoint": {"sha256": "ab" * 32}}, {"steps_per_s": 9.0})
    invoke(*add, "--job-options", '{"queue_name": "gpu", "max_memory_kb": 4000000}')
    engine = load_engine(lj_engine)
    assert engine.jobs.job_options == {"queue_name": "gpu", "max_memory_kb": 4_000_000}
    assert engine.potential["checkpoint_sha256"] == "ab" * 32
    assert engine.tested == {}  # the speed was that of other jobs
    assert "queue_name gpu, max_memory_kb 4000000" in invoke("engine", "list").output
    command = ("engine", "test", lj_engine, "--steps", 5, "--job-options", '{"max_wallclock_seconds": 60}')
    engine.potential.pop("checkpoint_sha256")  # that of no file: the job would refuse its own
    engine.save()
    invoke(*command)
    (job,) = orm.QueryBuilder().append(orm.CalcJobNode).all(flat=True)
    options = [job.get_option(name) for name in ("queue_name", "max_memory_kb", "max_wallclock_seconds")]
    assert options == ["gpu", 4_000_000, 60]


def test_engines_of_earlier_versions_have_no_job_options(invoke: Invoke, lj_engine: str) -> None:
    code = load_engine(lj_engine).code
    about = code.base.extras.get("ion")
    del about["job_options"]
    code.base.extras.set("ion", about)
    assert load_engine(lj_engine).jobs == JobRequest()
    assert lj_engine in invoke("engine", "list").output


def test_an_engine_whose_package_is_gone_is_listed_and_says_so(invoke: Invoke, lj_engine: str) -> None:
    code = load_engine(lj_engine).code
    code.base.extras.set("ion", code.base.extras.get("ion") | {"entry_point": "ion.md.gone"})
    assert "ion.md.gone" in invoke("engine", "list").output
    for command in (("engine", "test", lj_engine), ("run", "1", "--engine", lj_engine)):
        assert "'ion.md.gone' is not an installed engine" in invoke(*command, code=1).stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ('{"queue": "gpu"}', "unknown job option queue"),
        ('{"max_wallclock_seconds": "1 h"}', "job option max_wallclock_seconds"),
        ('{"resources": [1]}', "job option resources must be a mapping"),
        ('{"resources": {"nodes": 1}}', "unknown resource nodes"),
    ],
)
def test_job_options_that_no_job_takes_are_refused(invoke: Invoke, lj_engine: str, options: str, words: str) -> None:
    add = ("engine", "add", "other", "--python", sys.executable, "--potential", "lj", "--job-options", options)
    assert words in only_line(invoke(*add, code=1))
    assert words in only_line(invoke("engine", "test", lj_engine, "--job-options", options, code=1))


def test_a_code_of_another_kind_is_not_made_an_engine(invoke: Invoke, lj_engine: str) -> None:
    command = ("engine", "add", "kinisi", "--python", sys.executable, "--potential", "lj")
    assert "kinisi@localhost is the code of the fits" in only_line(invoke(*command, code=1))


def test_the_help_names_the_potentials() -> None:
    assert MLIP_NAMES == POTENTIALS


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--potential", "lj"], 2, "either --python"),
        (["--python", sys.executable, "--potential", "magic"], 1, "give --potential, one of"),
        (["--python", sys.executable, "--potential", "import", "--model", "noclass"], 1, "package.module:Class"),
        (["--python", "/absent/python", "--potential", "lj"], 1, "/absent/python cannot be used on localhost"),
        (["--python", "python", "--potential", "lj"], 1, "absolute path"),
        (["--python", sys.executable, "--potential", "lj", "--computer", "mars"], 1, "no computer 'mars'"),
        (["--executable", "/bin/ls", "--kind", "mlip", "--potential", "lj"], 2, "mlip runs by its --python"),
        (["--python", sys.executable, "--kind", "lammps"], 2, "lammps runs by its --executable"),
        (["--executable", "/bin/ls", "--kind", "lammps", "--inputs", "{}"], 2, "lammps takes no --inputs"),
        (["--executable", "/bin/ls", "--kind", "lammps", "--model", "x"], 2, "lammps takes no --model"),
        (["--executable", "/bin/ls", "--kind", "lammps", "--potential", "unheard-of"], 1, "choose from"),
        (["--python", sys.executable, "--potential", "mace", "--checkpoint", "/absent.model"], 1, "does not exist"),
    ],
)
def test_what_cannot_work_is_refused(
    invoke: Invoke, aiida_localhost: orm.Computer, arguments: list[str], code: int, words: str
) -> None:
    assert words in invoke("engine", "add", "bad", *arguments, code=code).stderr


def test_unknown_engines_list_the_known(invoke: Invoke, lj_engine: str) -> None:
    assert only_line(invoke("engine", "test", "gold", code=1)) == "Error: there is no engine 'gold'; choose from toy"
    assert "is not an engine" in only_line(invoke("engine", "test", "kinisi", code=1))


def test_two_computers_with_one_name_ask_for_the_computer(invoke: Invoke, lj_engine: str, tmp_path: Path) -> None:
    other = orm.Computer("other", "localhost", "", "core.local", "core.direct", str(tmp_path)).store()
    other.configure(safe_interval=0)
    register("toy", sys.executable, "ion.md.mlip", "other", {"name": "lj"})
    assert "add @computer" in only_line(invoke("engine", "test", "toy", code=1))
    assert load_engine("toy@other").code.computer.label == "other"
