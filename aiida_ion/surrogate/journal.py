"""Progress of a training program in one file, so that nothing is repeated after an interruption."""

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
#: Prefix of the tensors of the current training.
_PARTIAL = "partial/"


class Journal:
    """Results of finished training runs by name, and the state of the current one.

    :param path: the file; read if it exists.
    :param identity: what must match for its content to be used: data, settings, seed.
    :raises ValueError: if the file cannot be read, or belongs to another training.
    """

    def __init__(self, path: Path, identity: Mapping[str, Any]) -> None:
        self._path, self._identity = path, json.dumps(identity, sort_keys=True)
        self._tensors: dict[str, Tensor] = {}
        if path.exists():
            self._read()

    def result(self, name: str) -> dict[str, Tensor] | None:
        """Return the result of a training, None if it is not done yet."""
        return self._under(f"{name}/")

    def keep(self, name: str, result: Mapping[str, Tensor]) -> None:
        """Keep the result of the current training. It is on disk after the next `write`."""
        self._tensors = {key: value for key, value in self._tensors.items() if not key.startswith(_PARTIAL)}
        self._tensors |= {f"{name}/{key}": value for key, value in result.items()}

    def partial(self, name: str) -> dict[str, Tensor] | None:
        """Return the state of an interrupted training, None if it is not this one."""
        return self._under(f"{_PARTIAL}{name}/")

    def keep_partial(self, name: str, state: Mapping[str, Tensor]) -> None:
        """Keep the state of the current training, replacing any other."""
        self._tensors = {key: value for key, value in self._tensors.items() if not key.startswith(_PARTIAL)}
        self._tensors |= {f"{_PARTIAL}{name}/{key}": value.clone() for key, value in state.items()}

    def write(self) -> None:
        """Replace the file atomically."""
        beside = self._path.with_name(self._path.name + ".partial")
        tensors = {key: value.detach().cpu().contiguous().clone() for key, value in self._tensors.items()}
        save_file(tensors or {"empty": torch.zeros(0)}, beside, metadata={"identity": self._identity})
        beside.replace(self._path)

    def _under(self, prefix: str) -> dict[str, Tensor] | None:
        tensors = {key.removeprefix(prefix): tensor for key, tensor in self._tensors.items() if key.startswith(prefix)}
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
