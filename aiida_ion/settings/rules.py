"""Rules for single values: a number within a range, one of a few words, a list or a table of them.

Imports only the standard library, since it is uploaded with the programs that run on compute machines.
"""

from __future__ import annotations

import json
import math
import numbers
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

#: The largest seed of a replica. A work chain derives the seeds of its runs from it, below :data:`MAX_RUN_SEED`.
MAX_SEED = 2**31 - 1
#: The largest integer that JSON, SQLite and tables all keep exactly.
MAX_RUN_SEED = 2**53 - 1
_SYMBOLS = (
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr Nb "
    "Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au "
    "Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts "
    "Og"
)
ELEMENTS = tuple(_SYMBOLS.split())
_SHOWN = 60
_LONGEST = 200


class SettingsError(ValueError):
    """An invalid setting; the message says what is allowed."""


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
        text = text.strip()
        if text.isascii() and "_" not in text:
            for kind in (int, float):
                try:
                    return kind(text)
                except ValueError:
                    continue
        return text

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


@dataclass(frozen=True)
class Element(Word):
    """The symbol of an element."""

    choices: tuple[str, ...] = ELEMENTS

    @property
    def plural(self) -> str:
        """Symbols of elements."""
        return "symbols of elements, such as Li"

    @property
    def words(self) -> str:
        """The symbol of an element."""
        return "the symbol of an element, such as Li"

    @property
    def range(self) -> str:
        """An element."""
        return "an element"

    def parse(self, text: str) -> str:
        """Return the symbol without blanks."""
        return text.strip()


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


def as_number(value: Any) -> float | int | None:
    """Return a finite number as a Python number, integers as int; None for anything else, such as true and false."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return None
    if isinstance(value, numbers.Integral):
        return int(value)
    try:
        number = float(value)
    except OverflowError:
        return None
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() else number


def shown(value: Any) -> str:
    """Return a value as written in a file, shortened; with advice for a text that looks like a number."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        text = str(value)
    text = printable(text)
    text = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
    if isinstance(value, str) and isinstance(number := Number().parse(value), (int, float)) and math.isfinite(number):
        return f"the text {text}: write {number} without quotes"
    return text


def printable(text: str) -> str:
    """Return a text with its control characters escaped."""
    return "".join(character if character.isprintable() else f"\\x{ord(character):02x}" for character in text)


def is_one_line(text: str) -> bool:
    """Whether a text fits in one line: no control characters, and not too long."""
    return text.isprintable() and len(text) <= _LONGEST


def plain(number: float) -> str:
    """Return a number formatted for reading: 10,000 and 0.5 and 1e-06."""
    is_long = float(number).is_integer() and abs(number) < 1e16
    return f"{int(number):,}" if is_long else f"{number:g}"


def either(choices: Sequence[str]) -> str:
    """Return choices as `a, b or c`."""
    return " or ".join([", ".join(choices[:-1]), choices[-1]]) if len(choices) > 1 else choices[0]


def _first_wrong(item: Rule, values: Iterable[Any]) -> str:
    for value in values:
        try:
            item.read(value, "")
        except SettingsError:
            return f"{shown(value)}"
    return ""
