"""The stand-in for VASP, run without AiiDA: settings in, what is read of its files out."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.data import atomic_masses

from aiida_ion.dft.vasp.input import SiteGroups, incar_text, md_tags, poscar_text
from aiida_ion.dft.vasp.output import Start, VaspFiles
from aiida_ion.dft.vasp.runs import VaspMd, read_md
from aiida_ion.settings.md import MdSettings
from aiida_ion.starting_velocities import starting_velocities
from tests.vasp_fixtures import POTCAR, POTCARS, STAND_IN

DATA = Path(__file__).parents[4] / "shared" / "data" / "vasp_aimd"


@dataclass
class Crystal:
    """A crystal on the stand-in; its sites in any order."""

    atoms: Atoms
    folder: Path
    electrons: dict[str, Any] = field(default_factory=lambda: {"encut": 520.0, "ediff": 1e-5, "nelm": 60})

    @property
    def masses(self) -> Any:
        return atomic_masses[self.atoms.numbers]

    def start(self, settings: MdSettings) -> Start:
        velocities = starting_velocities(self.masses, settings.temperature_K, settings.seed)
        return Start(self.atoms.positions, velocities, 0, self.groups.inverse, self.masses)

    @property
    def groups(self) -> SiteGroups:
        return SiteGroups.of(self.atoms.get_chemical_symbols())

    def onward(self, read: VaspMd) -> Start:
        """Return the start of the segment after one that was read."""
        assert read.run.steps is not None
        assert read.restart_velocities is not None
        steps = read.run.steps
        step = steps.first_step + len(steps) - 1
        return Start(steps.positions[-1], read.restart_velocities, step, self.groups.inverse, self.masses)

    def run(
        self, settings: MdSettings, start: Start | None = None, stopcar: bool = False, **misbehaviour: Any
    ) -> VaspMd:
        """Run a segment in a new folder and read it."""
        begin = start or self.start(settings)
        folder = self.folder / f"segment_{len(list(self.folder.glob('segment_*')))}"
        folder.mkdir()
        groups = self.groups
        masses = [float(atomic_masses[Atoms(kind).numbers[0]]) for kind in groups.kinds]
        tags = md_tags(
            settings,
            masses=masses,
            n_atoms=len(self.atoms),
            first_vector_A=float(np.linalg.norm(self.atoms.cell[0])),
            first_step=begin.step,
        )
        order = groups.order
        poscar = poscar_text(
            "test",
            self.atoms.cell.array,
            groups.kinds,
            groups.counts,
            np.asarray(begin.positions)[order],
            np.asarray(begin.velocities)[order],
        )
        self.write(folder, self.electrons | tags, poscar, groups.kinds)
        if stopcar:
            (folder / "STOPCAR").write_text("LSTOP = .TRUE.\n")
        run_stand_in(folder, **misbehaviour)
        return read_md(VaspFiles(folder, (folder / "stderr.txt").read_text()), begin, settings)

    @staticmethod
    def write(folder: Path, tags: dict[str, Any], poscar: str, symbols: Sequence[str]) -> None:
        (folder / "INCAR").write_text(incar_text(tags))
        (folder / "POSCAR").write_text(poscar)
        (folder / "POTCAR").write_text("".join(potcar_text(symbol) for symbol in symbols))


def potcar_text(element: str) -> str:
    name = next(name for name in POTCARS if name.partition("_")[0] == element)
    title, valence = POTCARS[name]
    return POTCAR.format(title=title, valence=valence, element=element)


def run_stand_in(folder: Path, **misbehaviour: Any) -> int:
    attributes = {f"STAND_IN_{name.upper()}": str(value) for name, value in misbehaviour.items()}
    with (folder / "vasp_output").open("w") as out, (folder / "stderr.txt").open("w") as err:
        environment = os.environ | {"OMP_NUM_THREADS": "1"} | attributes
        done = subprocess.run(
            [sys.executable, STAND_IN], cwd=folder, env=environment, stdout=out, stderr=err, check=False
        )
    return done.returncode
