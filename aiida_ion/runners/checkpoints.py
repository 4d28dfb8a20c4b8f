"""The package of a potential and its file of weights, with errors that say what to do."""

from __future__ import annotations

import base64
import contextlib
import importlib
import importlib.metadata
import importlib.util
import os
import pickle
import re
import socket
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from aiida_ion.runners.output import RunnerError, sha256_of
from aiida_ion.runners.run_inputs import PotentialInputs, require
from aiida_ion.weight_files import look_at

#: ``name`` and ``sha256`` of weights, and ``loaded_as``: one of the three below.
Checkpoint = dict[str, str | None]
WEIGHTS_ONLY, TRUSTED, INSTALLED = "weights only", "code trusted by the user", "code installed with its package"
#: Potentials whose file of weights is one of torch.
TORCH_ONLY = ("sevenn", "mace", "chgnet", "nequip", "mattersim", "orb")
#: Potentials whose file is a program.
ALWAYS_CODE = ("nequip",)
#: Parts of torch's messages about files that are broken, or of another model.
BROKEN = re.compile(r"PytorchStreamReader|zip archive|loading state_dict|unexpected EOF", re.IGNORECASE)
#: Variables that tell torch whether pickles may run code: one forbids it, one allows it.
FORCING = ("TORCH_FORCE_WEIGHTS_ONLY_LOAD", "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD")

#: A download that stalls for this long is aborted, s.
DOWNLOAD_TIMEOUT_S = 30.0
FILE_ADVICE = "download them where there is a network and give the file as checkpoint_file"


def import_module(name: str, install: str) -> Any:
    """Import a module of a potential's package.

    :raises RunnerError: ``engine_import_failed``, naming the command that fixes it.
    """
    try:
        return importlib.import_module(name)
    except (ImportError, OSError) as error:
        remedy = f"run 'pip install {install}' in the environment of this Python ({sys.executable})"
        message = f"The module {name} cannot be imported ({error}); {remedy}."
        raise RunnerError("engine_import_failed", message) from error


def start_torch(inputs: PotentialInputs, install: str) -> Any:
    """Import torch with the requested threads, and check that the device exists.

    :raises RunnerError: ``engine_import_failed``, or ``invalid_input`` for a GPU that torch does not see.
    """
    torch = import_module("torch", install)
    torch.set_num_threads(inputs.threads)
    if inputs.device.startswith("cuda"):
        seen = torch.cuda.device_count() if torch.cuda.is_available() else 0
        index = inputs.device.partition(":")[2] or "0"
        require(index.isdigit() and int(index) < seen, f"device {inputs.device} is not there: {seen} GPU(s) seen")
    return torch


def given_file(inputs: PotentialInputs) -> Path | None:
    """Return the file of weights that the inputs name by ``checkpoint_file`` or as a path in ``model``."""
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


def verified_checkpoint(inputs: PotentialInputs, path: Path, name: str | None = None) -> Checkpoint:
    """Return name and sha256 of the weights, and how they may be loaded; they are not loaded here.

    :raises RunnerError: ``checkpoint_mismatch`` where the inputs expect another hash, ``checkpoint_unreadable`` for
        what cannot be weights, ``checkpoint_untrusted`` for a file that runs code and is not trusted.
    """
    digest = sha256_of(path)
    if inputs.checkpoint_sha256 is not None and digest != inputs.checkpoint_sha256.lower():
        message = (
            f"The checkpoint {path.name} has sha256 {digest}, but {inputs.checkpoint_sha256} was expected; "
            "give the file that was meant, or the hash of this one."
        )
        raise RunnerError("checkpoint_mismatch", message)
    return {"name": name or path.name, "sha256": digest, "loaded_as": _loaded_as(inputs, path, name, digest)}


def _loaded_as(inputs: PotentialInputs, path: Path, name: str | None, sha256: str) -> str:
    """Return how a file may be loaded.

    :raises RunnerError: if it may not.
    """
    look = look_at(path, any_format=inputs.name not in TORCH_ONLY)
    if look.fault is not None:
        raise RunnerError("checkpoint_unreadable", f"The checkpoint {path.name} {look.fault}.")
    if is_trusted(inputs, sha256):
        return TRUSTED
    if not look.runs_code and inputs.name not in ALWAYS_CODE:
        return WEIGHTS_ONLY
    if is_installed(path, sha256):
        return INSTALLED
    raise untrusted(path, name, look.danger() if look.runs_code else "is loaded as a compiled program", sha256)


def is_trusted(inputs: PotentialInputs, sha256: str) -> bool:
    """Return whether the user trusts the file of this hash."""
    return sha256 in {given.lower() for given in inputs.trusted_sha256}


def untrusted(path: Path, name: str | None, danger: str, sha256: str) -> RunnerError:
    """Return the refusal of a file that would run code, with the hash by which the user can trust it."""
    message = (
        f"The checkpoint {name or path.name} {danger}; it was not loaded. If you trust where it comes from, trust this "
        f"very file: 'aiida-ion engine test NAME --trust-checkpoint', or its sha256 {sha256} in trusted_sha256 of "
        "the potential."
    )
    details = {"refused_checkpoint": {"name": name or path.name, "sha256": sha256, "danger": danger}}
    return RunnerError("checkpoint_untrusted", message, details)


def is_installed(path: Path, sha256: str) -> bool:
    """Return whether a file came with an installed package and is unchanged: then it is that package's code."""
    target, digest = path.resolve(), base64.urlsafe_b64encode(bytes.fromhex(sha256)).rstrip(b"=").decode()
    for distribution in importlib.metadata.distributions():
        if not target.is_relative_to(Path(str(distribution.locate_file(""))).resolve()):
            continue  # before its list of files is read: all lists together take a second
        for file in distribution.files or ():
            same = file.name == path.name and file.hash is not None and file.hash.value == digest
            if same and Path(str(file.locate())).resolve() == target:
                return True
    return False


def refuse_files_that_run_code(inputs: PotentialInputs) -> None:
    """Check every file that the further arguments of a calculator name, like a checkpoint.

    :raises RunnerError: ``checkpoint_untrusted``.
    """
    for path in _files_named(inputs.kwargs):
        look = look_at(path, any_format=True)
        if not look.runs_code:
            continue
        sha256 = sha256_of(path)
        if not (is_trusted(inputs, sha256) or is_installed(path, sha256)):
            raise untrusted(path, str(path), look.danger(), sha256)


def _files_named(value: Any) -> Iterator[Path]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _files_named(item)
    elif isinstance(value, str):
        with contextlib.suppress(OSError, ValueError):
            if Path(value).is_file():
                yield Path(value)


@contextlib.contextmanager
def weights_only(checkpoint: Checkpoint, path: Path | None = None) -> Iterator[None]:
    """Let torch load only weights while a library opens a file that is not trusted, whatever the library requests.

    The earlier check decides only how a file is refused; here torch itself enforces it.

    :param checkpoint: from :func:`verified_checkpoint`; with its ``loaded_as``.
    :param path: the file, where it is known.
    :raises RunnerError: ``checkpoint_untrusted`` where the file holds more.
    """
    if checkpoint.get("loaded_as") in (TRUSTED, INSTALLED):
        yield
        return
    serialization = sys.modules["torch"].serialization
    before = {name: os.environ.get(name) for name in FORCING}
    os.environ[FORCING[0]] = "1"
    os.environ.pop(FORCING[1], None)
    admitted = getattr(serialization, "safe_globals", None)
    try:
        with admitted(numpy_rebuilders()) if admitted is not None else contextlib.nullcontext():
            yield
    except (EOFError, KeyError, AttributeError, AssertionError, RuntimeError) as error:
        if path is None or (isinstance(error, RuntimeError) and not BROKEN.search(str(error))):
            raise
        message = (
            f"The checkpoint {path.name} is not one that this potential can load ({type(error).__name__}: {error})."
        )
        raise RunnerError("checkpoint_unreadable", message) from error
    except pickle.UnpicklingError as error:
        name, sha256 = str(checkpoint["name"]), checkpoint.get("sha256")
        if path is None or sha256 is None:
            message = f"The weights of {name} are more than weights; give the file as checkpoint_file, and trust it."
            raise RunnerError("checkpoint_untrusted", message) from error
        raise untrusted(path, name, "is a pickle that torch does not load as weights alone", sha256) from error
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            os.environ.update({name: value} if value is not None else {})


def numpy_rebuilders() -> list[Any]:
    """Return the functions that rebuild NumPy arrays, under all their names, as torch expects them."""
    import numpy as np

    multiarray = importlib.import_module("numpy.core.multiarray" if np.__version__ < "2" else "numpy._core.multiarray")
    functions = [getattr(multiarray, name) for name in ("_reconstruct", "scalar")]
    names = [f"numpy.{core}.multiarray.{item.__name__}" for core in ("core", "_core") for item in functions]
    types = [kind for name, kind in vars(np.dtypes).items() if name.endswith("DType")]
    return [np.ndarray, np.dtype, *types, *zip(functions * 2, names, strict=True)]


@contextlib.contextmanager
def finding_weights(model: str, advice: str) -> Iterator[None]:
    """Turn any error of a library that looks for or downloads its weights into one clear error."""
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
