"""Quantum ESPRESSO for the tests: a code, pseudopotentials, the engine's inputs."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiida import orm

#: The ultrasoft PBEsol pair: with the PAW pair of the same place, a step of three atoms takes ten times as long.
PSEUDO_FOLDER = Path(os.environ.get("ESPRESSO_PSEUDO", "/usr/share/espresso/pseudo"))
PSEUDO_FILES = {"Li": "Li.pbesol-s-rrkjus_psl.0.2.1.UPF", "O": "O.pbesol-n-rrkjus_psl.0.1.UPF"}
FAMILY = "PBEsol/test"
#: Low cut-offs to be quick; the threshold lets a continued run follow the undisturbed one for tens of steps.
NAMELISTS: dict[str, dict[str, Any]] = {
    "SYSTEM": {"ecutwfc": 25.0, "ecutrho": 150.0, "occupations": "fixed"},
    "ELECTRONS": {"conv_thr": 1e-12},
}


def pw_executable() -> str:
    """Return pw.x; skip, with the reason, where it is not installed."""
    path = shutil.which("pw.x")
    if path is None:
        pytest.skip("no pw.x on the PATH: apt-get install quantum-espresso")
    return path


def pseudo_paths() -> dict[str, Path]:
    """Return the files of the pseudopotentials; skip, with the reason, where they are not."""
    paths = {element: PSEUDO_FOLDER / name for element, name in PSEUDO_FILES.items()}
    missing = [path for path in paths.values() if not path.exists()]
    if missing:
        pytest.skip(
            f"no {missing[0].name} in {PSEUDO_FOLDER}: apt-get install quantum-espresso-data, or ESPRESSO_PSEUDO"
        )
    return paths


@pytest.fixture
def quantumespresso_code(aiida_code_installed: Callable[..., orm.InstalledCode]) -> orm.InstalledCode:
    """Return pw.x as a code."""
    return aiida_code_installed(
        label="pw", default_calc_job_plugin="ion.quantumespresso_md", filepath_executable=pw_executable()
    )


@pytest.fixture
def pseudo_family(aiida_profile: object, tmp_path: Path) -> Any:
    """Return a family of pseudopotentials for lithium and oxygen, with cut-offs."""
    from aiida_pseudo.data.pseudo.upf import UpfData
    from aiida_pseudo.groups.family import CutoffsPseudoPotentialFamily

    folder = tmp_path / "pseudos"
    folder.mkdir()
    for path in pseudo_paths().values():
        shutil.copy(path, folder)
    with warnings.catch_warnings():
        # AiiDA makes groups outside its session, as it does nodes.
        warnings.filterwarnings("ignore", message="Object of type <DbGroup> not in session")
        family = CutoffsPseudoPotentialFamily.create_from_folder(folder, FAMILY, pseudo_type=UpfData)
    cutoffs = {element: {"cutoff_wfc": 25.0, "cutoff_rho": 150.0} for element in PSEUDO_FILES}
    family.set_cutoffs(cutoffs, "standard", unit="Ry")
    return family


@pytest.fixture
def upfs(aiida_profile: object) -> dict[str, Any]:
    """Return the pseudopotentials of lithium and oxygen as nodes."""
    from aiida_pseudo.data.pseudo.upf import UpfData

    return {element: UpfData(path) for element, path in pseudo_paths().items()}


@pytest.fixture
def quantumespresso_engine(quantumespresso_code: orm.InstalledCode, upfs: dict[str, Any]) -> dict[str, Any]:
    """Return the `engine` namespace of `ion.md.quantumespresso` for the three atoms of `lithium_oxide`.

    The shifted mesh of four k-points is the least that keeps this cell from falling apart.
    """
    kpoints = orm.KpointsData()
    kpoints.set_kpoints_mesh([2, 2, 2], offset=[0.5, 0.5, 0.5])
    return {
        "code": quantumespresso_code,
        "pseudos": upfs,
        "kpoints": kpoints,
        "namelists": orm.Dict(NAMELISTS),
        "metadata": {
            "options": {"resources": {"num_machines": 1, "num_mpiprocs_per_machine": 1}, "withmpi": False},
        },
    }
