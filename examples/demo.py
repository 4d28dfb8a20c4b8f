"""Three conductors, one table, and DFT beside a potential: what `make demo` runs.

It types the commands that a user would, so each can be tried again by hand with the profile that it leaves behind.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
from importlib.resources import files
from pathlib import Path

from ase.io import write
from ase.spacegroup import crystal

BIN = Path(sys.executable).parent
PROFILE = "ion-demo"
#: Lattice constant of lithium oxide at zero pressure and 1200 K with this potential, angstrom.
ANTIFLUORITE_A = 4.87
#: Where Debian's package of Quantum ESPRESSO keeps its pseudopotentials.
PSEUDOS = [
    Path("/usr/share/espresso/pseudo") / name
    for name in ("Li.pbesol-s-kjpaw_psl.0.2.1.UPF", "O.pbesol-n-kjpaw_psl.0.1.UPF")
]


def main() -> None:
    home = Path(os.environ["AIIDA_PATH"])
    home.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()

    step("a profile (SQLite, no service), the engines, and the daemon")
    ion("setup", "--profile-name", PROFILE)

    step("a few steps of SevenNet-0: what it is, and the sha256 of its checkpoint, which every run will ask for")
    ion("engine", "test", "sevenn")

    step("lithium oxide in LAMMPS: an antifluorite that is superionic here from about 1000 K, at five temperatures")
    ion(
        *("run", str(lithium_oxide(home)), "--engine", "lammps", "--potential", "pedone-2006"),
        *("--protocol", "fast", "--temperatures", "1100,1175,1250,1325,1400", "--target-temperature-K", "500"),
        *("--supercell", "2,2,2"),
        *("--time-ps", "40", "--equilibration-ps", "5", "--sample-every", "25", "--max-concurrent", "1"),
    )

    step("alpha-Li3N with SevenNet-0: real forces, far too short to diffuse, and the table will say so")
    ion(
        *("run", str(lithium_nitride(home)), "--engine", "sevenn", "--protocol", "fast"),
        *("--temperatures", "800,1000,1200", "--supercell", "2,2,2"),
        *("--time-ps", "0.1", "--equilibration-ps", "0.02", "--sample-every", "2", "--max-concurrent", "1"),
    )

    step("Li6PS5Cl: a published trajectory that ships with kinisi (its time step is not in the file: 2 fs assumed)")
    argyrodite = files("kinisi") / "tests" / "inputs" / "example_XDATCAR.gz"
    ion(
        *("import", str(argyrodite), "--timestep-fs", "2", "--sample-every", "50", "--temperature-K", "500"),
        *("--level-of-theory", "published trajectory (kinisi)", "--mobile-species", "Li"),
    )

    side_by_side(home)

    step("progress")
    ion("status", "--watch")

    step(f"the table, after {(time.monotonic() - start) / 60:.1f} minutes")
    ion("table")
    if shutil.which("pw.x"):
        step("DFT and SevenNet-0 side by side: conductivities, forces on the frames of the DFT run, and cost")
        ion("compare")
    print(further(home))


def side_by_side(home: Path) -> None:
    """Run lithium oxide with DFT and with SevenNet, where there is a pw.x."""
    missing = [path.name for path in PSEUDOS if not path.exists()]
    if shutil.which("pw.x") is None or missing:
        step(f"DFT is left out: {f'no {missing[0]} in {PSEUDOS[0].parent}' if missing else 'pw.x is not on the PATH'}")
        return
    step("a few steps of Quantum ESPRESSO, with the PBEsol PAW pseudopotentials that come with it")
    pseudos = [item for path in PSEUDOS for item in ("--pseudos", str(path))]
    ion(
        *("engine", "add", "quantumespresso", "--executable", "pw.x", *pseudos),
        *("--ecutwfc-Ry", "30", "--ecutrho-Ry", "240"),
    )
    ion("engine", "test", "quantumespresso")
    step("the same lithium oxide, temperature, time step and starting velocities with DFT and with SevenNet-0")
    print("(one cell at the Gamma point, thirty steps: to see how it goes, too small and too short to conclude from)")
    ion(
        *("run", str(lithium_oxide(home)), "--engine", "quantumespresso", "--engine", "sevenn"),
        *("--protocol", "fast", "--temperatures", "1200", "--supercell", "1,1,1", "--no-relax"),
        *("--timestep-fs", "1.5", "--time-ps", "0.045", "--equilibration-ps", "0.006", "--sample-every", "1"),
    )


def step(text: str) -> None:
    print(f"\n=== {text}", flush=True)


def ion(*arguments: str) -> None:
    """Run one command of the command line, shown as it would be typed."""
    profile = [] if arguments[0] == "setup" else ["--profile", PROFILE]
    command = ["aiida-ion", *arguments, *profile]
    print("$", shlex.join(command), flush=True)
    done = subprocess.run([str(BIN / command[0]), *command[1:]], check=False)
    if done.returncode:
        sys.exit(f"the demo ends here: `{shlex.join(command)}` failed")


def lithium_oxide(folder: Path) -> Path:
    """Return Li2O, Fm-3m, as a CIF."""
    cell = [ANTIFLUORITE_A] * 3 + [90] * 3
    path = folder / "Li2O.cif"
    write(path, crystal(["O", "Li"], [(0, 0, 0), (0.25, 0.25, 0.25)], spacegroup=225, cellpar=cell))
    return path


def lithium_nitride(folder: Path) -> Path:
    """Return alpha-Li3N, P6/mmm, from its Wyckoff sites, as a CIF."""
    sites = [(0, 0, 0.5), (1 / 3, 2 / 3, 0), (0, 0, 0)]
    atoms = crystal(["Li", "Li", "N"], sites, spacegroup=191, cellpar=[3.648, 3.648, 3.875, 90, 90, 120])
    path = folder / "Li3N.cif"
    write(path, atoms)
    return path


def further(home: Path) -> str:
    return f"""
Look further:
  export AIIDA_PATH={home} PATH={BIN}:$PATH
  aiida-ion status --all            what ran, and how it ended
  aiida-ion show PK                 one result: numbers, checks, and where it came from
  verdi process list -a             all processes, with their PKs
  verdi process report PK           what a process said
  verdi node graph generate PK      the graph from the conductivity back to the crystal, as a PDF
  verdi daemon stop                 stop the daemon when you are done
"""


if __name__ == "__main__":
    main()
