"""Single values: what is a number, how a value is written in a message, and the error that refuses it.

Imports only the standard library, since it is uploaded with the programs that run on compute machines.
"""

from __future__ import annotations

import json
import math
import numbers
from collections.abc import Sequence
from typing import Any

_SHOWN = 60
_LONGEST = 200


class SettingsError(ValueError):
    """An invalid setting; the message says what is allowed."""


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


def parsed_number(text: str) -> Any:
    """Return the number that a text is, else the text without blanks around it."""
    text = text.strip()
    if text.isascii() and "_" not in text:
        for kind in (int, float):
            try:
                return kind(text)
            except ValueError:
                continue
    return text


def shown(value: Any) -> str:
    """Return a value as written in a file, shortened; with advice for a text that looks like a number."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        text = str(value)
    text = printable(text)
    text = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
    if isinstance(value, str) and isinstance(number := parsed_number(value), (int, float)) and math.isfinite(number):
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
