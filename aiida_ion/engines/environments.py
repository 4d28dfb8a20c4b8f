"""Environments of engines on this machine: which there are, and how each is made. Knows no AiiDA."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ENV_FOLDER = "AIIDA_ION_ENGINES"
#: Pinned, since the version that a potential requires by itself changes over time. It is installed once, in an
#: environment of its own, which those of the potentials build on: each would take a gigabyte more.
TORCH = "torch==2.13.0"
#: The file in an environment that names the packages of the one that it builds on.
BASE_PTH = "aiida_ion_torch.pth"
#: The kind of engine that the Python of an environment is by default.
PYTHON_KIND = "mlip"


@dataclass(frozen=True)
class Recipe:
    """How an engine's environment is made.

    :param requirements: what pip installs, one call for each item.
    :param imports: modules that must import when it is done.
    :param kind: the kind of engine that it is; ``None`` where it computes no forces.
    :param potential: what a job gets as its potential, where the engine decides it.
    :param executable: the program of the code, relative to the environment.
    :param needs_torch: whether it builds on the environment that has torch.
    :param needs_lib: whether the environment's `lib` must be on ``LD_LIBRARY_PATH``, and its `bin`, which has the
        ``mpirun`` and ``mpiexec`` of that very MPI, first on the ``PATH``.
    """

    requirements: tuple[tuple[str, ...], ...]
    imports: tuple[str, ...]
    kind: str | None = PYTHON_KIND
    potential: dict[str, Any] | None = None
    executable: str = "bin/python"
    needs_torch: bool = False
    needs_lib: bool = False


RECIPES: dict[str, Recipe] = {
    "sevenn": Recipe((("sevenn==0.13.0",),), ("torch", "sevenn"), potential={"name": "sevenn"}, needs_torch=True),
    "chgnet": Recipe((("chgnet",),), ("torch", "chgnet"), potential={"name": "chgnet"}, needs_torch=True),
    "mace": Recipe((("mace-torch==0.3.16",),), ("torch", "mace"), potential={"name": "mace"}, needs_torch=True),
    "nequip": Recipe(
        (("nequip==0.19.1", "nequip-allegro==0.8.3"),),
        ("torch", "nequip", "allegro"),
        kind=None,
        needs_torch=True,
    ),
    "lammps": Recipe(
        (("lammps", "mpich", "numpy"),),
        ("lammps", "numpy"),
        kind="lammps",
        executable="bin/lmp",
        needs_lib=True,
    ),
    "surrogate": Recipe(
        (("e3nn==0.6.0", "ase", "vesin", "scikit-learn", "safetensors", "scipy"),),
        ("torch", "e3nn", "ase", "vesin", "sklearn", "safetensors", "scipy"),
        kind=None,
        needs_torch=True,
    ),
}


class EnvironmentSetupError(ValueError):
    """An environment that could not be created; the message says why."""


def engines_folder() -> Path:
    """Return the folder that holds the environments.

    ``AIIDA_ION_ENGINES``, else ``aiida-ion/engines`` in ``XDG_DATA_HOME`` or ``~/.local/share``.
    """
    if os.environ.get(ENV_FOLDER):
        return Path(os.environ[ENV_FOLDER]).expanduser().absolute()
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "aiida-ion" / "engines"


def executable(name: str) -> Path:
    """Return the program of an engine's environment."""
    return engines_folder() / name / RECIPES[name].executable


def prepend_text(name: str) -> str:
    """Return the shell lines that the engine needs before it runs."""
    if not RECIPES[name].needs_lib:
        return ""
    folder = engines_folder() / name
    return f"export PATH={folder / 'bin'}:$PATH\nexport LD_LIBRARY_PATH={folder / 'lib'}:$LD_LIBRARY_PATH"


def is_installed(name: str) -> bool:
    """Whether the environment exists and everything it is for can be imported."""
    folder = engines_folder() / name
    python = folder / "bin" / "python"
    if not python.exists() or not executable(name).exists():
        return False
    known = os.environ.get("LD_LIBRARY_PATH", "")
    environment = {**os.environ, "LD_LIBRARY_PATH": f"{folder / 'lib'}:{known}"} if RECIPES[name].needs_lib else None
    return _imports(python, RECIPES[name].imports, environment)


def found_engines() -> list[str]:
    """Return the engines whose program exists on this machine; nothing is imported."""
    return [name for name in RECIPES if executable(name).exists()]


def install(name: str, say: Callable[[str], None]) -> bool:
    """Create the environment of an engine, unless it exists and works.

    :param name: a key of ``RECIPES``.
    :param say: takes each line of progress.
    :returns: whether anything was done.
    :raises EnvironmentSetupError: if a step fails; what was installed stays, and the next call continues from there.
    """
    if is_installed(name):
        return False
    recipe = RECIPES[name]
    python = _make(engines_folder() / name, name, say)
    if recipe.needs_torch:
        base = _make(engines_folder() / TORCH.replace("==", "-"), "torch", say)
        if not _imports(base, ("torch",)):
            _pip(base, "torch", (TORCH,), say)
        (_packages(python) / BASE_PTH).write_text(f"{_packages(base)}\n")
    for packages in recipe.requirements:
        _pip(python, name, packages, say)
    if not is_installed(name):
        modules = ", ".join(RECIPES[name].imports)
        raise EnvironmentSetupError(f"{name}: everything was installed, but {modules} cannot be imported by {python}")
    return True


def _make(folder: Path, name: str, say: Callable[[str], None]) -> Path:
    """Create an environment unless it exists; return its Python."""
    python = folder / "bin" / "python"
    if not python.exists():
        say(f"{name}: making an environment in {folder}")
        folder.parent.mkdir(parents=True, exist_ok=True)
        _call([sys.executable, "-m", "venv", str(folder)], f"{name}: no environment could be made", say)
    return python


def _packages(python: Path) -> Path:
    """Return the folder where an environment has its packages."""
    program = "import sysconfig; print(sysconfig.get_path('purelib'))"
    done = subprocess.run([str(python), "-c", program], capture_output=True, text=True, check=True)
    return Path(done.stdout.strip())


def _pip(python: Path, name: str, packages: Sequence[str], say: Callable[[str], None]) -> None:
    say(f"{name}: pip install {' '.join(packages)}")
    pip = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off", *packages]
    _call(pip, f"{name}: pip install {' '.join(packages)} failed", say)


def _imports(python: Path, modules: Sequence[str], environment: Mapping[str, str] | None = None) -> bool:
    """Return whether modules can be imported in an environment."""
    program = "; ".join(f"import {module}" for module in modules)
    return (
        subprocess.run([str(python), "-c", program], capture_output=True, check=False, env=environment).returncode == 0
    )


def _call(command: Sequence[str], failure: str, say: Callable[[str], None]) -> None:
    """Run a program, pass on its lines, and fail with its last words."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        last = ""
        for line in process.stdout or ():
            if line.strip():
                last = line.strip()
                say(f"  {last}")
    if process.returncode != 0:
        raise EnvironmentSetupError(f"{failure}: {last}")
