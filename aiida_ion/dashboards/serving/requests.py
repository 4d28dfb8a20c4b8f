"""Which requests for callbacks are answered: those that a browser with a page of this dashboard can send."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

#: Maximum nesting of values; a page needs about ten levels.
DEEPEST = 40
#: Integers beyond need more than 64 bits.
LARGEST_INTEGER = 2**63


def validate_request(body: Any, callbacks: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Return what is wrong with a request for a callback; None if nothing is.

    :param body: what the browser sent, read as JSON.
    :param callbacks: output of each callback, as Dash writes it, -> its ``inputs`` and ``state``.
    """
    if not isinstance(body, Mapping) or not is_plain(body):
        return "the request is not a mapping of values that a page sends"
    output = body.get("output")
    if not isinstance(output, str) or output not in callbacks:
        return "no page has such an output"
    expected = {name: _named(callbacks[output][name]) for name in ("inputs", "state")} | {"outputs": _names(output)}
    wrong = [name for name, names in expected.items() if not _are_properties(body.get(name, []), names)]
    if wrong:
        return f"the {wrong[0]} are not those of the callback"
    changed = body.get("changedPropIds", [])
    if not isinstance(changed, list) or not all(isinstance(one, str) and "." in one for one in changed):
        return "what has changed is not a list of names"
    return None


def _named(properties: Iterable[Mapping[str, Any]]) -> list[str]:
    return [f"{one['id']}.{one['property']}" for one in properties]


def is_plain(value: Any, depth: int = 0) -> bool:
    """Whether JSON is of moderate depth, and its numbers and texts can be written again."""
    if isinstance(value, str):
        return value.isascii() or _is_unicode(value)
    if isinstance(value, int):
        return abs(value) < LARGEST_INTEGER
    if isinstance(value, Mapping):
        parts: Any = (*value, *value.values())
    elif isinstance(value, list):
        parts = value
    else:
        return True
    return depth < DEEPEST and all(is_plain(part, depth + 1) for part in parts)


def _is_unicode(text: str) -> bool:
    """Whether a text has no half of a pair of surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _names(output: str) -> list[str]:
    """Return the properties in the name of an output, without what distinguishes callbacks with the same one."""
    names = output.strip(".").split("...") if output.startswith("..") else [output]
    return [name.partition("@")[0] for name in names]


def _are_properties(given: Any, expected: list[str]) -> bool:
    """Whether these are the expected properties of components."""
    parts = given if isinstance(given, list) else [given]
    return len(parts) == len(expected) and all(map(_is_property, parts, expected))


def _is_property(given: Any, name: str) -> bool:
    """Whether this is a property; of an id that is a mapping, whose values may be patterns, only the kind is compared.

    A pattern may stand for several components. Browsers send outputs that several callbacks have with or without what
    distinguishes these.
    """
    is_mapping = name.startswith("{")
    if is_mapping and isinstance(given, list):
        return all(_is_property(one, name) for one in given)
    if not isinstance(given, Mapping) or not isinstance(given.get("property"), str):
        return False
    if is_mapping:
        return isinstance(given.get("id"), Mapping)
    return isinstance(given.get("id"), str) and f"{given['id']}.{given['property'].partition('@')[0]}" == name
