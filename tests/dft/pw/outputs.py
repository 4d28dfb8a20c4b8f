"""pw.x as a program, without AiiDA: three atoms of Li2O, a little shaken."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ase import Atoms
from ase.build import bulk
from ase.data import atomic_masses

from aiida_ion.dft.pw.input import Namelists, with_start
from tests.quantumespresso_fixtures import NAMELISTS, pseudo_paths, pw_executable

ATOMS = bulk("OLi2", "fluorite", a=4.62)
ATOMS.rattle(0.02, seed=3)
SYMBOLS = ATOMS.get_chemical_symbols()
MASSES = atomic_masses[ATOMS.numbers]


def input_text(
    namelists: Namelists, velocities: Any = None, pseudos: Mapping[str, str] | None = None, atoms: Atoms = ATOMS
) -> str:
    """Return an input of pw.x for three atoms of Li2O."""
    paths = {element: path.name for element, path in pseudo_paths().items()} | dict(pseudos or {})
    namelists["CONTROL"] |= {"pseudo_dir": str(pseudo_paths()["Li"].parent), "outdir": "out", "prefix": "aiida"}
    namelists["SYSTEM"] |= {"ibrav": 0, "nat": len(ATOMS), "ntyp": 2}
    text = "".join(
        f"&{name}\n" + "".join(f"  {key} = {fortran(value)}\n" for key, value in content.items()) + "/\n"
        for name, content in namelists.items()
    )
    species = "".join(f"{s} {atomic_masses[n]} {paths[s]}\n" for s, n in (("Li", 3), ("O", 8)))
    cell = "".join(" ".join(map(repr, map(float, row))) + "\n" for row in atoms.cell.array)
    text += f"ATOMIC_SPECIES\n{species}ATOMIC_POSITIONS angstrom\nK_POINTS automatic\n2 2 2 1 1 1\n"
    return with_start(text + f"CELL_PARAMETERS angstrom\n{cell}", SYMBOLS, atoms.positions, velocities)


def fortran(value: Any) -> str:
    return f".{str(value).lower()}." if isinstance(value, bool) else repr(value)


def with_namelists(**change: Mapping[str, Any]) -> Namelists:
    """Return the namelists of the tests with a change."""
    return {name: {**NAMELISTS.get(name, {}), **change.get(name, {})} for name in {**NAMELISTS, **change}}


def run_pw(folder: Path, stem: str, text: str, *flags: str) -> subprocess.CompletedProcess[str]:
    """Run pw.x on ``stem.in`` in a folder; it writes ``stem.out``."""
    (folder / f"{stem}.in").write_text(text)
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with (folder / f"{stem}.out").open("w") as handle:
        return subprocess.run(
            [pw_executable(), *flags, "-in", f"{stem}.in"],
            cwd=folder,
            env=environment,
            stdout=handle,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
