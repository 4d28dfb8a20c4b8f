"""Kinds of columns of tables, and the conversion of stored values to them.

An attribute can be any JSON: a number may be text, a list, or too large for a float. Such a value is missing in the
table, and counted, so that one cell never breaks a table and nothing is omitted silently.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from aiida_ion.unreadable import note_unreadable

#: Maximum count; sums of larger ones would overflow.
LARGEST_COUNT = 10**15
#: Largest 64-bit integer.
LARGEST_WHOLE = 2**63
#: Larger integers have lost digits if the database returned them as floats.
EXACT_FLOAT = 2.0**53

#: Longer texts are no labels and no messages, characters.
LONGEST_TEXT = 10_000

#: Endings of the names of numeric columns; lists of temperatures are handled separately.
UNITS = (
    *("_ps", "_fs", "_s", "_eV", "_eV_A", "_eV_atom", "_cm2_s", "_mS_cm", "_MiB", "_THz", "_per_step", "_e", "_A3"),
    *("_dex", "_ratio", "_factor", "_leverage", "_decades", "_distance", "_difference", "_mae", "_bias", "_slope"),
    *("_upper_bound", "_lower_bound", "_correlation", "_similarity", "_std"),
)
NUMBERS = {"target_temperature_K", "temperature_mean_K", "temperature_K", "haven_ratio", "n_eff", "rdf_distance"}
NUMBERS |= {"rdf_distance_of_reference_halves", "r2", "spearman", "coverage95"}
NUMBERS |= {"k_effective", "pooled_weight", "share"}
NUMBERS |= {"r2_clip_1e-2", "r2_clip_1e-4", "noise_ceiling_r2_clip_1e-2", "noise_ceiling_r2_clip_1e-4"}
COUNTS = {"num_machines", "num_mpiprocs_per_machine", "num_cores_per_mpiproc", "round", "exit_status", "n_atoms"}
COUNTS |= {"n_steps", "n_replicas", "n_temperatures_compared", "n_materials", "n_censored", "reference_n_steps"}
COUNTS |= {"energy_n_frames", "force_n_frames"}
WHOLE = {"seed"}
FLAGS = {"fit_consistent", "averaged_over_laws", "arrhenius_consistent", "msd_passes_20_A2", "paused"}
FLAGS |= {"close_match", "partly_occupied", "perturbed", "checked", "from_dataset", "beats_controls"}
LISTS = {"temperatures_used_K", "temperatures_bound", "temperatures_refused", "warnings", "missing", "arms"}
LISTS |= {"members", "members_pooled", "members_with_bound"}
LISTS |= {"jump_types", "materials", "sites", "kinds", "temperatures"}
LISTS |= {"species", "framework_species", "other_mobile_species", "moved_species"}
LISTS |= {"all_species_ionic_conductivity_species", "collective_temperatures_refused", "collective_warnings"}
#: Names with such an ending that hold several numbers.
LIST_PARTS = ("_tensor", "_principal_values", "_xyz_", "_range_", "_window_", "_ci68", "_barriers")
MAPPINGS = {"force_mae_by_element_eV_A", "force_rmse_by_element_eV_A", "rdf_distance_by_pair", "attributes"}
MAPPINGS |= {"element_constants_eV", "closest_pairs_A", "charges_e"}
#: Columns of the database itself.
TIMES = {"time", "ctime", "mtime"}
KEYS = {"pk", "id"}

_UNREADABLE = object()


def kind_of(name: str) -> str:
    """Return the kind of a column.

    ``key``, ``time``, ``interval``, ``flag``, ``whole`` (64 bits), ``count``, ``number``, ``list``, ``mapping``, or
    ``text``, which accepts numbers too. ``words``, text or a list of it, is only used when given explicitly.
    """
    if name in KEYS or name.endswith("_pk"):
        return "key"
    for kind, names in (("time", TIMES), ("flag", FLAGS), ("whole", WHOLE), ("list", LISTS), ("mapping", MAPPINGS)):
        if name in names:
            return kind
    if name.startswith("array|") or any(part in name for part in LIST_PARTS):
        return "list"
    if "_ci95" in name:
        return "interval"
    if name in COUNTS:
        return "count"
    return "number" if is_number(name) else "text"


def is_number(name: str) -> bool:
    """Whether a column holds numbers, by the unit at the end of its name or the count at its start."""
    if name in NUMBERS or name in COUNTS or name.startswith(("n_", "log10_")):
        return True
    return name.endswith(UNITS) and "_by_" not in name


def read_column(name: str, values: Sequence[Any], kind: str | None = None) -> list[Any]:
    """Convert the values of a column to its kind; invalid ones become ``None`` and are counted.

    :param kind: its kind, if the name does not imply it.
    """
    read = _READERS.get(kind or kind_of(name))
    if read is None:
        return list(values)
    cells = [None if value is None else read(value) for value in values]
    bad = sum(value is _UNREADABLE for value in cells)
    if bad:
        note_unreadable(name, bad)
        return [None if value is _UNREADABLE else value for value in cells]
    return cells


def read_number(value: Any) -> float | None:
    """Return a stored value as a number, ``None`` for anything that is not a finite one."""
    number = _number(value)
    return None if number is _UNREADABLE else number


class Attributes(dict[str, Any]):
    """Attributes of a node; missing ones are ``None``."""

    def __missing__(self, name: str) -> None:
        """Return nothing."""


def read_attributes(attributes: Any) -> Attributes:
    """Return the attributes of a node, also nested ones, each converted to the kind of its name, else ``None``.

    Attributes of unknown kind are unchanged, except non-finite numbers. Numeric ones may be lists.
    """
    items = attributes.items() if isinstance(attributes, dict) else ()
    return Attributes({name: _read_attribute(str(name), value) for name, value in items})


def _read_attribute(name: str, value: Any) -> Any:
    kind = kind_of(name)
    several = kind == "number" and isinstance(value, list)  # of each replica, of each block
    if value is not None and not several and kind not in ("text", "key", "time"):
        value = read_column(name, [value])[0]
    if isinstance(value, dict):
        return read_attributes(value)
    if isinstance(value, list):
        return [_read_item(item) for item in value]
    if isinstance(value, str):
        return _text(value)
    return value if value is None or isinstance(value, bool) else read_number(value)


def _read_item(value: Any) -> Any:
    if isinstance(value, list):
        return [_read_item(item) for item in value]
    return _read_attribute("", value)


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return _UNREADABLE
    try:
        # Numbers too large for a float raise; non-finite ones are invalid.
        return value if math.isfinite(value) and abs(value) < LARGEST_WHOLE else _large(value)
    except OverflowError:
        return _UNREADABLE


def _large(value: float) -> Any:
    """Return a number too large for a 64-bit integer as a float."""
    number = float(value)
    return number if math.isfinite(number) else _UNREADABLE


def _whole(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return _UNREADABLE
    if isinstance(value, float) and not (value.is_integer() and abs(value) <= EXACT_FLOAT):
        return _UNREADABLE
    return int(value) if -LARGEST_WHOLE <= value < LARGEST_WHOLE else _UNREADABLE


def _count(value: Any) -> Any:
    whole = _whole(value)
    return whole if whole is not _UNREADABLE and abs(whole) <= LARGEST_COUNT else _UNREADABLE


def _flag(value: Any) -> Any:
    """Return a flag; SQLite returns flags in attributes as 0 and 1."""
    return bool(value) if isinstance(value, (bool, int, float)) and value in (0, 1) else _UNREADABLE


def _text(value: Any) -> Any:
    """Return text; a finite number of moderate length is converted."""
    if isinstance(value, str):
        # A lone surrogate, as in a file name that is not UTF-8, can be neither printed nor written.
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if isinstance(value, bool):
        return str(value)
    number = _number(value)
    return number if number is _UNREADABLE else str(number)


def _short_text(value: Any) -> Any:
    """Return text for a cell; what nobody would read is left out."""
    return _UNREADABLE if isinstance(value, str) and len(value) > LONGEST_TEXT else _text(value)


def _words(value: Any) -> Any:
    return _short_text(", ".join(map(str, value)) if isinstance(value, list) else value)


def _interval(value: Any) -> Any:
    """Return two numbers, either of which may be missing."""
    if not isinstance(value, list) or len(value) != 2:
        return _UNREADABLE
    edges = [None if edge is None else _number(edge) for edge in value]
    return _UNREADABLE if any(edge is _UNREADABLE for edge in edges) else edges


def _kept(kind: type) -> Callable[[Any], Any]:
    return lambda value: value if isinstance(value, kind) else _UNREADABLE


_READERS: dict[str, Callable[[Any], Any]] = {
    "number": _number,
    "whole": _whole,
    "count": _count,
    "flag": _flag,
    "text": _short_text,
    "words": _words,
    "interval": _interval,
    "list": _kept(list),
    "mapping": _kept(dict),
}
