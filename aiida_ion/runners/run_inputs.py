"""The inputs of a runner, read and checked again before anything is computed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols

from aiida_ion.runners.output import RunnerError
from aiida_ion.settings.md import MdSettings, RelaxSettings
from aiida_ion.settings.watch import RunWatch


def require(condition: bool, message: str) -> None:
    """Refuse the inputs.

    :raises RunnerError: with status ``invalid_input`` where the condition does not hold.
    """
    if not condition:
        raise RunnerError("invalid_input", message)


@dataclass(frozen=True)
class PotentialInputs:
    """Which potential to load, and how.

    :param name: one of the names of :data:`potentials.LOADERS`.
    :param model: name of a published model, a file, or an import path; None for the potential's default.
    :param kwargs: further keyword arguments of the calculator.
    :param device: ``cpu``, ``cuda``, ``cuda:1`` ...
    :param dtype: ``float32``, ``float64``, or None for the potential's own.
    :param threads: threads of the CPU parts.
    :param checkpoint_file: file of weights in the working folder; takes precedence over ``model``.
    :param checkpoint_sha256: sha256 that the weights must have.
    :param trusted_sha256: sha256 of the files that the user trusts to run code when they are loaded.
    """

    name: str
    model: str | None = None
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    device: str = "cpu"
    dtype: str | None = None
    threads: int = 1
    checkpoint_file: str | None = None
    checkpoint_sha256: str | None = None
    trusted_sha256: Sequence[str] = ()

    def __post_init__(self) -> None:
        require(isinstance(self.name, str) and bool(self.name), "potential.name is missing")
        require(self.dtype in (None, "float32", "float64"), "potential.dtype must be float32, float64 or null")
        require(isinstance(self.threads, int) and self.threads > 0, "potential.threads must be at least 1")
        require(isinstance(self.kwargs, Mapping), "potential.kwargs must be a mapping")
        require(isinstance(self.trusted_sha256, (list, tuple)), "potential.trusted_sha256 must be a list")


def read_inputs(path: Path) -> dict[str, Any]:
    """Read ``inputs.json``.

    :raises RunnerError: where it is absent or not a JSON object.
    """
    return _read_object(path)


def md_inputs(inputs: Mapping[str, Any]) -> MdSettings:
    """Return the checked ``md`` settings."""
    given = inputs.get("md")
    require(isinstance(given, Mapping), "inputs.json lacks 'md'")
    try:
        return MdSettings.from_dict(given or {})
    except ValueError as error:
        raise RunnerError("invalid_input", f"inputs.json, 'md': {error}") from error


def relax_inputs(inputs: Mapping[str, Any]) -> RelaxSettings:
    """Return the checked ``relax`` settings; the defaults if there are none."""
    try:
        return RelaxSettings.from_dict(inputs.get("relax") or {})
    except ValueError as error:
        raise RunnerError("invalid_input", f"inputs.json, 'relax': {error}") from error


def potential_inputs(inputs: Mapping[str, Any]) -> PotentialInputs:
    """Return the checked ``potential`` settings; null means the default."""
    given = inputs.get("potential")
    if isinstance(given, Mapping):
        inputs = {"potential": {key: value for key, value in given.items() if value is not None}}
    potential: PotentialInputs = _build(PotentialInputs, inputs, "potential")
    return potential


def read_structure(path: Path) -> Atoms:
    """Read ``structure.json``: numbers, positions (N, 3) and cell (3, 3) in angstrom, pbc (3,).

    :raises RunnerError: for a structure that cannot be simulated.
    """
    return _structure_of(_read_object(path), path.name)


def read_structures(path: Path) -> dict[str, Atoms]:
    """Read ``structures.json``: what :func:`read_structure` reads, by name.

    :raises RunnerError: for a structure that cannot be simulated.
    """
    return {name: _structure_of(content, f"{path.name}, {name},") for name, content in _read_object(path).items()}


def _structure_of(content: Mapping[str, Any], name: str) -> Atoms:
    try:
        atoms = Atoms(
            numbers=content["numbers"],
            positions=content["positions"],
            cell=content["cell"],
            pbc=content["pbc"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise RunnerError("invalid_input", f"{name} is not a structure: {error!r}") from error
    require(len(atoms) > 1, f"{name} needs two atoms at least")
    numbers = np.asarray(atoms.numbers)
    require(bool(((numbers > 0) & (numbers < 119)).all()), f"{name} names elements outside 1..118")
    require(bool(np.isfinite(atoms.positions).all()), f"{name} has positions that are not finite")
    require(not atoms.pbc.any() or abs(atoms.cell.volume) > 1e-3, f"{name} has a cell without volume")
    return atoms


def atom_charges(inputs: Mapping[str, Any], atoms: Atoms) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the formal charge of each atom, (N,) in e; 0 for elements that the inputs do not name."""
    charges = inputs.get("charges") or {}
    require(isinstance(charges, Mapping), "charges must map elements to numbers")
    try:
        by_number = {chemical_symbols.index(symbol): float(charge) for symbol, charge in charges.items()}
    except (ValueError, TypeError) as error:
        raise RunnerError("invalid_input", f"charges must map elements to numbers: {error}") from error
    return np.array([by_number.get(int(number), 0.0) for number in atoms.numbers])


def closest_allowed(inputs: Mapping[str, Any]) -> dict[str, float]:
    """Return the bound of each pair of elements that is watched, angstrom; empty where nothing is."""
    given = inputs.get("closest_allowed_A") or {}
    require(isinstance(given, Mapping), "closest_allowed_A must map pairs of elements to numbers")
    try:
        return RunWatch.from_dict({"bounds_A": dict(given)}).pairs()
    except ValueError as error:
        raise RunnerError("invalid_input", f"inputs.json, 'closest_allowed_A': {error}") from error


def _read_object(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError as error:
        raise RunnerError("invalid_input", f"{path.name} is missing in the working folder") from error
    except ValueError as error:
        raise RunnerError("invalid_input", f"{path.name} is not JSON: {error}") from error
    require(isinstance(content, dict), f"{path.name} must hold a JSON object")
    return dict(content)


def _build(kind: type[Any], inputs: Mapping[str, Any], name: str) -> Any:
    require(isinstance(inputs.get(name), Mapping), f"inputs.json lacks '{name}'")
    try:
        return kind(**inputs[name])
    except TypeError as error:
        raise RunnerError("invalid_input", f"inputs.json, '{name}': {error}") from error
