"""A stand-in for the licensed `vasp` executable: its files, its conventions, and nothing of its physics.

It reads INCAR, POSCAR and POTCAR, moves atoms with a Lennard-Jones potential of round numbers, and writes
vasprun.xml, OUTCAR, CONTCAR and its stream as VASP 6 does, each flushed after every step. What it does with
velocities is what VASP's own output shows (see `aiida_ion/dft/vasp/motion.py`): leap-frog, POSCAR half a step before.

The environment makes it misbehave, each with a value: `STAND_IN_INTEGRATOR=velocity-verlet`, `STAND_IN_VERSION`,
`STAND_IN_STEP_SECONDS`, `STAND_IN_HARD_STEP` (electrons of that step converge with `ALGO = All` only),
`STAND_IN_NEVER_CONVERGES`, `STAND_IN_DIES_AFTER` (kill -9 of itself), `STAND_IN_FAILS_AFTER` (an error of VASP's).
"""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from mock_vasp_physics import BOLTZMANN, EV, Forces, Thermostat  # beside this program, where it runs

OPTIONS = {name.removeprefix("STAND_IN_"): text for name, text in os.environ.items() if name.startswith("STAND_IN_")}


def read_incar() -> dict[str, str]:
    pairs = [line.partition("=") for line in Path("INCAR").read_text().splitlines() if "=" in line]
    return {tag.strip().upper(): value.strip() for tag, _, value in pairs}


class Crystal:
    """POSCAR and the POTCAR that must fit it."""

    def __init__(self) -> None:
        lines = Path("POSCAR").read_text().splitlines()
        self.cell = np.array([[float(x) for x in line.split()] for line in lines[2:5]])
        self.names, self.counts = lines[5].split(), [int(x) for x in lines[6].split()]
        n = sum(self.counts)
        self.symbols = [name for name, count in zip(self.names, self.counts, strict=True) for _ in range(count)]
        table = lambda first: np.array([[float(x) for x in line.split()[:3]] for line in lines[first : first + n]])  # noqa: E731
        self.positions = table(8) @ self.cell
        self.velocities = table(9 + n) if len(lines) > 9 + n else np.zeros((n, 3))
        text = Path("POTCAR").read_text()
        self.titles = re.findall(r"TITEL\s*=\s*(.+)", text)
        self.valences = [float(x) for x in re.findall(r"ZVAL\s*=\s*([\d.]+)", text)]
        if [title.split()[1].partition("_")[0] for title in self.titles] != self.names:
            stop("ERROR: the type information on POSCAR and POTCAR are incompatible\nPOTCAR overwrites the type")

    @property
    def fractional(self) -> Any:
        return (self.positions @ np.linalg.inv(self.cell)) % 1.0


def stop(words: str) -> None:
    print(words, flush=True)
    sys.exit(1)


def electrons(incar: dict[str, str], step: int, energy: float) -> list[float]:
    """Return the energies of the electronic iterations: each a tenth of the distance of the one before."""
    limit, tolerance = int(incar.get("NELM", 60)), float(incar.get("EDIFF", 1e-4))
    hard = OPTIONS.get("HARD_STEP") == str(step) and incar.get("ALGO", "Normal") != "All"
    slow = hard or "NEVER_CONVERGES" in OPTIONS
    energies: list[float] = []
    while len(energies) < limit:
        energies.append(energy + 10.0 * (0.99 if slow else 0.1) ** len(energies))
        if len(energies) > 1 and abs(energies[-1] - energies[-2]) < tolerance:
            break
    return energies


def rows(array: Any, width: int = 16) -> str:
    return "".join("   <v>" + "".join(f"{x:{width}.8f}" for x in row) + " </v>\n" for row in array)


def write_header(xml: TextIO, outcar: TextIO, incar: dict[str, str], crystal: Crystal, masses: list[float]) -> None:
    version = OPTIONS.get("VERSION", "6.4.3")
    used = {"NELM": "60", "EDIFF": "1E-4", "MDALGO": "0", "ENMAX": incar.get("ENCUT", "0")} | incar
    used["NELECT"] = str(sum(z * n for z, n in zip(crystal.valences, crystal.counts, strict=True)))
    tags = "".join(f'  <i name="{tag}">{value}</i>\n' for tag, value in used.items())
    kinds = "".join(
        f"    <rc><c>{n:4d}</c><c>{name:2s}</c><c>{mass:16.8f}</c><c>{z:16.8f}</c><c> {title:38s}</c></rc>\n"
        for n, name, mass, z, title in zip(
            crystal.counts, crystal.names, masses, crystal.valences, crystal.titles, strict=True
        )
    )
    xml.write(
        '<?xml version="1.0" encoding="ISO-8859-1"?>\n<modeling>\n <generator>\n'
        f'  <i name="program" type="string">vasp </i>\n  <i name="version" type="string">{version}  </i>\n'
        f" </generator>\n <incar>\n{tags} </incar>\n"
        ' <kpoints>\n  <varray name="kpointlist" >\n   <v> 0.0 0.0 0.0 </v>\n  </varray>\n </kpoints>\n'
        f' <parameters>\n{tags} </parameters>\n <atominfo>\n  <array name="atomtypes" >\n   <set>\n{kinds}'
        "   </set>\n  </array>\n </atominfo>\n"
    )
    outcar.write(f" vasp.{version} stand-in\n running    1 mpi-ranks, with    1 threads/rank, on    1 nodes\n")
    if incar.get("MDALGO") == "2":
        mass = float(incar["SMASS"]) * np.linalg.norm(crystal.cell[0]) ** 2
        energy = 2 * (3 * sum(crystal.counts) - 3) * BOLTZMANN * float(incar["TEBEG"])
        period = 2 * np.pi * np.sqrt(mass / EV / energy) / float(incar["POTIM"])
        outcar.write(
            f"   estimated Nose-frequenzy (Omega)   =  0.10E+01 period in steps = {period:7.2f} mass=   0.1E-27\n"
        )


def write_step(
    xml: TextIO,
    outcar: TextIO,
    crystal: Crystal,
    scf: list[float],
    energy: float,
    forces: Any,
    stress_kbar: Any,
    kinetic: float | None,
    seconds: float,
) -> None:
    xml.write(" <calculation>\n")
    for iteration in scf:
        item = f'    <i name="e_fr_energy"> {iteration:16.8f} </i>\n'
        xml.write(
            f'  <scstep>\n   <time name="total"> 0.00 0.00</time>\n   <energy>\n{item}   </energy>\n  </scstep>\n'
        )
    xml.write(
        f'  <structure>\n   <crystal>\n    <varray name="basis" >\n{rows(crystal.cell)}    </varray>\n   </crystal>\n'
    )
    xml.write(f'   <varray name="positions" >\n{rows(crystal.fractional)}   </varray>\n  </structure>\n')
    xml.write(f'  <varray name="forces" >\n{rows(forces)}  </varray>\n')
    xml.write(f'  <varray name="stress" >\n{rows(stress_kbar)}  </varray>\n  <energy>\n')
    xml.write(f'   <i name="e_fr_energy"> {energy:16.8f} </i>\n')
    if kinetic is not None:
        xml.write(f'   <i name="kinetic"> {kinetic:16.8f} </i>\n   <i name="total"> {energy + kinetic:16.8f} </i>\n')
    xml.write(f'  </energy>\n  <time name="totalsc"> {seconds:7.2f} {seconds:7.2f}</time>\n </calculation>\n')
    outcar.write(f"  free  energy   TOTEN  = {energy:18.8f} eV\n")
    outcar.write(f"     LOOP+:  cpu time {seconds:10.4f}: real time {seconds:10.4f}\n")
    xml.flush()
    outcar.flush()


def write_contcar(crystal: Crystal, velocities: Any) -> None:
    lines = ["stand-in", "1.0", *(" ".join(f"{x:.16f}" for x in row) for row in crystal.cell)]
    lines += [" ".join(crystal.names), " ".join(map(str, crystal.counts)), "Direct"]
    lines += [" ".join(f"{x:.16f}" for x in row) for row in crystal.fractional]
    lines += ["", *(" ".join(f"{x:.8E}" for x in row) for row in velocities)]
    Path("CONTCAR").write_text("\n".join(lines) + "\n")


def misbehave(step: int) -> None:
    time.sleep(float(OPTIONS.get("STEP_SECONDS", 0)))
    if OPTIONS.get("DIES_AFTER") == str(step):
        os.kill(os.getpid(), signal.SIGKILL)
    if OPTIONS.get("FAILS_AFTER") == str(step):
        stop(" Error EDDDAV: Call to ZHEGV failed. Returncode =   7 2   8")


def asked_to_stop() -> bool:
    return Path("STOPCAR").exists() and "LSTOP = .TRUE." in Path("STOPCAR").read_text()


def main() -> None:
    start, incar, crystal = time.time(), read_incar(), Crystal()
    by_kind = [float(x) for x in incar["POMASS"].split()] if "POMASS" in incar else [1.0] * len(crystal.names)
    masses = np.repeat(by_kind, crystal.counts)
    forces_at, thermostat, dt = (
        Forces(crystal.cell, crystal.symbols),
        Thermostat(incar, masses),
        float(incar.get("POTIM", 0)),
    )
    md, n_steps, limit = incar["IBRION"] == "0", max(int(incar["NSW"]), 1), abs(float(incar.get("EDIFFG", 0)))
    half_step = OPTIONS.get("INTEGRATOR") != "velocity-verlet" and incar.get("MDALGO") != "3"
    v = crystal.velocities
    print(" running    1 mpi-ranks, with    1 threads/rank, on    1 nodes", flush=True)
    with Path("vasprun.xml").open("w") as xml, Path("OUTCAR").open("w") as outcar:
        write_header(xml, outcar, incar, crystal, by_kind)
        for step in range(n_steps):
            begun = time.time()
            energy, forces = forces_at(crystal.positions)
            half_kick = 0.5 * dt * forces / masses[:, None] * EV
            if md and (half_step or step):
                v = v + half_kick  # v(t - dt/2) -> v(t); a synchronous start has it already
            v = thermostat(v, float(np.linalg.norm(crystal.cell[0]))) if md else v
            scf = electrons(incar, step, energy)
            seconds = time.time() - begun
            kinetic = thermostat.kinetic(v) if md else None
            write_step(xml, outcar, crystal, scf, energy, forces, forces_at.stress_kbar, kinetic, seconds)
            if not md and np.linalg.norm(forces, axis=1).max() <= limit:
                print(" reached required accuracy - stopping structural energy minimisation", flush=True)
                break
            v = v + half_kick if md else v
            crystal.positions = crystal.positions + (v * dt if md else 0.04 * forces)
            write_contcar(crystal, v)
            misbehave(step)
            if asked_to_stop():
                print("soft stop encountered!  aborting job ...", flush=True)
                break
        xml.write(
            f' <structure name="finalpos" >\n  <varray name="positions" >\n{rows(crystal.fractional)}  </varray>\n'
        )
        xml.write(" </structure>\n</modeling>\n")
        outcar.write(
            "\n General timing and accounting informations for this job:\n"
            f"                  Total CPU time used (sec): {time.process_time():12.3f}\n"
            f"                         Elapsed time (sec): {time.time() - start:12.3f}\n"
            "                   Maximum memory used (kb):       65536.\n"
        )


if __name__ == "__main__":
    main()
