"""Numbers in a CIF, with optional uncertainty in brackets; strictly parsed."""

from __future__ import annotations

import math
import re

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?(\(\d*\))?")
FRACTION = re.compile(r"([+-]?\d+)/(\d+)")


def number(text: str, what: str) -> float:
    """Return a number, without the uncertainty in brackets.

    :param what: its name, for the message.
    :raises ValueError: if it is not a finite number.
    """
    word = text.strip()
    if not NUMBER.fullmatch(word):
        hint = "; write a decimal point" if re.fullmatch(r"[+-]?\d+,\d+.*", word) else ""
        raise ValueError(f"{what} is {word[:30]!r}, which is not a number{hint}")
    value = float(word.partition("(")[0])
    if not math.isfinite(value):
        raise ValueError(f"{what} is {word[:30]!r}, which is not a finite number")
    return value


def coordinate(text: str, what: str) -> float:
    """Return a fractional coordinate; fractions such as 1/3 are allowed.

    :raises ValueError: if it is not a number, or far outside the cell.
    """
    fraction = FRACTION.fullmatch(text.strip())
    value = int(fraction[1]) / int(fraction[2]) if fraction and int(fraction[2]) else number(text, what)
    if abs(value) > 3.0:
        raise ValueError(f"{what} is {value:g}, which is not a fractional coordinate: is it in angstrom?")
    return value
