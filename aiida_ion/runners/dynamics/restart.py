"""The restart file: everything that the next step depends on, and how many rows of the arrays were valid."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from ase import Atoms, units

from aiida_ion.runners.output import RunnerError, write_bytes
from aiida_ion.runners.run_inputs import require

if TYPE_CHECKING:
    from aiida_ion.settings.md import MdSettings

Array = np.ndarray[Any, Any]
FORMAT = 1
RESTART = Path("restart.npz")
#: What a continuation must have in common with the run that it continues.
SAME = (
    "temperature_K",
    "timestep_fs",
    "ensemble",
    "thermostat",
    "thermostat_time_fs",
    "pressure_GPa",
    "barostat_time_fs",
    "sample_every",
)


class RunState(NamedTuple):
    """What the restart file holds of one step: atoms with momenta, counts of frames and rows, hidden variables."""

    atoms: Atoms
    counts: dict[str, Any]
    hidden: dict[str, Array]


def write_restart(
    path: Path, atoms: Atoms, settings: MdSettings, counts: dict[str, Any], state: dict[str, Array]
) -> None:
    """Replace the restart file in one step; it is on the disk when this returns.

    :param path: the file.
    :param atoms: positions (angstrom), momenta (ASE units) and cell after the last step.
    :param settings: the MD settings; those that a continuation must share are stored.
    :param counts: step, start_step, n_frames, n_thermo and the potential's fingerprint.
    :param state: hidden variables of integrator and pair list.
    """
    masses = atoms.get_masses()[:, None]
    momenta = atoms.arrays["momenta"]
    content = {
        "format": np.array(FORMAT),
        "numbers": atoms.numbers,
        "positions": atoms.positions,
        "momenta": momenta,
        "velocities_A_fs": momenta / masses * units.fs,
        "cell": np.array(atoms.cell),
        "pbc": atoms.pbc,
        "settings": np.array(json.dumps({name: getattr(settings, name) for name in SAME})),
    }
    stream = io.BytesIO()
    arrays: dict[str, Any] = content | {name: np.array(value) for name, value in counts.items()} | state
    np.savez(stream, **arrays)
    write_bytes(path, stream.getvalue(), durable=True)


def read_restart(path: Path, atoms: Atoms, settings: MdSettings) -> dict[str, Array] | None:
    """Read the restart file, if there is one, and check that it belongs to this run.

    :param path: the file.
    :param atoms: the structure of the inputs.
    :param settings: the MD settings of the inputs.
    :raises RunnerError: ``invalid_input`` for other atoms, other settings, or a file that cannot be read.
    """
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as stored:
            content = {name: stored[name] for name in stored.files}
        require(int(content["format"]) == FORMAT, f"{path.name} has format {content['format']}, not {FORMAT}")
        kept = json.loads(str(content["settings"]))
        same_atoms = np.array_equal(content["numbers"], atoms.numbers)
        complete = {"positions", "momenta", "cell", "step", "start_step", "n_frames", "n_thermo", "potential"}
        require(complete <= content.keys(), f"{path.name} is not complete")
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise RunnerError("invalid_input", f"{path.name} cannot be read: {error!r}") from error
    require(same_atoms, f"{path.name} holds other atoms than structure.json")
    for name in SAME:
        here = getattr(settings, name)
        message = f"{path.name} was written with {name} = {kept.get(name)!r}, the inputs say {here!r}"
        require(kept.get(name) == here, message)
    step, total = int(content["step"]), settings.n_steps
    require(step <= total, f"{path.name} is at step {step}, beyond n_steps = {total} (the total of all segments)")
    return content


def require_same_potential(restart: dict[str, Array], fingerprint: str) -> None:
    """Refuse a restart file of another potential.

    :raises RunnerError: ``invalid_input``.
    """
    other = str(restart["potential"])
    require(other == fingerprint, f"restart.npz was written with the potential '{other}', not '{fingerprint}'")
