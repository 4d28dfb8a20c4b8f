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
            value = values.get(name)
            if isinstance(value, dict):
                value = {part: number for part, number in value.items() if is_determined(number)}
            if is_determined(value):
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
