"""Settings in YAML and JSON, read safely: no code is run, and nothing is lost or misread."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import ConstructorError

from aiida_ion.settings.values import SettingsError, printable, shown

#: A larger file cannot be settings.
MAX_BYTES = 1_000_000


class _Loader(yaml.SafeLoader):
    """Plain values only, each key once, and no anchors, with which a short file can expand to a huge one."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            event: Any = self.peek_event()  # type: ignore[no-untyped-call]
            raise ConstructorError(None, None, "anchors are not supported", event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise ConstructorError(None, None, f"the name {shown(key)} is not a text", key_node.start_mark)
            if key in seen:
                raise ConstructorError(None, None, f"{key} appears in it twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path | str, what: str) -> dict[str, Any]:
    """Return the mapping that a YAML file holds.

    :param what: what the mapping holds, for the message.
    :raises SettingsError: if it cannot be read or holds something else; the message names the line.
    """
    path = Path(path)
    text = _text(path)
    try:
        content = yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}" if mark is not None else ""
        raise SettingsError(f"{path.name}{where}: not valid YAML: {_describe(error)}") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise SettingsError(f"{path.name}: not valid YAML") from error
    if content is None:
        raise SettingsError(f"{path.name} is empty: it must hold {what}")
    if not isinstance(content, dict):
        raise SettingsError(f"{path.name} must hold {what}, as `name: value` lines, got {shown(content)}")
    return content


def read_json(text: str) -> dict[str, Any]:
    """Return the mapping that a JSON text holds.

    :raises SettingsError: for anything else, NaN, or a name that appears in it twice.
    """
    try:
        content = json.loads(text, object_pairs_hook=_distinct, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise SettingsError(f"not JSON: {error.msg} at character {error.pos + 1}") from error
    except RecursionError as error:
        raise SettingsError("cannot be read as JSON: it is nested too deeply") from error
    if not isinstance(content, dict):
        raise SettingsError(f'must be an object such as {{"enable_flash": true}}, got {shown(content)}')
    return content


def _text(path: Path) -> str:
    if "\0" in str(path) or not path.is_file():
        there = "\0" not in str(path) and path.exists()
        raise SettingsError(f"{printable(str(path))}: {'is not a file' if there else 'no such file'}")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SettingsError(f"{path.name} has {path.stat().st_size:,} bytes, too many for settings")
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path.name} is not a text file in UTF-8") from error
    except OSError as error:
        raise SettingsError(f"{path.name} cannot be read: {error.strerror}") from error


def _describe(error: yaml.MarkedYAMLError) -> str:
    """Return what is wrong, without the parser's words for Python objects."""
    if "could not determine a constructor" in str(error.problem):
        return "tags such as !!python are not supported"
    return " ".join(str(error.problem or "it is broken").split())


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise SettingsError(f"{key} appears in it twice")
        result[key] = value
    return result


def _refuse_constant(name: str) -> Any:
    raise SettingsError(f"{name} is not a JSON number")
