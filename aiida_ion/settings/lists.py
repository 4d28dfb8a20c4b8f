"""Rules for lists and tables of values.

Imports only the standard library, since it is uploaded with the programs that run on compute machines.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiida_ion.settings.elements import Element
from aiida_ion.settings.rules import Number, Rule, Word
from aiida_ion.settings.values import SettingsError, shown


@dataclass(frozen=True)
class Many(Rule):
    """A list of values of one kind.

    :param item: rule for each value.
    :param length: required number of values; any number above zero when not given.
    :param distinct: whether each value may appear only once.
    :param may_be_empty: whether the list may be empty.
    :param most: maximum number of values.
    """

    item: Number | Word = field(default_factory=Number)
    length: int | None = None
    distinct: bool = False
    may_be_empty: bool = False
    most: int = 1000

    @property
    def words(self) -> str:
        """Such as `a list of numbers from 1 to 10,000 K, each once`."""
        if isinstance(self.item, Word) and self.item.choices and not isinstance(self.item, Element):
            return f"a list of {'none' if self.may_be_empty else 'one'} or more of {', '.join(self.item.choices)}"
        count = "" if self.length is None else f"{self.length} "
        return f"a list of {count}{self.item.plural}{', each once' if self.distinct else ''}"

    @property
    def range(self) -> str:
        """As that of each."""
        count = "" if self.length is None else f"{self.length} times "
        return f"{count}{self.item.range}{', each once' if self.distinct else ''}"

    def parse(self, text: str) -> list[Any]:
        """Return the values between commas."""
        return [self.item.parse(part.strip()) for part in text.split(",")]

    def _read(self, value: Any, name: str) -> list[Any]:
        if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Sequence):
            raise self.refuse(value, name)
        if len(value) > self.most:
            raise SettingsError(f"{name} must be at most {self.most} values, got {len(value)}")
        try:
            items = [self.item.read(entry, name) for entry in value]
        except SettingsError as error:
            raise SettingsError(f"{name} must be {self.words}, got {_first_wrong(self.item, value)}") from error
        wrong_length = self.length is not None and len(items) != self.length
        twice = self.distinct and len(set(items)) != len(items)
        if wrong_length or twice or not (items or self.may_be_empty):
            raise self.refuse(list(value), name)
        return items


@dataclass(frozen=True)
class Table(Rule):
    """Values by name, such as charges by element.

    :param key: rule for each name.
    :param item: rule for each value.
    """

    key: Word = field(default_factory=Word)
    item: Number | Word = field(default_factory=Number)

    @property
    def words(self) -> str:
        """Such as `a mapping of elements to numbers`."""
        return f"a mapping of {'elements' if isinstance(self.key, Element) else 'names'} to {self.item.plural}"

    @property
    def range(self) -> str:
        """As that of each value."""
        return f"each {self.item.range}"

    def parse(self, text: str) -> Any:
        """Return the mapping of `Li=1,N=-3`.

        :raises SettingsError: for another form, or a name that appears in it twice.
        """
        mapping: dict[str, Any] = {}
        for part in text.split(","):
            key, sign, value = (word.strip() for word in part.partition("="))
            if not (key and sign and value):
                raise SettingsError(f"must be of the form Li=1,N=-3, got {shown(text)}")
            if key in mapping:
                raise SettingsError(f"must name {key} once, got {shown(text)}")
            mapping[key] = self.item.parse(value)
        return mapping

    def _read(self, value: Any, name: str) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise self.refuse(value, name)
        items = {self.key.read(key, f"a name in {name}"): value[key] for key in value}
        return {key: self.item.read(entry, f"{name}: {key}") for key, entry in items.items()}


def _first_wrong(item: Rule, values: Iterable[Any]) -> str:
    for value in values:
        try:
            item.read(value, "")
        except SettingsError:
            return f"{shown(value)}"
    return ""
