"""Environments of engines: where they go, when they count as installed, and what a failure says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from aiida_ion.engines import environments
from aiida_ion.engines.environments import ENV_FOLDER, RECIPES, TORCH, EnvironmentSetupError, engines_folder, install
from tests.conftest import engine_environment


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(ENV_FOLDER, str(tmp_path / "engines"))
    return tmp_path / "engines"


def test_the_folder_is_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENV_FOLDER, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert engines_folder() == tmp_path / "aiida-ion" / "engines"
    monkeypatch.setenv(ENV_FOLDER, "relative")
    assert engines_folder().is_absolute()


def test_torch_is_there_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(recipe.needs_torch == ("torch" in recipe.imports) for recipe in RECIPES.values())
    base = folder / TORCH.replace("==", "-")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", base], check=True)
    (packages,) = base.glob("lib/python*/site-packages")
    (packages / "torch.py").write_text("")
    recipe = environments.Recipe((("--no-index", "pip"),), ("torch",), needs_torch=True)
    monkeypatch.setitem(environments.RECIPES, "small", recipe)
    lines: list[str] = []
    assert install("small", lines.append) is True
    assert not any(TORCH in line for line in lines)
    assert install("small", lines.append) is False


def test_lammps_finds_its_mpi(folder: Path) -> None:
    path, libraries = environments.prepend_text("lammps").splitlines()
    assert path == f"export PATH={folder}/lammps/bin:$PATH"
    assert libraries == f"export LD_LIBRARY_PATH={folder}/lammps/lib:$LD_LIBRARY_PATH"
    assert environments.prepend_text("sevenn") == ""


def test_what_is_there_and_works_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENV_FOLDER, str(engine_environment("lammps").parent))
    lines: list[str] = []
    assert install("lammps", lines.append) is False
    assert lines == []
    assert "lammps" in environments.found_engines()


def test_an_environment_is_made_for_real(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = environments.Recipe(requirements=(("--no-index", "pip"),), imports=("pip",))
    monkeypatch.setitem(environments.RECIPES, "small", recipe)
    lines: list[str] = []
    assert environments.found_engines() == []
    assert install("small", lines.append) is True
    assert (folder / "small" / "bin" / "python").exists()
    assert lines[0] == f"small: making an environment in {folder / 'small'}"
    assert any("pip install" in line for line in lines)
    assert environments.found_engines() == ["small"]
    assert install("small", lines.append) is False

    monkeypatch.setitem(
        environments.RECIPES, "small", environments.Recipe((("--no-index", "absent-package"),), ("absent",))
    )
    with pytest.raises(EnvironmentSetupError, match="pip install --no-index absent-package failed: .*absent-package"):
        install("small", lines.append)
    monkeypatch.setitem(environments.RECIPES, "small", environments.Recipe((("--no-index", "pip"),), ("absent",)))
    with pytest.raises(EnvironmentSetupError, match="absent cannot be imported"):
        install("small", lines.append)
