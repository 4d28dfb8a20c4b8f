"""Classes of settings: what is allowed is stated once, as the rule of a field.

The classes check themselves; click options, overrides, the help of ports and the tables of the documentation read the
same rules. Imports only the standard library, since it is uploaded with the programs that run on compute machines.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, Field, asdict, dataclass, field, fields
from typing import Any, ClassVar, Self

from aiida_ion.settings.rules import Flag, Number, Rule, Word
from aiida_ion.settings.values import SettingsError, is_one_line, shown

_RULE = "rule"


@dataclass(frozen=True)
class Part(Rule):
    """Settings within settings, some or all of them.

    :param kind: their class.
    """

    kind: type[Settings] | None = None

    @property
    def words(self) -> str:
        """A mapping of settings."""
        return "a mapping of settings"

    def _read(self, value: Any, name: str) -> Any:
        assert self.kind is not None
        if isinstance(value, self.kind):
            return value
        if not isinstance(value, Mapping):
            raise self.refuse(value, name)
        return self.kind.from_dict(value)


@dataclass(frozen=True)
class Settings:
    """Base class of settings: each field is checked by its rule, then all together."""

    #: What one setting is called in messages.
    what: ClassVar[str] = "setting"

    def __post_init__(self) -> None:
        for name, rule in rules_of(type(self)).items():
            object.__setattr__(self, name, rule.read(getattr(self, name), name))
        self.check_together()

    def check_together(self) -> None:
        """Refuse settings that exclude each other.

        :raises SettingsError: saying which.
        """

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Self:
        """Build from a plain mapping.

        :raises SettingsError: for a missing, unknown or invalid setting.
        """
        if not isinstance(given, Mapping):
            raise SettingsError(f"{cls.what}s must be a mapping, got {shown(given)}")
        refuse_unknown(given, rules_of(cls), cls.what)
        missing = [item.name for item in fields(cls) if _is_required(item) and item.name not in given]
        if missing:
            raise SettingsError(f"{cls.what}s lack {', '.join(missing)}")
        return cls(**given)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-serialisable mapping that :meth:`from_dict` reads back."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}


def setting(rule: Rule, default: Any = MISSING, **about: Any) -> Any:
    """Return a field of a class of settings.

    :param rule: what is allowed.
    :param default: its value where none is given; required when left out.
    :param about: what else the metadata of the field say.
    """
    metadata = {_RULE: rule, **about}
    if isinstance(default, (list, dict)):
        return field(default_factory=lambda: type(default)(default), metadata=metadata)
    return field(default=default, metadata=metadata)


def number(default: Any = MISSING, **limits: Any) -> Any:
    """Return a field for a number; the limits are those of :class:`Number`."""
    return setting(Number(**limits, optional=default is None), default)


def whole(default: Any = MISSING, **limits: Any) -> Any:
    """Return a field for a whole number; the limits are those of :class:`Number`."""
    return setting(Number(**limits, whole=True, optional=default is None), default)


def word(choices: Sequence[str], default: Any = MISSING, **about: Any) -> Any:
    """Return a field for one of a few words."""
    return setting(Word(choices=tuple(choices), optional=default is None, **about), default)


def flag(default: Any = MISSING, **about: Any) -> Any:
    """Return a field for true or false."""
    return setting(Flag(**about), default)


def rules_of(kind: type[Settings]) -> dict[str, Rule]:
    """Return the rule of each setting of a class."""
    return {item.name: item.metadata[_RULE] for item in fields(kind)}


def refuse_unknown(given: Iterable[Any], known: Iterable[str], what: str, elsewhere: Iterable[str] = ()) -> None:
    """Refuse unknown names.

    :param what: what one setting is called, such as ``jump setting``.
    :param elsewhere: dotted names that are known elsewhere and may have been meant.
    :raises SettingsError: with the closest known name, or all of them.
    """
    names = sorted(known)
    for name in given:
        if name not in names:
            raise SettingsError(f"unknown {what} {_named(name)}{suggestion(str(name), names, elsewhere)}")


def suggestion(name: str, known: Sequence[str], elsewhere: Iterable[str] = ()) -> str:
    """Return the end of a sentence on an unknown name: the likely name, or the choices."""
    others = {other.rpartition(".")[2].lower(): other for other in elsewhere}
    if name.lower() in others and name.lower() not in {candidate.lower() for candidate in known}:
        return f": did you mean {others[name.lower()]}?"
    close = closest(name, known) or closest(name, list(others.values()))
    if close is not None:
        return f": did you mean {close}?"
    return f"; choose from {', '.join(known)}" if known else ""


def closest(name: str, known: Sequence[str]) -> str | None:
    """Return the known name that is closest to a name, ignoring case; None where none is close."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    matches = difflib.get_close_matches(name.lower(), list(by_lower), n=1, cutoff=0.65)
    return by_lower[matches[0]] if matches else None


def summary(kind: type[Settings]) -> str:
    """Return all settings of a class and their allowed values, for the help of a port."""
    return "; ".join(f"`{name}`: {rule.range}" for name, rule in rules_of(kind).items())


def _is_required(item: Field[Any]) -> bool:
    return item.default is MISSING and item.default_factory is MISSING


def _named(name: Any) -> str:
    return name if isinstance(name, str) and name and is_one_line(name) else shown(name)
