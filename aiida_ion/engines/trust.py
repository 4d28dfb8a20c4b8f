"""Files of weights that an engine is given: looked at before they are kept, and trusted only where the user says so."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from aiida import orm

from aiida_ion.calculations.lammps.job import file_fault, resolve_potential
from aiida_ion.calculations.mlip.job import refusal
from aiida_ion.engines.codes import Engine
from aiida_ion.weight_files import look_at


def trusted_hashes(
    entry_point: str,
    potential: Mapping[str, Any],
    checkpoint: Path | None,
    files: Mapping[str, orm.SinglefileData],
    computer: str,
    trusts: bool,
) -> list[str]:
    """Look at the files of an engine, and return the hashes of those that run code and that the user trusts.

    :param entry_point: the MD work chain.
    :param potential: the job input of that name.
    :param checkpoint: file of weights, here.
    :param files: what the commands of a LAMMPS potential read.
    :param computer: label of the computer; a model named by its path can be looked at on this one alone.
    :param trusts: whether the user trusts them.
    :raises ValueError: for a file that cannot be weights, and for one that runs code and is not trusted.
    """
    if entry_point == "ion.md.lammps":
        return _of_commands(potential, files, trusts)
    paths = [checkpoint] if checkpoint is not None else list(_model_file(potential, computer))
    if trusts and not paths:
        raise ValueError(
            "there is no file here to trust: give --checkpoint; what is downloaded, or lies on another computer, is "
            "trusted by 'aiida-ion engine test NAME --trust-checkpoint'"
        )
    return [digest for path in paths for digest in _of_file(path, str(potential.get("name")), trusts)]


def trust(engine: Engine, sha256: str) -> Engine:
    """Note that the user trusts the file of that hash, and no other, with an engine."""
    trusted = sorted({*engine.potential.get("trusted_sha256", []), sha256})
    after = replace(engine, potential=engine.potential | {"trusted_sha256": trusted})
    after.save()
    return after


def _model_file(potential: Mapping[str, Any], computer: str) -> Iterator[Path]:
    """Yield the file that is given as the model, where it is one of this machine."""
    model = potential.get("model")
    if computer == "localhost" and isinstance(model, str) and os.sep in model and Path(model).is_file():
        yield Path(model)


def _of_file(path: Path, name: str, trusts: bool) -> list[str]:
    look = look_at(path, any_format=name == "import")
    if look.fault is not None:
        raise ValueError(f"the checkpoint {path} {look.fault}")
    is_program = name == "nequip"  # compiled, whatever it looks like
    if not (look.runs_code or is_program):
        return []
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    if not trusts:
        danger = look.danger() if look.runs_code else "is loaded as a compiled program"
        raise ValueError(refusal(f"the checkpoint {path.name} {danger}", sha256))
    return [sha256]


def _of_commands(potential: Mapping[str, Any], files: Mapping[str, orm.SinglefileData], trusts: bool) -> list[str]:
    if not potential:
        return []
    resolved = resolve_potential(potential)
    found = []
    for node in files.values():
        with node.open(mode="rb") as stream:
            problem = file_fault(stream, node.filename, resolved)
            stream.seek(0)
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
        if problem is None:
            continue
        trusting = replace(resolved, trusted_sha256=(*resolved.trusted_sha256, sha256))
        with node.open(mode="rb") as stream:
            still = file_fault(stream, node.filename, trusting)
        if still is not None or not trusts:
            raise ValueError(still or problem)
        found.append(sha256)
    return [*resolved.trusted_sha256, *found]
