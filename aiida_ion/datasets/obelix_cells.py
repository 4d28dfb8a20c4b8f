"""Cells of the OBELiX table: untrusted text, validated here."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

#: Longest text of a cell, characters; the rest is cut off.
MAX_LENGTH = 200
#: What the API of `obelix-data` writes for "<1E-10" and "<1E-8", S/cm. No crystal in the table has this value.
API_PLACEHOLDER_S_CM = 1e-15
#: More entries than this with the same number are a placeholder, not measurements; at most four in the table agree.
MAX_ALIKE = 12
#: No ionic conductor exceeds this, S/cm.
MAX_S_CM = 100.0


class MeasuredConductivity(NamedTuple):
    """A conductivity, S/cm: a value or an upper bound."""

    value_S_cm: float
    is_bound: bool = False


def measured(text: str | None, name: str) -> MeasuredConductivity | None:
    """Return the conductivity in a cell; None for an empty one.

    :param text: such as ``1.6e-10`` or ``<1E-10``.
    :param name: of the entry, for the message.
    :raises ValueError: for a cell that is neither, or an impossible value.
    """
    cell = plain(text)
    if not cell:
        return None
    is_bound = cell.startswith("<")
    try:
        value = float(cell.removeprefix("<"))
    except ValueError:
        raise ValueError(f"all.csv: {name}: {cell[:30]!r} is not a conductivity") from None
    if not (math.isfinite(value) and 0.0 < value <= MAX_S_CM):
        raise ValueError(f"all.csv: {name}: {cell[:30]!r} S/cm is not a conductivity")
    return MeasuredConductivity(value, is_bound)


def refuse_placeholders(measurements: Sequence[MeasuredConductivity]) -> None:
    """Refuse a table in which upper bounds were replaced by a placeholder.

    The bounds cannot be recovered from the placeholder.

    :raises ValueError: with what to give instead.
    """
    counts = Counter(measurement.value_S_cm for measurement in measurements if not measurement.is_bound)
    alike = [value for value, number in counts.items() if number > MAX_ALIKE or value == API_PLACEHOLDER_S_CM]
    if alike:
        raise ValueError(
            f"all.csv: {counts[alike[0]]} entries have {alike[0]:g} S/cm, which stands for upper bounds such as "
            "'<1E-10': this was saved from the API of obelix-data; give the files that it downloads"
        )


def entry_id(text: str | None) -> str:
    """Return the id of an entry.

    :raises ValueError: if it is not three lower-case letters or digits.
    """
    if text is None or not re.fullmatch(r"[a-z0-9]{3}", text):
        raise ValueError(f"all.csv: {plain(text)[:30]!r} is not an id of three letters or digits")
    return text


def flag(text: str | None) -> bool:
    """Return whether a cell says yes."""
    return plain(text).lower() in ("yes", "1", "1.0", "true")


def words(text: str | None) -> str | None:
    """Return the text of a cell, ``None`` for an empty one."""
    return plain(text) or None


def plain(text: str | None) -> str:
    """Return the printable characters of a cell, its white space single, cut where it is too long."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text or "")
    return " ".join(printable.split())[:MAX_LENGTH]
