"""From the options of the command line to the potential of an ASE engine, and trust in its file of weights."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from aiida_ion.calculations.mlip.job import PINNED, POTENTIALS, refusal
from aiida_ion.weight_files import look_at
from aiida_ion.workchains.md.requests import EngineSetup

#: Options that are settings of the potential.
SETTINGS = ("model", "kwargs", "device", "dtype")


def read_potential(setup: EngineSetup) -> dict[str, Any]:
    """Return potential and checkpoint from the options of ``aiida-ion engine add``.

    :raises ValueError: without a potential that the runner knows.
    """
    if setup.potential not in POTENTIALS:
        raise ValueError(f"give --potential, one of {', '.join(POTENTIALS)}")
    potential = {"name": setup.potential} | {name: getattr(setup, name) for name in SETTINGS}
    return {"potential": potential, "checkpoint": setup.checkpoint}


def with_model(choices: Mapping[str, Any], changed: Mapping[str, Any]) -> dict[str, Any]:
    """Return the choices with another model or device; another model is not held to the weights of the engine's own.

    :param choices: with ``potential`` and perhaps ``checkpoint``.
    :param changed: settings of the potential for one run.
    """
    own = choices["potential"]
    chosen = {**choices, "potential": {**own, **changed}}
    if changed.get("model") not in (None, own.get("model")):
        chosen["potential"] = {name: value for name, value in chosen["potential"].items() if name not in PINNED}
        chosen.pop("checkpoint", None)
        chosen.pop("watch", None)
    return chosen


def trusted_weights(kept: Mapping[str, Any], computer: str, trusts: bool) -> list[str]:
    """Return the hashes of the files of weights that run code and that the user trusts.

    :param kept: ``potential`` and ``checkpoint``, a path or nothing.
    :param computer: label of the computer; a model named by its path can be checked only on this one.
    :param trusts: whether the user trusts them.
    :raises ValueError: for a file that cannot be weights, and for one that runs code and is not trusted.
    """
    potential, checkpoint = kept["potential"], kept.get("checkpoint")
    paths = [checkpoint] if checkpoint is not None else list(_model_file(potential, computer))
    if trusts and not paths:
        raise ValueError(
            "there is no file here to trust: give --checkpoint; what is downloaded, or lies on another computer, is "
            "trusted by 'aiida-ion engine test NAME --trust-checkpoint'"
        )
    return [sha256 for path in paths for sha256 in _trusted(path, str(potential.get("name")), trusts)]


def _model_file(potential: Mapping[str, Any], computer: str) -> Iterator[Path]:
    """Yield the file that is given as the model, where it is one of this machine."""
    model = potential.get("model")
    if computer == "localhost" and isinstance(model, str) and os.sep in model and Path(model).is_file():
        yield Path(model)


def _trusted(path: Path, name: str, trusts: bool) -> list[str]:
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
