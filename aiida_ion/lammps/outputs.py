"""Results of a LAMMPS run, as arrays in the orientation of the structure and in this package's units."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aiida_ion.lammps import dumps
from aiida_ion.lammps.explosions import finite_part, sign_of_explosion
from aiida_ion.lammps.inputs import FRAMES, LAST_FRAME, LAST_RESTART, RELAX_FRAMES, RESTARTS, THERMO
from aiida_ion.lammps.logs import LEFT_TRAINING, judge, read_cost, read_versions
from aiida_ion.lammps.structure import Frame
from aiida_ion.settings.md import MdSettings
from aiida_ion.thermo_fields import NPT_FIELDS, thermo_dtype
from aiida_ion.units import FS_PER_PS, GPA_PER_BAR

#: Status of a program that crashed, or stopped with an error of its own.
CRASHED = "engine_failed"


@dataclass
class MdOutputs:
    """One segment.

    :param status: ``finished``, ``walltime``, ``terminated``, ``exploded``, ``left_training``, ``invalid_input``,
        ``engine_import_failed``, ``out_of_memory`` or ``engine_failed``.
    :param message: one sentence on what happened and what to do.
    :param steps: (n,) global steps of the frames; the first step of a continued segment is not among them.
    :param positions: (n, N, 3) float32, unwrapped, angstrom.
    :param extra: optional arrays: ``velocities`` in angstrom/fs, ``forces`` in eV/angstrom, (n, N, 3) float32.
    :param cells: (n, 3, 3) angstrom for ``npt``, else (3, 3).
    :param thermo: structured array, one row per step.
    :param state: arrays for an exact continuation (``positions`` angstrom, ``velocities_A_fs``, ``cell``,
        ``step``, ``restart`` = the bytes of LAMMPS's restart file); empty when nothing was saved.
    :param versions: versions of the programs.
    :param cost: wall and CPU time (s), memory (MiB), steps a second.
    """

    status: str
    message: str
    start_step: int
    last_step: int
    steps: NDArray[np.int64]
    positions: NDArray[np.float32]
    cells: NDArray[np.float64]
    thermo: NDArray[np.void]
    state: dict[str, NDArray[Any]]
    extra: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    cost: dict[str, Any] = field(default_factory=dict)


def read_md(
    folder: Path,
    cell: ArrayLike,
    settings: MdSettings,
    *,
    log: str,
    errors: str = "",
    start_step: int = 0,
    continued: bool = False,
    into: Path | None = None,
) -> MdOutputs:
    """Read one segment.

    :param folder: folder of the run's files; any may be absent or truncated.
    :param cell: rows are the cell vectors in the data file of the first segment, before rotation, angstrom.
    :param log: text of LAMMPS's log (its screen will do).
    :param errors: text of the standard error.
    :param start_step: global step of the restart file from which a continued segment started.
    :param continued: the segment started from a restart file, so its first step belongs to the previous one.
    :param into: folder for the large arrays as memory-mapped ``.npy`` files; in memory when None.
    :raises ValueError: if frames or rows of a finished run are missing.
    """
    status, message, stopped = judge(log, errors, settings.n_steps)
    state = read_state(folder, cell, before=stopped if status == LEFT_TRAINING else None)
    last = stopped if stopped is not None else int(state.get("step", start_step))
    first = start_step + 1 if continued else start_step
    frame = Frame.of(cell)
    broken = _read_broken(folder, cell, first, settings) if status in ("exploded", CRASHED) else None
    if broken is not None and (status == "exploded" or broken.sign is not None):
        if status == CRASHED:
            status, message = "exploded", f"the run exploded ({broken.sign}) and LAMMPS crashed: {message}"
        data, thermo = broken.data, broken.thermo
        last = int(max([start_step, *thermo["step"][-1:], *data["steps"][-1:]]))
        if state and state["positions"].shape[:1] != data["positions"].shape[1:2]:
            state = {}  # it was written after atoms were lost
    else:
        thermo = read_thermo(folder / THERMO, cell, first, last, npt=settings.ensemble == "npt")
        data = dumps.read_dump(folder / FRAMES, _columns(settings), first, last, into)
        fault = _gap(first, last, data["steps"], thermo["step"], settings.sample_every)
        if fault is not None and status == "finished":
            raise ValueError(fault)
        if fault is not None and stopped is None and state:
            # An incomplete segment cannot be continued without a gap: it counts as without progress and is repeated.
            message, state, last = f"{message}; {fault}", {}, start_step
            thermo, data = thermo[:0], dumps.read_dump(folder / FRAMES, _columns(settings), 0, -1, into)
        if status == LEFT_TRAINING and last % settings.sample_every:
            data = dumps.with_frame(data, folder / LAST_FRAME, _columns(settings), last)
        _turn_back(data, frame)
    return MdOutputs(
        status=status,
        message=message,
        start_step=start_step,
        last_step=last,
        steps=data["steps"],
        positions=data["positions"],
        cells=_cells(data["boxes"], frame) if settings.ensemble == "npt" else frame.cell,
        extra={name: data[name] for name in settings.keep},
        thermo=thermo,
        state=state,
        versions=read_versions(log),
        cost=read_cost(log),
    )


class _Broken(NamedTuple):
    """What a run without an orderly end left, up to the first number that is none; sign of an explosion, if any."""

    data: dict[str, Any]
    thermo: NDArray[np.void]
    sign: str | None


def _read_broken(folder: Path, cell: ArrayLike, first: int, settings: MdSettings) -> _Broken:
    """Read every whole frame and row of a run that exploded or crashed, also those after its last restart file."""
    npt = settings.ensemble == "npt"
    data = dumps.read_dump(folder / FRAMES, _columns(settings), first, None, None)
    data, thermo = finite_part(data, read_thermo(folder / THERMO, cell, first, None, npt=npt))
    frame = Frame.of(cell)
    _turn_back(data, frame)
    cells = _cells(data["boxes"], frame) if npt else frame.cell
    return _Broken(data, thermo, sign_of_explosion(data["steps"], data["positions"], cells, thermo, settings))


def read_state(folder: Path, cell: ArrayLike, before: int | None = None) -> dict[str, NDArray[Any]]:
    """Return the newest state with complete restart file and positions; empty if there is none.

    :param before: only of steps before this one.
    """
    frame = Frame.of(cell)
    steps = {path: dumps.restart_step(path) for path in map(folder.joinpath, (LAST_RESTART, *RESTARTS))}
    for path, step in sorted(steps.items(), key=lambda item: -1 if item[1] is None else item[1], reverse=True):
        saved = folder / f"state.{step}.bin"
        if step is None or (before is not None and step >= before) or not saved.is_file():
            continue
        data = dumps.read_dump(saved, {"positions": "xu", "velocities": "vx"}, step, step, None, dtype="f8")
        if len(data["steps"]) == 1:
            return {
                "positions": frame.from_lammps(data["positions"][0]),
                "velocities_A_fs": frame.from_lammps(data["velocities"][0]) / FS_PER_PS,
                "cell": _cells(data["boxes"], frame)[0],
                "step": np.array(step, dtype=np.int64),
                "restart": np.frombuffer(path.read_bytes(), dtype=np.uint8),
            }
    return {}


def read_thermo(path: Path, cell: ArrayLike, first: int, last: int | None, *, npt: bool) -> NDArray[np.void]:
    """Return the rows of steps ``first`` to ``last`` (all if None) as a structured array, without a truncated line."""
    table = _read_table(path, 8 + 2 * npt)
    table = table[(table[:, 0] >= first) & (table[:, 0] <= (np.inf if last is None else last))]
    table = table[np.flatnonzero(np.diff(table[:, 0], prepend=-1) > 0)]
    thermo = np.zeros(len(table), dtype=thermo_dtype(NPT_FIELDS if npt else ()))
    for name, column in (("step", 0), ("potential_energy_eV", 1), ("kinetic_energy_eV", 2)):
        thermo[name] = table[:, column]
    thermo["temperature_K"], thermo["max_force_eV_A"] = table[:, 3], table[:, 4]
    thermo["charge_current_e_A_fs"] = Frame.of(cell).from_lammps(table[:, 5:8]) / FS_PER_PS
    if npt:
        thermo["pressure_GPa"], thermo["volume_A3"] = table[:, 8] * GPA_PER_BAR, table[:, 9]
    return thermo


def read_relax(folder: Path, cell: ArrayLike, *, log: str, errors: str = "", max_force_eV_A: float) -> dict[str, Any]:
    """Read a relaxation.

    :return: ``status`` (``finished``, ``not_converged`` or as for :class:`MdOutputs`), ``message``,
        ``converged``, ``n_iterations``, and for ``initial_`` and ``final_``: ``energy_eV``,
        ``max_force_eV_A``, ``positions`` (N, 3) angstrom, ``forces`` (N, 3) eV/angstrom; ``versions``, ``cost``.
    """
    energies = re.findall(r"^aiida-ion: (initial|final) energy_eV (\S+) max_force_eV_A (\S+)", log, re.MULTILINE)
    result: dict[str, Any] = {"versions": read_versions(log), "cost": read_cost(log), "converged": False}
    frame = Frame.of(cell)
    for (when, energy, force), name in zip(energies, RELAX_FRAMES, strict=False):
        data = dumps.read_dump(folder / name, {"positions": "xu", "forces": "fx"}, 0, None, None, dtype="f8")
        result[f"{when}_energy_eV"], result[f"{when}_max_force_eV_A"] = float(energy), float(force)
        if len(data["steps"]):
            result[f"{when}_positions"] = frame.from_lammps(data["positions"][0])
            result[f"{when}_forces"] = frame.from_lammps(data["forces"][0])
    result["n_iterations"] = sum(int(n) for n in re.findall(r"Iterations, force evaluations = (\d+)", log))
    if "final_positions" not in result:
        status, message, _ = judge(log, errors, 0)
        return result | {"status": status, "message": message}
    result["converged"] = result["final_max_force_eV_A"] <= max_force_eV_A * (1 + 1e-6)
    status = "finished" if result["converged"] else "not_converged"
    return result | {
        "status": status,
        "message": f"largest force {result['final_max_force_eV_A']:.3g} eV/angstrom",
    }


def _gap(first: int, last: int, frames: NDArray[np.int64], rows: NDArray[np.int64], every: int) -> str | None:
    """Return what is missing between two steps: a file truncated or still being written when it was copied."""
    expected = np.arange(-(-first // every) * every, last + 1, every)
    if not np.array_equal(frames, expected):
        return f"the dump holds {len(frames)} of the {len(expected)} frames up to step {last}"
    if not np.array_equal(rows, np.arange(first, last + 1)):
        return f"the thermodynamic file holds {len(rows)} of the {last + 1 - first} rows up to step {last}"
    return None


def _columns(settings: MdSettings) -> dict[str, str]:
    columns = {"positions": "xu"}
    columns |= {"velocities": "vx"} if "velocities" in settings.keep else {}
    return columns | ({"forces": "fx"} if "forces" in settings.keep else {})


def _turn_back(data: dict[str, Any], frame: Frame, batch: int = 256) -> None:
    """Rotate the frames back in place, in chunks to save memory."""
    for name, unit in (("positions", 1.0), ("velocities", 1.0 / FS_PER_PS), ("forces", 1.0)):
        array = data.get(name)
        if array is None or (unit == 1.0 and np.array_equal(frame.rotation, np.eye(3))):
            continue
        for start in range(0, len(array), batch):
            chunk = slice(start, start + batch)
            array[chunk] = frame.from_lammps(array[chunk]) * unit


def _cells(boxes: NDArray[np.float64], frame: Frame) -> NDArray[np.float64]:
    """Cells from box lengths (n, 3): the barostat is isotropic, so one ratio is enough."""
    ratio = boxes[:, 0] / frame.box[0, 0]
    cells: NDArray[np.float64] = ratio[:, None, None] * frame.cell
    return cells


def _read_table(path: Path, width: int) -> NDArray[np.float64]:
    if not path.is_file():
        return np.zeros((0, width))
    with path.open() as stream:
        rows: Sequence[str] = [line for line in stream if not line.startswith("#") and line.endswith("\n")]
    rows = list(rows[:-1]) + [line for line in rows[-1:] if len(line.split()) == width]
    return np.loadtxt(rows, ndmin=2) if rows else np.zeros((0, width))
