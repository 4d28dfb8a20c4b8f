"""Options of the command line that are checked by rules of settings, which define type, range and unit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import click

from aiida_ion.settings.elements import Element
from aiida_ion.settings.files import read_json
from aiida_ion.settings.lists import Many, Table
from aiida_ion.settings.rules import MAX_SEED, Number, Rule, Word
from aiida_ion.settings.values import SettingsError, shown

#: An example of job options, for help.
SUCH_AS = 'such as {"queue_name": "gpu", "account": "my-project"}'

Command = TypeVar("Command", bound=Callable[..., Any])

#: A name that the user chooses: of a profile, of an engine.
NAME = Word(pattern=(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", "letters, digits, `.`, `_` and `-`, a letter or digit first"))
#: Any text, such as the label of a group.
TEXT = Word()
SEED = Number(least=0, most=MAX_SEED, whole=True)
#: The number of a node.
PK = Number(least=1, most=2**63 - 1, whole=True)
_METAVARS = {Number: "NUMBER", Many: "LIST", Table: "LI=1,N=-3"}


class SettingType(click.ParamType):
    """A value that is checked by a rule; an error is one line."""

    name = "TEXT"

    def __init__(self, rule: Rule) -> None:
        self.rule = replace(rule, optional=False)
        self.name = _METAVARS.get(type(rule), "TEXT")

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the value in its own type."""
        del ctx
        name = shown_name(param)
        try:
            parsed = self.rule.parse(value) if isinstance(value, str) else value
            return self.rule.read(parsed, name)
        except SettingsError as error:
            text = str(error)
            raise click.ClickException(text if text.startswith((name, "a name in")) else f"{name} {text}") from error


def setting(rule: Rule, *names: str, also: str = "", **more: Any) -> Callable[[Command], Command]:
    """Return an option for a setting, with its range in the help.

    :param rule: what it may be.
    :param names: of the option.
    :param also: added to the help.
    :param more: other arguments of `click.option`; `help` instead of that of the rule.
    """
    text = more.pop("help", rule.help)
    words = f"{text}: {rule.range}" if _says_more(rule) else text
    end = also if "[" in also else f"{also}."
    return click.option(*names, type=SettingType(rule), help=f"{words}{end}", **more)


def _says_more(rule: Rule) -> bool:
    return not isinstance(rule, Word) or bool(rule.pattern or (rule.choices and not isinstance(rule, Element)))


class WordMap(click.ParamType):
    """A mapping of words to words, such as ``Li=Li_sv,O=O``."""

    name = "MAP"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the mapping."""
        if isinstance(value, dict):
            return value
        pairs = [part.split("=") for part in str(value).split(",")]
        if any(len(pair) != 2 or not all(word.strip() for word in pair) for pair in pairs):
            self.fail(f"{shown(value)} is not of the form Li=Li_sv,O=O", param, ctx)
        mapping = {key.strip(): word.strip() for key, word in pairs}
        if len(mapping) != len(pairs):
            self.fail(f"{shown(value)} names an element twice", param, ctx)
        return mapping


class JsonObject(click.ParamType):
    """A JSON object."""

    name = "JSON"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the mapping."""
        if isinstance(value, dict):
            return value
        try:
            return read_json(value)
        except SettingsError as error:
            self.fail(str(error), param, ctx)


def shown_name(param: click.Parameter | None) -> str:
    """Return the name of an option or an argument as the user types it."""
    if param is None:
        return "the value"
    return max(param.opts, key=len) if isinstance(param, click.Option) else str(param.human_readable_name)
