"""Protocols: named sets of inputs in YAML, each stating only what differs from the defaults."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml


class ProtocolError(ValueError):
    """A protocol or override that is not known; the message lists what is."""


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
    """Return defaults, then the protocol, then the overrides, each winning over the one before.

    :param name: the entry point without its prefix.
    :param protocol: name of the protocol; the file's default when not given.
    :param overrides: nested mapping, or the path of a YAML file that holds one.
    :raises ProtocolError: for a protocol or an override key that does not exist.
    """
    content = load_protocols(name)
    chosen = protocol or content["default_protocol"]
    if chosen not in content["protocols"]:
        raise ProtocolError(f"unknown protocol {chosen!r}; known are {', '.join(content['protocols'])}")
    differs = {key: value for key, value in content["protocols"][chosen].items() if key != "description"}
    changes = read_overrides(overrides)
    inputs = merge(content["default_inputs"], differs)
    check_overrides(changes, inputs, content.get("optional_inputs", {}))
    return merge(inputs, changes)


def read_overrides(overrides: Mapping[str, Any] | Path | str | None) -> Mapping[str, Any]:
    """Return overrides as a mapping; those of a YAML file where its path is given."""
    found = yaml.safe_load(Path(overrides).read_text()) if isinstance(overrides, (str, Path)) else overrides
    return found or {}


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``base`` with the values of ``over``, mappings merged level by level."""
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        merged[key] = merge(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


def check_overrides(overrides: Mapping[str, Any], known: Mapping[str, Any], optional: Mapping[str, Any]) -> None:
    """Refuse override keys that nothing would read.

    :raises ProtocolError: naming the key and what is known at its level.
    """
    for key, value in overrides.items():
        if key not in known and key not in optional:
            names = sorted({*known, *optional})
            raise ProtocolError(f"unknown override {key!r}; known here are {', '.join(names)}")
        level, more = known.get(key), optional.get(key) or {}
        if isinstance(level, Mapping) and isinstance(value, Mapping):
            check_overrides(value, level, more)
