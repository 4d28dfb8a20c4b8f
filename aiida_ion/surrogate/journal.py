"""What a training program has done so far, in one file, so that nothing is done twice after it was stopped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

FILENAME = "restart.safetensors"
#: In front of the tensors of the training that is under way.
_PARTIAL = "partial/"


class Journal:
    """Results of finished trainings by name, and the state of the one that is under way.

    :param path: the file; read if it is there.
    :param identity: what must be the same for its content to be of use: data, settings, seed.
    :raises ValueError: if the file cannot be read, or belongs to another training.
    """

    def __init__(self, path: Path, identity: Mapping[str, Any]) -> None:
        self._path, self._identity = path, json.dumps(identity, sort_keys=True)
        self._tensors: dict[str, Tensor] = {}
        if path.exists():
            self._read()

    def result(self, name: str) -> dict[str, Tensor] | None:
        """Return what was kept under a name, nothing when that is still to be done."""
        return self._under(f"{name}/")

    def keep(self, name: str, result: Mapping[str, Tensor]) -> None:
        """Keep the result of a training; what was under way is over. It is on disk after the next `write`."""
        self._tensors = {key: value for key, value in self._tensors.items() if not key.startswith(_PARTIAL)}
        self._tensors |= {f"{name}/{key}": value for key, value in result.items()}

    def partial(self, name: str) -> dict[str, Tensor] | None:
        """Return the state of a training that was left, nothing when this is not the one."""
        return self._under(f"{_PARTIAL}{name}/")

    def keep_partial(self, name: str, state: Mapping[str, Tensor]) -> None:
        """Keep the state of the training that is under way, in the place of any other."""
        self._tensors = {key: value for key, value in self._tensors.items() if not key.startswith(_PARTIAL)}
        self._tensors |= {f"{_PARTIAL}{name}/{key}": value.clone() for key, value in state.items()}

    def write(self) -> None:
        """Replace the file at once."""
        beside = self._path.with_name(self._path.name + ".partial")
        tensors = {key: value.detach().cpu().contiguous().clone() for key, value in self._tensors.items()}
        save_file(tensors or {"empty": torch.zeros(0)}, beside, metadata={"identity": self._identity})
        beside.replace(self._path)

    def _under(self, prefix: str) -> dict[str, Tensor] | None:
        tensors = {key.removeprefix(prefix): one for key, one in self._tensors.items() if key.startswith(prefix)}
        return tensors or None

    def _read(self) -> None:
        try:
            with safe_open(self._path, framework="pt") as file:
                identity = (file.metadata() or {}).get("identity")
                tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        except SafetensorError as error:
            raise ValueError(f"{self._path.name} cannot be read: {error}") from error
        if identity != self._identity:
            raise ValueError(f"{self._path.name} belongs to another training: other data, settings or seed")
        self._tensors = tensors
