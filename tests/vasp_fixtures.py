"""VASP for the tests: a stand-in behind mock-vasp, POTCARs without content, the engine's inputs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiida import orm

STAND_IN = Path(__file__).parent / "mock_vasp.py"
FAMILY = "STAND-IN"
#: Title and number of valence electrons of each POTCAR; the rest of one is the property of the VASP group.
POTCARS = {
    "Li_sv": ("PAW_PBE Li_sv 10Sep2004", 3),
    "O": ("PAW_PBE O 08Apr2002", 6),
    "N": ("PAW_PBE N 08Apr2002", 5),
}
POTCAR = """  {title}
   {valence:.5f}
 parameters from PSCTR are:
   VRHFIN ={element}: nothing else
   LEXCH  = PE
   TITEL  = {title}
   POMASS =    7.010; ZVAL   =    {valence:.3f}    mass and valenz
   ENMAX  =  400.000; ENMIN  =  300.000 eV
   END of PSCTR-controll parameters
 End of Dataset
"""


@pytest.fixture
def potcar_family(tmp_path: Path) -> str:
    """Return the name of an uploaded family with POTCARs of lithium, oxygen and nitrogen."""
    from aiida_vasp.data.potcar import PotcarData

    for name, (title, valence) in POTCARS.items():
        folder = tmp_path / "potcars" / name
        folder.mkdir(parents=True)
        element = name.partition("_")[0]
        (folder / "POTCAR").write_text(POTCAR.format(title=title, valence=valence, element=element))
    PotcarData.upload_potcar_family(tmp_path / "potcars", FAMILY, "no real potentials", stop_if_existing=False)
    return FAMILY


@pytest.fixture
def stand_in(tmp_path: Path) -> Callable[..., Path]:
    """Return a factory: the stand-in as an executable, misbehaving as its own documentation says."""

    def make(**misbehaviour: Any) -> Path:
        words = [f"STAND_IN_{name.upper()}={value}" for name, value in misbehaviour.items()]
        path = tmp_path / f"vasp_{len(list(tmp_path.glob('vasp_*')))}"
        path.write_text(f'#!/bin/bash\nexec env {" ".join(words)} {sys.executable} {STAND_IN} "$@"\n')
        path.chmod(0o755)
        return path

    return make


@pytest.fixture
def vasp_program(stand_in: Any, aiida_code_installed: Any) -> Callable[..., orm.InstalledCode]:
    """Return a factory: the stand-in itself as a code."""

    def make(**misbehaviour: Any) -> orm.InstalledCode:
        path = stand_in(**misbehaviour)
        return aiida_code_installed(
            label=path.name, default_calc_job_plugin="ion.vasp_md", filepath_executable=str(path)
        )

    return make


@pytest.fixture
def mock_vasp(stand_in: Any, aiida_code_installed: Any, tmp_path: Path) -> Callable[..., orm.InstalledCode]:
    """Return a factory: aiida-vasp's mock-vasp, which runs the stand-in for what its registry does not hold."""

    def make(*, strict: bool = False) -> orm.InstalledCode:
        lines = [f"export MOCK_VASP_REG_BASE={tmp_path / 'registry'}"]
        lines += [] if strict else [f"export MOCK_VASP_VASP_CMD={stand_in()}"]
        return aiida_code_installed(
            label=f"mock-vasp-{'strict' if strict else 'with-stand-in'}",
            default_calc_job_plugin="ion.vasp_md",
            filepath_executable=str(Path(sys.executable).parent / "mock-vasp"),
            prepend_text="\n".join(lines),
        )

    return make


@pytest.fixture
def vasp_code(mock_vasp: Any) -> orm.InstalledCode:
    """Return VASP as the tests have it."""
    code: orm.InstalledCode = mock_vasp()
    return code


@pytest.fixture
def vasp_engine(vasp_program: Any, potcar_family: str, lithium_oxide: orm.StructureData) -> dict[str, Any]:
    """Return the engine namespace for lithium oxide; without mock-vasp, which takes seconds to start."""
    from aiida_ion.workchains.md.vasp import VaspMdWorkChain

    return VaspMdWorkChain.engine_inputs(
        lithium_oxide,
        "fast",
        code=vasp_program(),
        potential_family=potcar_family,
        potential_mapping={"Li": "Li_sv", "O": "O"},
    )
