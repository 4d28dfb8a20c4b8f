"""What people install: wheel and source distribution, built and installed where nothing of the project is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Mapping
from email.parser import Parser
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
GROUPS = ("aiida.calculations", "aiida.parsers", "aiida.workflows")
VERSIONS = ("3.11", "3.12", "3.13")
#: Modules that an optional dependency brings: entry points that need them are listed, and load once they are there.
OPTIONAL = ("aiida_quantumespresso", "aiida_pseudo", "aiida_vasp", "gemdat")
LOAD = """
import json
from importlib.metadata import distribution
problems = {}
for entry in distribution("aiida-ion").entry_points:
    try:
        entry.load()
    except Exception as error:
        problems[f"{entry.group} {entry.name}"] = f"{type(error).__name__}: {error}"
print(json.dumps(problems))
"""

pytestmark = pytest.mark.slow


def run(*words: str | Path, cwd: Path, extra: Mapping[str, str] | None = None) -> str:
    """Run a program without any setting of Python or AiiDA that is meant for this environment."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "AIIDA", "VIRTUAL_ENV"))
    }
    environment = kept | {"AIIDA_PATH": str(cwd)} | dict(extra or {})
    words_of_it = [str(word) for word in words]
    done = subprocess.run(words_of_it, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(words_of_it)}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def python_of(version: str) -> str:
    """Return a Python of a version, or skip: `python3.13` on the path may be a shim that has no such version."""
    name = f"python{version}"
    candidates = [sys.executable] if sys.version.startswith(f"{version}.") else []
    candidates += [path for path in (shutil.which(name),) if path]
    for candidate in candidates:
        if (
            subprocess.run([candidate, "-c", "import venv, ensurepip"], capture_output=True, check=False).returncode
            == 0
        ):
            return candidate
    pytest.skip(f"no {name} with venv on the PATH")


def environment_in(folder: Path, python: str) -> Path:
    """Return the programs of a new environment."""
    run(python, "-m", "venv", folder, cwd=folder.parent)
    return folder / "bin"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Build both from a copy of the tracked files, so that nothing else can slip in."""
    folder = tmp_path_factory.mktemp("release")
    source, out = folder / "source", folder / "dist"
    for name in tracked(ROOT):
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target)
    programs = environment_in(folder / "tools", sys.executable)
    run(programs / "pip", "install", "--quiet", "build", cwd=folder)
    run(programs / "python", "-m", "build", "--outdir", out, source, cwd=folder)
    (wheel,), (sdist,) = out.glob("*.whl"), out.glob("*.tar.gz")
    return {"wheel": wheel, "sdist": sdist}


def tracked(root: Path) -> list[str]:
    """Return the tracked files of the repository."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("this is no git repository: what belongs to a release is what git tracks")
    return [name for name in listed.stdout.split("\0") if name and (root / name).exists()]


def project() -> dict[str, Any]:
    content: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return content


def test_the_wheel_has_every_file_of_the_package_and_no_other(built: Mapping[str, Path]) -> None:
    with zipfile.ZipFile(built["wheel"]) as wheel:
        packed = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert packed == {name for name in tracked(ROOT) if name.startswith("aiida_ion/")}


def test_the_source_distribution_can_be_tested_and_documented(built: Mapping[str, Path]) -> None:
    with tarfile.open(built["sdist"]) as sdist:
        packed = {name.partition("/")[2] for name in sdist.getnames()}
    folders = ("aiida_ion/", "tests/", "docs/", "examples/", "benchmarks/")
    needed = {
        name for name in tracked(ROOT) if name.startswith(folders) or name in ("CITATION.cff", "LICENSE", "Makefile")
    }
    assert needed - packed == set()


def test_the_metadata_are_what_the_registry_reads(built: Mapping[str, Path]) -> None:
    with zipfile.ZipFile(built["wheel"]) as wheel:
        (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
        text = Parser().parsestr(wheel.read(name).decode())
    assert text["Name"] == "aiida-ion"
    assert text["License-Expression"] == "MIT"
    assert text["Summary"] == project()["description"]
    classifiers = text.get_all("Classifier")
    assert "Framework :: AiiDA" in classifiers
    assert {f"Programming Language :: Python :: {version}" for version in VERSIONS} <= set(classifiers)
    assert "aiida-core" in " ".join(text.get_all("Requires-Dist"))


@pytest.mark.parametrize("version", VERSIONS)
def test_the_wheel_works_in_an_empty_environment(built: Mapping[str, Path], version: str, tmp_path: Path) -> None:
    python = python_of(version)
    programs = environment_in(tmp_path / "installed", python)
    run(programs / "pip", "install", "--quiet", built["wheel"], cwd=tmp_path)
    run(programs / "pip", "check", cwd=tmp_path)
    for group in GROUPS:
        listed = run(programs / "verdi", "plugin", "list", group, cwd=tmp_path)
        assert {name for name in project()["entry-points"][group] if name not in listed.split()} == set()
    problems = json.loads(run(programs / "python", "-c", LOAD, cwd=tmp_path).splitlines()[-1])
    unexpected = {name: text for name, text in problems.items() if not any(module in text for module in OPTIONAL)}
    assert unexpected == {}
    assert "--engine" in run(programs / "aiida-ion", "run", "--help", cwd=tmp_path)
    assert run(programs / "aiida-ion", "--version", cwd=tmp_path).split()[-1] in built["wheel"].name
