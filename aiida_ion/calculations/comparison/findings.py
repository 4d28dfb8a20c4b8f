"""What a comparison gathers: numbers that were determined, arrays, and sentences on what is missing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray


@dataclass
class Findings:
    """Parts of a comparison node.

    :param attributes: numbers, lists and mappings; what was not determined is not there.
    :param arrays: arrays by name.
    :param missing: one sentence for each thing that could not be compared, and why.
    """

    attributes: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    def say(self, values: Mapping[str, Any], prefix: str = "", names: Mapping[str, str] | None = None) -> None:
        """Keep what was determined: neither ``None`` nor infinite nor empty.

        :param values: results by name.
        :param prefix: put before each name.
        :param names: only these of the values, each under its new name; all under their own otherwise.
        """
        for name, key in (names or {name: name for name in values}).items():
            if is_determined(values.get(name)):
                value = values[name]
                self.attributes[f"{prefix}{key}"] = list(value) if isinstance(value, tuple) else value

    def lack(self, sentence: str) -> None:
        """Note once what is missing and why."""
        if sentence not in self.missing:
            self.missing.append(sentence)

    def add(self, other: Findings) -> None:
        """Take over the findings of one part of the comparison."""
        self.attributes |= other.attributes
        self.arrays |= other.arrays
        for sentence in other.missing:
            self.lack(sentence)


def is_determined(value: Any) -> bool:
    """Whether a result is worth an attribute."""
    if isinstance(value, (list, tuple)):
        return len(value) > 0 and all(is_determined(item) for item in value)
    if isinstance(value, float):
        return math.isfinite(value)
    return value is not None and value != {}


def starting_with(nodes: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Return the nodes whose names start with a prefix, by the rest of their names, in order."""
    return {name.removeprefix(prefix): nodes[name] for name in sorted(nodes) if name.startswith(prefix)}


def symbols_of_all(trajectories: Mapping[str, Any]) -> list[list[str]]:
    """Return the different lists of elements that trajectories have."""
    results: list[list[str]] = []
    for node in trajectories.values():
        symbols = list(node.base.attributes.get("symbols"))
        if symbols not in results:
            results.append(symbols)
    return results
