"""A trained surrogate as one safetensors file: numbers and JSON, no code."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from aiida_ion.surrogate.domain import Domain
from aiida_ion.surrogate.network import Network
from aiida_ion.surrogate.samples import Standard
from aiida_ion.surrogate.settings import Settings
from aiida_ion.surrogate.training import Member

FORMAT = "aiida-ion surrogate 1"
#: Name of the entry in the file's metadata.
HEADER = "aiida_ion_surrogate"
#: Maximum number and size of networks.
MAX_MEMBERS = 1000
MAX_WIDTH = 512


@dataclass
class Model:
    """An ensemble of networks that can predict.

    :param members: one network per fold, each trained without that part of the materials.
    :param halfwidth_dex: half-width of the 95 % interval, from held-out materials.
    :param domain: domain of the training materials.
    :param said: further metadata: temperature, mobile species, protocol, ...
    """

    members: Sequence[Member]
    halfwidth_dex: float
    domain: Domain
    said: Mapping[str, Any]

    @property
    def settings(self) -> Settings:
        """The settings of its networks."""
        return self.members[0].network.settings


def save_model(path: Path, model: Model) -> None:
    """Write a model as safetensors."""
    tensors: dict[str, Tensor] = {
        "domain/descriptors": torch.as_tensor(model.domain.descriptors),
        "domain/limit": torch.tensor(model.domain.limit, dtype=torch.float64),
        "halfwidth_dex": torch.tensor(model.halfwidth_dex, dtype=torch.float64),
    }
    for index, member in enumerate(model.members):
        tensors |= {f"member/{index}/{name}": tensor for name, tensor in member_tensors(member).items()}
    header = {"format": FORMAT, "settings": model.settings.to_dict(), "said": dict(model.said)}
    # A single entry: several would have no fixed order, but equal models must be equal files.
    metadata = {HEADER: json.dumps(header, sort_keys=True)}
    save_file(
        {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}, path, metadata=metadata
    )


def load_model(path: Path) -> Model:
    """Load a model from a file.

    :raises ValueError: if it is not a model of this format, or is inconsistent.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path.name} is not a safetensors file: {error}") from error
    try:
        header = json.loads(metadata.get(HEADER, "{}"))
        if header.get("format") != FORMAT:
            raise ValueError(f"{path.name} is not a model of this program: its format is {header.get('format')!r}")
        return _model(header, tensors)
    except (KeyError, RuntimeError, TypeError, AttributeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path.name} is inconsistent: {error}") from error


def member_tensors(member: Member) -> dict[str, Tensor]:
    """Return a network and its units as tensors."""
    tensors = {f"network.{name}": value for name, value in member.network.state_dict().items()}
    units = {"mean": member.standard.mean, "spread": member.standard.spread}
    tensors |= {name: torch.as_tensor(np.asarray(value, dtype=float)) for name, value in units.items()}
    return tensors | {"center_width": torch.tensor([member.center, member.width], dtype=torch.float64)}


def member_of(tensors: Mapping[str, Tensor], settings: Settings) -> Member:
    """Build a network from its tensors.

    :raises KeyError: if one is missing.
    :raises RuntimeError: if one has a shape that does not match the settings.
    """
    standard = Standard(tensors["mean"].numpy(), tensors["spread"].numpy())
    network = Network(settings, len(standard.mean))
    state = {name.removeprefix("network."): tensor for name, tensor in tensors.items() if name.startswith("network.")}
    network.load_state_dict(state)
    network.eval()
    center, width = tensors["center_width"].tolist()
    return Member(network, standard, float(center), float(width))


def _model(header: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Model:
    settings = Settings.from_dict(header["settings"])
    sizes = (settings.scalars, settings.vectors, settings.tensors, settings.n_radial, settings.n_layers)
    if max(sizes) > MAX_WIDTH:
        raise ValueError("the network is larger than this program allows")
    names = {name.split("/")[1] for name in tensors if name.startswith("member/")}
    if not 0 < len(names) <= MAX_MEMBERS or names != {str(index) for index in range(len(names))}:
        raise ValueError("the networks of the model are not numbered in order")
    members = []
    for index in range(len(names)):
        prefix = f"member/{index}/"
        own = {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
        members.append(member_of(own, settings))
    domain = Domain(tensors["domain/descriptors"].numpy(), float(tensors["domain/limit"]))
    if not all(torch.isfinite(tensor).all() for tensor in tensors.values() if tensor.is_floating_point()):
        raise ValueError("a number of the model is not finite")
    return Model(members, float(tensors["halfwidth_dex"]), domain, dict(header["said"]))
