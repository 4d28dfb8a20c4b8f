"""Energies and forces of given frames by LAMMPS's ``rerun`` of a dump."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aiida_ion.lammps import dumps
from aiida_ion.lammps.inputs import system_commands
from aiida_ion.lammps.logs import judge, read_cost, read_versions
from aiida_ion.lammps.potentials import Potential
from aiida_ion.lammps.structure import Frame

RERUN_INPUT = "rerun.in"
RERUN_FRAMES = "frames.dump"
RERUN_FORCES = "forces.bin"
RERUN_RETRIEVE = ("log.lammps", RERUN_FORCES)

_HALTED = "Fix halt condition for fix-id out_of_time"
_ROW = re.compile(r"^\s*(\d+)\s+\S+\s+(\S+)\s*$", re.MULTILINE)


def write_rerun_input(
    symbols: Sequence[str], potential: Potential, cells: ArrayLike, *, max_seconds: float | None = None
) -> str:
    """Return the text of ``rerun.in``.

    :param symbols: element of every atom.
    :param cells: (n, 3, 3) angstrom, of the frames; the data file holds the first of them.
    :param max_seconds: stop after this wall time, s; results until then are kept.
    :raises ValueError: for an element the potential does not know, or a time limit that is not positive.
    """
    if max_seconds is not None and not max_seconds > 0:
        raise ValueError(f"max_seconds must be positive, got {max_seconds!r}")
    frames = [Frame.of(cell) for cell in np.asarray(cells, dtype=float)]
    lines = system_commands(symbols, potential)
    if any(frame.triclinic for frame in frames) and not frames[0].triclinic:
        lines.insert(lines.index("read_data structure.data") + 1, "change_box all triclinic")
    lines += [
        f"dump forces all custom 1 {RERUN_FORCES} fx fy fz",
        "dump_modify forces sort id flush yes",
        "thermo 1",
        "thermo_style custom step temp pe",
        'thermo_modify format float "%.15g" flush yes lost error',
    ]
    if max_seconds is not None:
        lines += [
            "variable seconds equal cpu",
            f"fix out_of_time all halt 1 v_seconds > {max_seconds:.16g} error hard",
        ]
    lines += [
        f"rerun {RERUN_FRAMES} dump x y z box yes",
        f'print "aiida-ion: stopped at step {len(frames) - 1}"',
    ]
    return "\n".join(lines) + "\n"


def write_frames(
    stream: TextIO, symbols: Sequence[str], potential: Potential, positions: ArrayLike, cells: ArrayLike
) -> None:
    """Write frames as a text dump with steps 0, 1, 2, ..., each rotated to LAMMPS's cell convention.

    :param stream: output stream.
    :param symbols: element of every atom, (N,).
    :param potential: its files may demand an order of the types.
    :param positions: (n, N, 3) angstrom; they are wrapped into the cell.
    :param cells: (n, 3, 3) angstrom, rows are the cell vectors.
    """
    order = potential.type_order(symbols)
    types = [order.index(symbol) + 1 for symbol in symbols]
    frames = [Frame.of(cell) for cell in np.asarray(cells, dtype=float)]
    triclinic = any(frame.triclinic for frame in frames)
    for step, (frame, frame_positions) in enumerate(zip(frames, np.asarray(positions, dtype=float), strict=True)):
        stream.write(f"ITEM: TIMESTEP\n{step}\nITEM: NUMBER OF ATOMS\n{len(symbols)}\n")
        stream.write(_bounds(frame.box, triclinic))
        stream.write("ITEM: ATOMS id type x y z\n")
        rows = zip(types, _wrapped(frame, frame_positions), strict=True)
        stream.writelines(f"{i} {kind} {x:.16g} {y:.16g} {z:.16g}\n" for i, (kind, (x, y, z)) in enumerate(rows, 1))


def read_rerun(folder: Path, cells: ArrayLike, *, log: str, errors: str = "") -> dict[str, Any]:
    """Read the finished frames.

    :param folder: folder with the dump of the forces, which may be absent or truncated.
    :param cells: (n, 3, 3) angstrom, of the frames.
    :return: ``forces`` (m, N, 3) eV/angstrom in the frames' own orientation and ``energies`` (m,) eV of the first m
        of the n frames; ``status``, ``message``, ``cost`` and ``versions`` as for a run.
    """
    cells = np.asarray(cells, dtype=float)
    forces = dumps.read_dump(folder / RERUN_FORCES, {"forces": "fx"}, 0, len(cells) - 1, None, dtype="f8")["forces"]
    energies = _energies(log)
    n_done = min(len(forces), len(energies), len(cells))
    for index in range(n_done):
        forces[index] = Frame.of(cells[index]).from_lammps(forces[index])
    status, message = _ending(log, errors, len(cells), n_done)
    return {
        "status": status,
        "message": message,
        "forces": forces[:n_done],
        "energies": energies[:n_done],
        "cost": read_cost(log) | {"n_steps": n_done},
        "versions": read_versions(log),
    }


def _ending(log: str, errors: str, n_frames: int, n_done: int) -> tuple[str, str]:
    if _HALTED in f"{log}\n{errors}":
        return "walltime", f"the time limit came after {n_done} of {n_frames} frames"
    status, message, _ = judge(log, errors, n_frames - 1)
    if status == "terminated":
        return status, f"LAMMPS was stopped after {n_done} of {n_frames} frames"
    return status, message


def _energies(log: str) -> NDArray[np.float64]:
    """Energies (n,), eV, from the log's table; a truncated last line is left out."""
    start = re.search(r"^\s*Step\s+Temp\s+PotEng\s*$", log, re.MULTILINE)
    rows = _ROW.findall(log[start.end() : log.rfind("\n") + 1]) if start else []
    # Other lines that look like a row do not continue the count of frames.
    return np.array([float(energy) for index, (step, energy) in enumerate(rows) if int(step) == index])


def _wrapped(frame: Frame, positions: NDArray[np.float64]) -> NDArray[np.float64]:
    fractions = frame.to_lammps(positions) @ np.linalg.inv(frame.box)
    wrapped: NDArray[np.float64] = (fractions - np.floor(fractions)) @ frame.box
    return wrapped


def _bounds(box: NDArray[np.float64], triclinic: bool) -> str:
    """Return the box header; for a triclinic box the bounds of the enclosing cuboid (LAMMPS manual, "dump")."""
    if not triclinic:
        return "ITEM: BOX BOUNDS pp pp pp\n" + "".join(f"0.0 {box[k, k]:.16g}\n" for k in range(3))
    xy, xz, yz = box[1, 0], box[2, 0], box[2, 1]
    shifts = (0.0, xy, xz, xy + xz)
    rows = [
        (min(shifts), box[0, 0] + max(shifts), xy),
        (min(0.0, yz), box[1, 1] + max(0.0, yz), xz),
        (0.0, box[2, 2], yz),
    ]
    return "ITEM: BOX BOUNDS xy xz yz pp pp pp\n" + "".join(f"{a:.16g} {b:.16g} {tilt:.16g}\n" for a, b, tilt in rows)
