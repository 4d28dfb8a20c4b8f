"""Who receives an archive needs aiida-core and nothing else; and nothing in an archive is executed."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest
from aiida import orm
from aiida.tools.archive import create_archive

from aiida_ion.archives.export import export, plan
from aiida_ion.archives.importing import import_archive
from aiida_ion.archives.open import open_archive

#: Import the archive into a new profile, and print every node: class, attributes, arrays. BLOCKED is not importable.
READ = """
import json, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Blocked())
from aiida import load_profile, orm
from aiida.manage.configuration import create_profile, get_config
from aiida.tools.archive import import_archive

config = get_config(create=True)
profile = create_profile(
    config, name="fresh", email="me@localhost", storage_backend="core.sqlite_dos", storage_config={{}}
)
config.store()
load_profile("fresh")
import_archive({path!r}, create_group=False)
found = {{}}
for (node,) in orm.QueryBuilder().append(orm.Node).iterall():
    has_arrays = isinstance(node, orm.ArrayData)
    arrays = {{name: float(array.sum()) for name, array in node.get_iterarrays()}} if has_arrays else {{}}
    said = [type(node).__module__, type(node).__name__, node.base.attributes.all, arrays]
    found[node.uuid] = said + [sorted(node.base.repository.list_object_names())]
assert "aiida_ion" not in sys.modules
print("FOUND" + json.dumps(found))
"""


def read_by(python: str, path: Path, folder: Path, blocked: set[str]) -> dict[str, Any]:
    """Return what another Python finds in an archive that it has imported."""
    program = folder / "read.py"
    program.write_text(READ.format(path=str(path), blocked=blocked))
    environment = {"AIIDA_PATH": str(folder), "PATH": "/usr/bin:/bin", "HOME": str(folder)}
    done = subprocess.run([python, program], env=environment, capture_output=True, text=True, cwd=folder, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.partition("FOUND")[2]))


@pytest.fixture
def exported(fit_archive: Path, back: None) -> tuple[Path, dict[str, Any]]:
    """Return the archive of a real fit, and the attributes of its nodes."""
    open_archive(fit_archive)
    return fit_archive, dict(orm.QueryBuilder().append(orm.Node, project=["uuid", "attributes"]).all())


def compare(result: dict[str, Any], expected: dict[str, Any]) -> None:
    """Every node is a class of AiiDA, with every attribute, and its arrays can be read."""
    assert set(result) == set(expected)
    for uuid, (module, _, attributes, _, _) in result.items():
        assert module.startswith("aiida.orm."), module
        assert attributes == expected[uuid]
    by_class = {name: arrays for _, name, _, arrays, _ in result.values()}
    assert {"positions", "cells"} <= set(by_class["TrajectoryData"])
    assert "msd_A2" in by_class["ArrayData"]


def test_without_our_package_everything_is_read(exported: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    path, expected = exported
    ours = {"aiida_ion", "kinisi", "pymatgen", "ase", "pandas", "scipp", "sklearn", "dash"}
    compare(read_by(sys.executable, path, tmp_path, ours), expected)


@pytest.mark.slow
def test_an_environment_with_only_aiida_core_reads_everything(
    exported: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    path, expected = exported
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "aiida-core>=2.9,<3"], check=True)
    listed = subprocess.run([python, "-m", "pip", "list"], check=True, capture_output=True, text=True).stdout
    assert "aiida-ion" not in listed
    compare(read_by(str(python), path, tmp_path, set()), expected)


HARM = "!!python/object/apply:os.system ['touch {}']"


@pytest.mark.usefixtures("back")
def test_saved_states_of_processes_are_never_loaded(aiida_profile_clean: Any, tmp_path: Path) -> None:
    """AiiDA continues a process from YAML that can run anything; an archive may bring such a text."""
    trap = tmp_path / "harmed"
    node = orm.WorkChainNode()
    node.base.attributes.set("checkpoints", HARM.format(trap))
    node.base.attributes.set("process_state", "waiting")
    node.store()
    node.seal()
    path = create_archive([node], filename=tmp_path / "trap.aiida", strip_checkpoints=False)
    uuid = node.uuid
    aiida_profile_clean.reset_storage()
    import_archive(path)
    assert "checkpoints" not in orm.load_node(uuid).base.attributes.all
    open_archive(path)
    assert orm.load_node(uuid).base.attributes.get("checkpoints").startswith("!!python")
    assert not trap.exists()


def test_ours_are_exported_without_saved_states(aiida_profile_clean: Any, tmp_path: Path, request: Any) -> None:
    node = orm.WorkChainNode()
    node.base.attributes.set("checkpoints", "state")
    node.store()
    node.seal()
    uuid = node.uuid
    export(plan([uuid]), tmp_path / "out.aiida")
    request.getfixturevalue("back")
    open_archive(tmp_path / "out.aiida")
    assert "checkpoints" not in orm.load_node(uuid).base.attributes.all
