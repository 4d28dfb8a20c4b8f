"""Rules for single values: a number within a range, true or false, one of a few words, a text.

Imports only the standard library, since it is uploaded with the programs that run on compute machines.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiida_ion.settings.values import SettingsError, as_number, either, is_one_line, parsed_number, plain, shown

#: The largest seed of a replica. A work chain derives the seeds of its runs from it, below :data:`MAX_RUN_SEED`.
MAX_SEED = 2**31 - 1
#: The largest integer that JSON, SQLite and tables all keep exactly.
MAX_RUN_SEED = 2**53 - 1


@dataclass(frozen=True)
class Rule:
    """Rule for one value.

    :param help: short description.
    :param optional: whether it may be null.
    """

    help: str = ""
    optional: bool = False

    @property
    def words(self) -> str:
        """What is allowed, as in `must be ...`."""
        raise NotImplementedError

    @property
    def range(self) -> str:
        """The range or the choices in short, for help and tables."""
        return self.words

    def read(self, value: Any, name: str) -> Any:
        """Return a value in its own type.

        :param name: of the setting, for the message.
        :raises SettingsError: if it is not allowed.
        """
        if value is None and self.optional:
            return None
        return self._read(value, name)

    def parse(self, text: str) -> Any:
        """Convert a text from the command line where possible; `read` judges the value."""
        return text

    def refuse(self, value: Any, name: str) -> SettingsError:
        """Return the error that refuses a value."""
        or_null = " or null" if self.optional else ""
        return SettingsError(f"{name} must be {self.words}{or_null}, got {shown(value)}")

    def _read(self, value: Any, name: str) -> Any:
        raise NotImplementedError


@dataclass(frozen=True)
class Number(Rule):
    """A finite number within a range.

    :param least: the smallest allowed; ``above`` is an exclusive lower limit.
    :param most: the largest allowed; ``below`` is an exclusive upper limit.
    :param unit: of the number, in words such as ``K`` or ``angstrom``.
    :param whole: whether it must be an integer.
    """

    least: float | None = None
    most: float | None = None
    above: float | None = None
    below: float | None = None
    unit: str = ""
    whole: bool = False

    @property
    def words(self) -> str:
        """Such as `a number from 1 to 10,000 K`."""
        return f"a {self.many[:-1]}{self._limits}"

    @property
    def many(self) -> str:
        """Such as `whole numbers`."""
        return "whole numbers" if self.whole else "numbers"

    @property
    def plural(self) -> str:
        """Such as `numbers from 1 to 10,000 K`."""
        return f"{self.many}{self._limits}"

    @property
    def _limits(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        if self.least is not None and self.most is not None:
            return f" from {plain(self.least)} to {plain(self.most)}{unit}"
        low = f"at least {plain(self.least)}" if self.least is not None else ""
        low = f"above {plain(self.above)}" if self.above is not None else low
        high = f"at most {plain(self.most)}" if self.most is not None else ""
        high = f"below {plain(self.below)}" if self.below is not None else high
        limits = " and ".join(part for part in (low, high) if part)
        return f" {limits}{unit}" if limits else unit

    @property
    def range(self) -> str:
        """Such as `1 to 10,000 K`."""
        return self._limits.strip().removeprefix("from ") or self.many

    def parse(self, text: str) -> Any:
        """Return the number, else the text."""
        return parsed_number(text)

    def _read(self, value: Any, name: str) -> float | int:
        number = as_number(value)
        if number is None or (self.whole and not isinstance(number, int)) or not self._is_within(number):
            raise self.refuse(value, name)
        return number if self.whole else float(number)

    def _is_within(self, number: float) -> bool:
        return (
            (self.least is None or number >= self.least)
            and (self.most is None or number <= self.most)
            and (self.above is None or number > self.above)
            and (self.below is None or number < self.below)
        )


@dataclass(frozen=True)
class Flag(Rule):
    """True or false."""

    @property
    def words(self) -> str:
        """True or false."""
        return "true or false"

    def _read(self, value: Any, name: str) -> bool:
        if not isinstance(value, bool):
            raise self.refuse(value, name)
        return value


@dataclass(frozen=True)
class Word(Rule):
    """One of a few words, or any one-line text.

    :param choices: the words; none means any text.
    :param may_be_empty: whether the text may be empty.
    :param pattern: regular expression that the text must match, and what it means in words.
    """

    choices: tuple[str, ...] = ()
    may_be_empty: bool = False
    pattern: tuple[str, str] | None = None

    @property
    def words(self) -> str:
        """Such as `one of nve, nvt, npt`."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        empty = "" if self.may_be_empty else ", not empty"
        return self.pattern[1] if self.pattern is not None else f"a text of one line{empty}"

    @property
    def plural(self) -> str:
        """Such as `any of velocities, forces`."""
        if self.pattern is not None:
            return self.pattern[1]
        return f"any of {', '.join(self.choices)}" if self.choices else "texts of one line"

    @property
    def range(self) -> str:
        """Such as `nve, nvt or npt`."""
        return either(self.choices) if self.choices else self.words

    def _read(self, value: Any, name: str) -> str:
        if not isinstance(value, str) or not (value in self.choices if self.choices else self._is_text(value)):
            raise self.refuse(value, name)
        return value

    def _is_text(self, value: str) -> bool:
        matches = self.pattern is None or re.fullmatch(self.pattern[0], value) is not None
        return matches and is_one_line(value) and (self.may_be_empty or bool(value.strip()))


#: The hash of a file.
SHA256 = Word(pattern=(r"[0-9a-fA-F]{64}", "sha256 of 64 hexadecimal digits"))


@dataclass(frozen=True)
class Json(Rule):
    """Any JSON object."""

    @property
    def words(self) -> str:
        """A JSON object."""
        return "a JSON object"

    def _read(self, value: Any, name: str) -> dict[str, Any]:
        try:
            is_json = isinstance(value, Mapping) and bool(json.dumps(value, allow_nan=False))
        except (TypeError, ValueError, RecursionError):
            is_json = False
        if not is_json:
            raise self.refuse(value, name)
        return dict(value)


@dataclass(frozen=True)
class Lines(Rule):
    """A text of any number of lines."""

    @property
    def words(self) -> str:
        """A text."""
        return "a text"

    def _read(self, value: Any, name: str) -> str:
        if not isinstance(value, str) or not all(entry.isprintable() or entry in "\n\r\t" for entry in value):
            raise self.refuse(value, name)
        return value
