"""Finding what a potential is made of: its package and its file of weights, with errors that say what to do."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from output import RunnerError, sha256_of
from run_inputs import PotentialInputs, require

#: A download that stalls this long is given up, s.
DOWNLOAD_TIMEOUT_S = 30.0
FILE_ADVICE = "download them where there is a network and give the file as checkpoint_file"


def import_module(name: str, install: str) -> Any:
    """Import a module of a potential's package.

    :raises RunnerError: ``engine_import_failed``, naming the command that mends it.
    """
    try:
        return importlib.import_module(name)
    except (ImportError, OSError) as error:
        remedy = f"run 'pip install {install}' in the environment of this Python ({sys.executable})"
        message = f"The module {name} cannot be imported ({error}); {remedy}."
        raise RunnerError("engine_import_failed", message) from error


def start_torch(inputs: PotentialInputs, install: str) -> Any:
    """Import torch with the threads the inputs name, and see that the device is there.

    :raises RunnerError: ``engine_import_failed``, or ``invalid_input`` for a GPU that is not seen.
    """
    torch = import_module("torch", install)
    torch.set_num_threads(inputs.threads)
    if inputs.device.startswith("cuda"):
        seen = torch.cuda.device_count() if torch.cuda.is_available() else 0
        index = inputs.device.partition(":")[2] or "0"
        require(index.isdigit() and int(index) < seen, f"device {inputs.device} is not there: {seen} GPU(s) seen")
    return torch


def given_file(inputs: PotentialInputs) -> Path | None:
    """Return the file of weights the inputs name, by ``checkpoint_file`` or as a path in ``model``."""
    if inputs.checkpoint_file is not None:
        path = Path(inputs.checkpoint_file)
    elif inputs.model is not None and (Path(inputs.model).is_file() or _looks_like_path(inputs.model)):
        path = Path(inputs.model)
    else:
        return None
    if not path.is_file():
        advice = "give the file with the inputs, or an absolute path that exists on the compute machine"
        raise RunnerError("checkpoint_missing", f"There is no checkpoint file {path}; {advice}.")
    return path


def _looks_like_path(model: str) -> bool:
    suffixes = (".pth", ".pt", ".pt2", ".model", ".ckpt", ".tar", ".zip", ".json", ".pickle")
    return os.sep in model or model.endswith(suffixes)


def verified_checkpoint(inputs: PotentialInputs, path: Path, name: str | None = None) -> dict[str, str | None]:
    """Return name and sha256 of the weights.

    :raises RunnerError: ``checkpoint_mismatch`` where the inputs expect another hash.
    """
    found = sha256_of(path)
    if inputs.checkpoint_sha256 is not None and found != inputs.checkpoint_sha256.lower():
        message = (
            f"The checkpoint {path.name} has sha256 {found}, but {inputs.checkpoint_sha256} was expected; "
            "give the file that was meant, or the hash of this one."
        )
        raise RunnerError("checkpoint_mismatch", message)
    return {"name": name or path.name, "sha256": found}


@contextlib.contextmanager
def finding_weights(model: str, advice: str) -> Iterator[None]:
    """Turn whatever a library raises while it looks for, or downloads, its weights into one clear error."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(DOWNLOAD_TIMEOUT_S)
    try:
        yield
    except RunnerError:
        raise
    except Exception as error:
        message = f"The weights of {model} are not on this machine and could not be downloaded ({error}): {advice}."
        raise RunnerError("checkpoint_missing", message) from error
    finally:
        socket.setdefaulttimeout(before)


def has_module(name: str) -> bool:
    """Return whether a module could be imported; its parent packages are."""
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False
