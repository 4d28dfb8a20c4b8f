"""Universal potentials against pw.x with cut-offs that are converged, and with cut-offs that are not.

``python benchmarks/converged_dft.py --engines .engines`` runs SevenNet-0 on twelve atoms of Li2O at 1000 K, takes a
frame every 50 fs, and compares the forces on these frames: of pw.x with several settings, of SevenNet-0 and of CHGNet.
What pw.x computed already is read from ``--folder`` and not computed again.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms, units
from ase.build import bulk
from ase.io import read, write
from ase.io.espresso import write_espresso_in

#: The antifluorite cell of the tutorial.
LATTICE_A, TEMPERATURE_K = 4.80, 1000.0
PSEUDOS = {"Li": "Li.pbesol-s-rrkjus_psl.0.2.1.UPF", "O": "O.pbesol-n-rrkjus_psl.0.1.UPF"}

#: Run in the environment of a potential: molecular dynamics, or energies and forces of frames.
PROGRAM = """
import sys
import numpy as np
from ase import units
from ase.io import read, write
task, name, source, target, n_frames = sys.argv[1:6]
if name == "sevenn":
    from sevenn.calculator import SevenNetCalculator as Calculator
    calculator = Calculator("7net-0", device="cpu")
else:
    from chgnet.model.dynamics import CHGNetCalculator
    calculator = CHGNetCalculator(use_device="cpu")
if task == "run":
    from ase.md.langevin import Langevin
    from ase.md.velocitydistribution import MaxwellBoltzmannDistribution, Stationary
    atoms = read(source)
    atoms.calc = calculator
    rng = np.random.default_rng(1)
    MaxwellBoltzmannDistribution(atoms, temperature_K=float(sys.argv[6]), rng=rng)
    Stationary(atoms)
    dynamics = Langevin(atoms, 2 * units.fs, temperature_K=float(sys.argv[6]), friction=0.01 / units.fs, rng=rng)
    dynamics.run(100)
    frames = []
    for _ in range(int(n_frames)):
        dynamics.run(25)
        frames.append(atoms.copy())
    write(target, frames)
else:
    forces, energies, stresses = [], [], []
    for atoms in read(source, ":"):
        atoms.calc = calculator
        forces.append(atoms.get_forces())
        energies.append(atoms.get_potential_energy())
        stresses.append(atoms.get_stress())
    np.savez(target, forces=forces, energies=energies, stresses=stresses)
"""


@dataclass(frozen=True)
class Setting:
    """Cut-offs of wave functions and density, Ry, and the mesh of k-points."""

    ecutwfc_Ry: float
    ecutrho_Ry: float
    mesh: int

    @property
    def name(self) -> str:
        """What the setting is called."""
        return f"{self.ecutwfc_Ry:g}/{self.ecutrho_Ry:g} Ry, {self.mesh}x{self.mesh}x{self.mesh}"


REFERENCE = Setting(60, 480, 2)
LOW = Setting(30, 240, 2)
#: What ``--all-settings`` adds, which says whether the reference is converged itself.
FURTHER = (Setting(60, 480, 1), Setting(90, 720, 2), Setting(60, 480, 3))


def by_potential(python: Path, *words: str | Path) -> None:
    """Run the program above in the environment of a potential."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    subprocess.run([python, "-W", "ignore", "-c", PROGRAM, *map(str, words)], check=True, env=environment)


def by_pw(atoms: Atoms, setting: Setting, folder: Path, pseudos: Path) -> tuple[Any, float, Any]:
    """Return forces (N, 3), eV/angstrom, energy, eV, and stress (6,), eV/angstrom^3, of a frame by pw.x."""
    folder.mkdir(parents=True, exist_ok=True)
    output = folder / "pw.out"
    if not output.exists() or "JOB DONE" not in output.read_text():
        control = {"calculation": "scf", "tprnfor": True, "tstress": True, "disk_io": "none", "outdir": "out"}
        system = {"ecutwfc": setting.ecutwfc_Ry, "ecutrho": setting.ecutrho_Ry, "nosym": True}
        with (folder / "pw.in").open("w") as text:
            write_espresso_in(
                text,
                atoms,
                input_data={
                    "control": control | {"pseudo_dir": str(pseudos)},
                    "system": system,
                    "electrons": {"conv_thr": 1e-9 * len(atoms)},
                },
                pseudopotentials=PSEUDOS,
                kpts=(setting.mesh,) * 3,
            )
        with output.open("w") as text:
            environment = os.environ | {"OMP_NUM_THREADS": "1"}
            subprocess.run(["pw.x", "-in", "pw.in"], cwd=folder, check=True, env=environment, stdout=text)
    result = read(output)
    return result.get_forces(), result.get_potential_energy(), result.get_stress()


def compare(name: str, forces: Any, reference: Any, pressures: tuple[float, float] | None = None) -> None:
    """Print how forces, of any shape (n, N, 3), are to those of a reference."""
    own, true = np.ravel(forces), np.ravel(reference)
    slope, difference = (own @ true) / (true @ true), own - true
    cosine = (own @ true) / np.sqrt((own @ own) * (true @ true))
    rmse = np.sqrt(np.mean(difference**2))
    text = f"{name:34s} {len(forces):3d}  {slope:6.3f}  {np.abs(difference).mean():6.4f}  {rmse:6.4f}  "
    text += f"{100 * rmse / np.sqrt(np.mean(true**2)):5.1f} %  {cosine:7.4f}"
    if pressures is not None:
        text += f"  {pressures[0]:6.1f}  {pressures[1]:6.1f}"
    print(text, flush=True)


def mean_pressure(stresses: Any) -> float:
    """Return the mean pressure, GPa, of stresses (n, 6), eV/angstrom^3, without the motion of the ions."""
    return float(-np.mean(np.asarray(stresses)[:, :3]) / units.GPa)


def main() -> None:
    """Run, compute what is not there yet, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engines", type=Path, default=Path(".engines"))
    parser.add_argument("--folder", type=Path, default=Path("artefacts/converged-dft"))
    parser.add_argument("--pseudos", type=Path, default=Path("/usr/share/espresso/pseudo"))
    parser.add_argument("--frames", type=int, default=3)
    parser.add_argument("--all-settings", action="store_true")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    trajectory, start = given.folder / "frames.extxyz", given.folder / "start.extxyz"
    pythons = {name: given.engines.absolute() / name / "bin" / "python" for name in ("sevenn", "chgnet")}
    if not trajectory.exists():
        write(start, bulk("OLi2", "fluorite", a=LATTICE_A, cubic=True))
        by_potential(pythons["sevenn"], "run", "sevenn", start, trajectory, str(given.frames), str(TEMPERATURE_K))
    frames = read(trajectory, f":{given.frames}")
    results: dict[str, Any] = {}
    for setting in (REFERENCE, LOW, *(FURTHER if given.all_settings else ())):
        begun = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        own = [
            by_pw(
                atoms,
                setting,
                given.folder / setting.name.replace("/", "-").replace(" ", "-") / f"{i:02d}",
                given.pseudos,
            )
            for i, atoms in enumerate(frames)
        ]
        results[setting.name] = [np.array(column) for column in zip(*own, strict=True)]
        spent = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - begun
        print(f"pw.x {setting.name}: {len(own)} frames, {spent:.0f} CPU s now, {time.strftime('%H:%M')}", flush=True)
    for name, python in pythons.items():
        if python.exists():
            target = given.folder / f"{name}.npz"
            by_potential(python, "forces", name, trajectory, target, "0")
            with np.load(target) as loaded:
                results[name] = [loaded[key][: len(frames)] for key in ("forces", "energies", "stresses")]
    forces, _, stresses = results[REFERENCE.name]
    print(f"\nforce rms of {REFERENCE.name}: {np.sqrt(np.mean(forces**2)):.3f} eV/angstrom")
    print(f"{'':34s}   n   slope     MAE    RMSE  RMSE/rms   cosine  pressure, of the reference (GPa)")
    for name, (own, _, own_stresses) in results.items():
        n_frames = len(own)
        pressures = (mean_pressure(own_stresses), mean_pressure(stresses[:n_frames]))
        compare(name, own, forces[:n_frames], pressures)
    low = LOW.name
    print(f"\nagainst {low}")
    for name in pythons:
        if name in results:
            compare(name, results[name][0], results[low][0])


if __name__ == "__main__":
    main()
