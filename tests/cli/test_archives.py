"""``aiida-ion export`` and ``aiida-ion import-archive``, as a person uses them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from aiida import orm
from aiida.engine import calcfunction, run_get_node

from aiida_ion.calculations.diffusion import DiffusionCalculation, segment_key
from aiida_ion.cli.common import size
from tests.cli.conftest import Invoke, only_line


@calcfunction
def measure(structure: orm.StructureData) -> orm.Dict:
    """Stand for any calculation."""
    return orm.Dict({"n": len(structure.sites)})


@pytest.fixture
def result(invoke: Invoke, argon: orm.StructureData) -> str:
    node = measure(argon)
    orm.Group(label="mine").store().add_nodes([node])
    return str(node.uuid)


def test_there_and_back(invoke: Invoke, result: str, tmp_path: Path) -> None:
    path = tmp_path / "out.aiida"
    output = invoke("export", "mine", "-o", path, "--dry-run").output
    assert "3 nodes with" in output
    assert not path.exists()
    assert "Written" in invoke("export", "mine", "-o", path, "--yes").output
    assert (tmp_path / "out.README.md").exists()
    invoke("import-archive", path, "--dry-run")
    output = invoke("import-archive", path, "--group", "theirs").output
    assert "3 nodes, in the group 'theirs'" in output
    assert orm.load_group("theirs").count() == 3


def test_it_asks_before_it_writes(invoke: Invoke, result: str, tmp_path: Path) -> None:
    path = tmp_path / "out.aiida"
    assert "Write" in invoke("export", result, "-o", path, code=1).output
    assert not path.exists()


def test_what_cannot_be_done_is_one_line(invoke: Invoke, result: str, tmp_path: Path) -> None:
    path = tmp_path / "out.aiida"
    assert "there is no group 'nobody'" in only_line(invoke("export", "nobody", "-o", path, code=1))
    path.write_text("mine")
    assert "--overwrite" in only_line(invoke("export", "mine", "-o", path, "--yes", code=1))
    assert "it is not a zip file" in only_line(invoke("import-archive", path, code=1))
    assert path.read_text() == "mine"
    invoke("export", "mine", "-o", path, "--yes", "--overwrite")
    assert path.read_bytes()[:2] == b"PK"


@pytest.mark.parametrize(("n_bytes", "said"), [(0, "0 B"), (999, "999 B"), (1.5e6, "1.5 MB"), (2e13, "20 TB")])
def test_sizes_are_said_as_people_say_them(n_bytes: float, said: str) -> None:
    assert size(n_bytes) == said


def test_runs_as_h5md(
    invoke: Invoke,
    walk: Callable[..., orm.TrajectoryData],
    result: str,
    aiida_localhost: orm.Computer,
    tmp_path: Path,
) -> None:
    pytest.importorskip("h5py")
    assert "none of these was fitted" in only_line(
        invoke("export", result, "-o", tmp_path / "a.h5", "--format", "h5md", code=1)
    )
    code = orm.InstalledCode(computer=aiida_localhost, filepath_executable=sys.executable, label="here").store()
    parameters = {"mobile_species": "Li", "charges": {"Li": 1, "Cl": -1}, "target_temperature_K": 500.0}
    inputs = {"code": code, "trajectories": {segment_key(0, 0): walk()}, "parameters": orm.Dict(parameters)}
    node = run_get_node(DiffusionCalculation, **inputs)[1]
    uuid = node.outputs.diffusion.uuid
    output = invoke("export", uuid, "-o", tmp_path / "a.h5", "--format", "h5md", "--max-frames", "50", "--yes").output
    assert "1 runs, a file each" in output
    assert (tmp_path / "a.h5").exists()
    assert "--overwrite" in only_line(invoke("export", uuid, "-o", tmp_path / "a.h5", "--format", "h5md", code=1))
    assert (
        "are for --format aiida"
        in invoke("export", uuid, "-o", tmp_path / "b.h5", "--format", "h5md", "--no-retrieved", code=2).output
    )
