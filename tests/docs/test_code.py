"""Every code block of the pages compiles, and the runnable ones run."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiida import orm

from aiida_ion.aiida_private.builders import validate_builder
from aiida_ion.calculations.vasp.job import validate_incar
from aiida_ion.dft.pw.input import normal_namelists
from aiida_ion.engines.fits import register_diffusion_code
from aiida_ion.engines.registration import register
from aiida_ion.lammps.potentials import load_potential
from aiida_ion.screening.plan import ScreeningPlan
from aiida_ion.workchains.protocols import merge, protocol_inputs
from tests.docs.reading import Block, blocks


@pytest.mark.parametrize("block", blocks("python"), ids=lambda block: block.where)
def test_python_compiles_and_imports_what_exists(block: Block) -> None:
    tree = ast.parse(block.text, filename=block.where)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            module = __import__(str(node.module), fromlist=[name.name for name in node.names])
            assert all(hasattr(module, name.name) for name in node.names), f"{block.where}: {ast.unparse(node)}"


@pytest.fixture
def documented_codes(aiida_profile_clean: Any, aiida_localhost: orm.Computer) -> None:
    """Register the engines that the pages take for granted, by the names that `aiida-ion setup` gives them."""
    register_diffusion_code()
    register("sevenn", sys.executable, "ion.md.mlip", potential={"name": "sevenn", "model": "7net-0"})
    register("lammps", sys.executable, "ion.md.lammps")


@pytest.mark.usefixtures("documented_codes")
@pytest.mark.parametrize(
    "block", [block for block in blocks("python") if block.runnable], ids=lambda block: block.where
)
def test_runnable_python_runs(block: Block, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import aiida

    monkeypatch.setattr(aiida, "load_profile", lambda *_, **__: None)  # the test's own is loaded already
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {}
    exec(compile(block.text, block.where, "exec"), namespace)
    builder = namespace.get("builder")
    if builder is not None:
        problem = validate_builder(builder)
        assert problem is None, problem


def test_there_is_something_to_run() -> None:
    assert sum(block.runnable for block in blocks("python")) >= 3


@pytest.mark.parametrize("block", blocks("yaml"), ids=lambda block: block.where)
def test_yaml_is_what_a_command_takes(block: Block) -> None:
    content = yaml.safe_load(block.text)
    if "commands" in content:
        load_potential(content)
    elif all(name.isupper() for name in content):
        assert normal_namelists(merge({"SYSTEM": {"ecutwfc": 30.0}}, content))
    elif "stages" in content:
        ScreeningPlan.from_dict(content)
    elif "encut" in content:
        assert validate_incar(orm.Dict(content), None) is None
    else:
        protocol_inputs("conductivity", None, content)
