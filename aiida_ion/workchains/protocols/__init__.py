"""Protocols: named sets of inputs in YAML; each has only what differs from the defaults."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from aiida_ion.settings.files import read_yaml
from aiida_ion.settings.schema import suggestion
from aiida_ion.settings.values import SettingsError, shown
from aiida_ion.workchains.protocols import rules


class ProtocolError(ValueError):
    """An unknown protocol; the message lists the known ones."""


def load_protocols(name: str) -> dict[str, Any]:
    """Return the protocol file of a work chain.

    :param name: the entry point without its prefix, such as ``conductivity``.
    """
    text = (files(__package__) / f"{name}.yaml").read_text()
    content: dict[str, Any] = yaml.safe_load(text)
    return content


def available_protocols(name: str) -> dict[str, str]:
    """Return the protocols of a work chain with their descriptions."""
    return {key: str(value["description"]) for key, value in load_protocols(name)["protocols"].items()}


def protocol_inputs(
    name: str, protocol: str | None = None, overrides: Mapping[str, Any] | Path | str | None = None
) -> dict[str, Any]:
    """Return the defaults, changed by the protocol, changed by the overrides.

    :param name: the entry point without its prefix.
    :param protocol: name of the protocol; the file's default when not given.
    :param overrides: of ``conductivity``: nested mapping, or the path of a YAML file that holds one.
    :raises ValueError: for a protocol that does not exist, or an override that cannot be used.
    """
    content = load_protocols(name)
    chosen = protocol if protocol is not None else content["default_protocol"]
    if chosen not in content["protocols"]:
        raise ProtocolError(f"unknown protocol {shown(chosen)}{suggestion(str(chosen), list(content['protocols']))}")
    differs = {key: value for key, value in content["protocols"][chosen].items() if key != "description"}
    return merge(merge(content["default_inputs"], differs), read_overrides(overrides))


def read_overrides(overrides: Mapping[str, Any] | Path | str | None) -> dict[str, Any]:
    """Return overrides as a mapping, each value checked; those of a YAML file where its path is given.

    :raises SettingsError: for a file that cannot be read, an unknown name, or a value that cannot be used.
    """
    if isinstance(overrides, (str, Path)):
        overrides = read_yaml(overrides, "changes to a protocol")
    if overrides is not None and not isinstance(overrides, Mapping):
        raise SettingsError(f"overrides must be a mapping, got {shown(overrides)}")
    return rules.read_overrides(overrides or {})


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``base`` with the values of ``over``, mappings merged level by level."""
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        merged[key] = merge(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged
