"""The symmetry operations of a CIF: those listed, and those implied by its symbols."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pymatgen.symmetry

from aiida_ion.crystal_files.cif_text import Block
from aiida_ion.crystal_files.numbers import number

OPERATIONS = ("_space_group_symop_operation_xyz", "_symmetry_equiv_pos_as_xyz")
HALL = ("_space_group_name_hall", "_symmetry_space_group_name_hall")
HERMANN_MAUGUIN = (
    *("_space_group_name_h-m_alt", "_symmetry_space_group_name_h-m", "_space_group_name_h-m_full"),
    *("_space_group_name_h-m", "_symmetry_space_group_name_h-m_alt"),
)
NUMBER = ("_space_group_it_number", "_symmetry_int_tables_number")
#: Names with the glide plane e of 1992 -> those of the table.
NEW_NAMES = {"cmce": "cmca", "aem2": "abm2", "aea2": "aba2", "ccce": "ccca", "cmme": "cmma"}
AXES = ("x", "y", "z")
TERM = re.compile(r"[+-]?(?:[xyz]|\d{1,6}/\d{1,6}|\d{0,6}\.\d{1,9}|\d{1,6})")
#: Translations are multiples of 1/24 in all settings; files round them.
TRANSLATIONS = 24
#: Largest difference between a cell and its image by an operation, relative to its edges.
METRIC_TOLERANCE = 0.02


@dataclass(frozen=True)
class Symmetry:
    """Operations x' = R x + t on fractional coordinates.

    :param rotations: whole numbers, (n, 3, 3).
    :param translations: from 0 to 1, (n, 3).
    :param source: where they come from, in words.
    :param setting: name of the setting; empty for listed operations.
    :param number: of the space group; 0 for listed operations.
    """

    rotations: npt.NDArray[np.int64]
    translations: npt.NDArray[np.float64]
    source: str
    setting: str = ""
    number: int = 0

    def __len__(self) -> int:
        return len(self.rotations)

    @property
    def words(self) -> str:
        """The symmetry in words."""
        return f"{len(self)} symmetry operation{'s' if len(self) > 1 else ''} {self.source}"


def listed(block: Block) -> Symmetry | None:
    """Return the operations listed in a CIF; ``None`` if there are none.

    :raises ValueError: for operations that cannot be read or do not form a group.
    """
    texts = block.column(*OPERATIONS)
    if texts is None or all(text.strip() in ("?", ".") for text in texts):
        return None
    symmetry = _from_texts(texts, "listed in the file")
    _check_group(symmetry)
    return symmetry


def named(block: Block) -> list[Symmetry]:
    """Return the possible settings for the symbols of a CIF, the usual one first; empty without symbols.

    The Hall symbol defines a single setting; the Hermann-Mauguin symbol and the number do not fix origin and axes.

    :raises ValueError: for an invalid symbol or number.
    """
    hall, symbol, stated = block.stated(*HALL), block.stated(*HERMANN_MAUGUIN), block.stated(*NUMBER)
    candidates = [_of_entry(entry, f"of the Hall symbol {hall}") for entry in (_by_hall(hall) if hall else [])]
    by_symbol = _by_symbol(symbol) if symbol else []
    if not candidates or all(entry["number"] != candidates[0].number for entry in by_symbol):
        # Two symbols of different groups: both are candidates.
        candidates += [_of_entry(entry, f"of the space group {entry['universal_h_m']}") for entry in by_symbol]
    if stated is not None and all(
        candidate.number != number(stated, "the space group number") for candidate in candidates
    ):
        candidates += [
            _of_entry(entry, f"of space group {stated}, {entry['universal_h_m']}") for entry in _by_number(stated)
        ]
    if candidates:
        return candidates
    unknown = hall or symbol
    if unknown is not None:
        raise ValueError(
            f"the space group {unknown!r} is unknown: give its symmetry operations "
            "(_space_group_symop_operation_xyz) or its number"
        )
    return []


def fits_cell(symmetry: Symmetry, cell: npt.NDArray[Any]) -> bool:
    """Whether a cell has a symmetry: its operations preserve lengths and angles.

    :param cell: rows are cell vectors, angstrom, (3, 3).
    """
    metric = cell @ cell.T
    edges = np.sqrt(np.diag(metric))
    images = np.einsum("nji,jk,nkl->nil", symmetry.rotations, metric, symmetry.rotations)
    return bool(np.all(np.abs(images - metric) <= METRIC_TOLERANCE * np.outer(edges, edges)))


def usual_axes(settings: list[Symmetry]) -> list[Symmetry]:
    """Return the candidates with conventional axes: the first of each group where a symbol does not fix them."""
    bases: dict[int, str] = {}
    for candidate in settings:
        bases.setdefault(candidate.number, candidate.setting.partition(":")[0])
    return [setting for setting in settings if setting.setting.partition(":")[0] == bases[setting.number]]


def is_subgroup(small: Symmetry, large: Symmetry) -> bool:
    """Whether every operation of one is an operation of the other."""
    return _keys(small) <= _keys(large)


def identity() -> Symmetry:
    """Return the trivial symmetry."""
    return Symmetry(np.eye(3, dtype=np.int64)[None], np.zeros((1, 3)), "(none is stated: the atoms are those listed)")


def _by_hall(symbol: str) -> list[Any]:
    """Return the setting of a Hall symbol; spaces matter where there are any: P 32 is not P 3 2."""
    words = symbol.lower().replace("_", " ").split()
    exact = [entry for entry in _table() if entry["hall"].lower().split() == words]
    entries = exact or [entry for entry in _table() if _plain(entry["hall"]) == _plain(symbol)]
    return entries if len({entry["number"] for entry in entries}) == 1 else []


def _by_number(stated: str) -> list[Any]:
    """Return the settings of a space group by its number, with the usual axes.

    :raises ValueError: if there is no such group.
    """
    value = number(stated, "the space group number")
    entries = [entry for entry in _table() if entry["number"] == value and "(" not in entry["universal_h_m"]]
    if not entries:
        raise ValueError(f"there is no space group number {stated}")
    return [entry for entry in entries if entry["hermann_mauguin"] == entries[0]["hermann_mauguin"]]


def _by_symbol(symbol: str) -> list[Any]:
    """Return the possible settings of a Hermann-Mauguin symbol, by its first interpretation."""
    plain = _plain(symbol)
    base, suffix = plain, ""
    with_suffix = re.fullmatch(r"(.+?):?([12hrsz])", plain.replace(":", ":", 1))
    if ":" in plain:
        base, _, suffix = plain.partition(":")
    elif with_suffix and not _settings_of(plain):
        base, suffix = with_suffix[1], with_suffix[2]
    suffix = {"s": "1", "z": "2"}.get(suffix, suffix)
    entries = _settings_of(base)
    exact = [entry for entry in entries if suffix and _plain(entry["universal_h_m"]).endswith(f":{suffix}")]
    return exact or entries


def _settings_of(plain: str) -> list[Any]:
    name = NEW_NAMES.get(plain, plain)
    # Before 1983 the inversion of cubic groups was not written: Fm3m is Fm-3m.
    name = re.sub(r"^([pfi][mnad])3([mncd]?)$", r"\1-3\2", name)
    for key in ("hermann_mauguin", "short_h_m", "hermann_mauguin_u"):
        entries = [entry for entry in _table() if _plain(entry[key]) == name and "(" not in entry["universal_h_m"]]
        if entries:
            return entries
    return [entry for entry in _table() if _plain(entry["universal_h_m"]) == name]


@cache
def _table() -> list[Any]:
    """Return pymatgen's table of settings, with the operations of each."""
    path = Path(pymatgen.symmetry.__file__).parent / "symm_ops.json"
    table: list[Any] = json.loads(path.read_text())
    return table


def _plain(symbol: str) -> str:
    return re.sub(r"[\s_]", "", symbol).lower().replace('"', "''")


def _of_entry(entry: Any, source: str) -> Symmetry:
    symmetry = _from_texts(entry["symops"], source)
    return Symmetry(symmetry.rotations, symmetry.translations, source, entry["universal_h_m"], entry["number"])


def _from_texts(texts: list[str], source: str) -> Symmetry:
    rotations, translations = [], []
    for text in texts:
        rows = [_component(part) for part in text.lower().replace(";", ",").split(",")]
        rotation = np.array([row[:3] for row in rows if row is not None])
        if len(rows) != 3 or rotation.shape != (3, 3) or abs(round(float(np.linalg.det(rotation)))) != 1:
            raise ValueError(f"{text[:40]!r} is not a symmetry operation such as -x,y+1/2,z")
        rotations.append(rotation.astype(np.int64))
        translations.append(np.array([row[3] for row in rows if row is not None]) % 1.0)
    shifts = np.array(translations)
    rounded = np.rint(shifts * TRANSLATIONS) / TRANSLATIONS
    shifts = np.where(np.abs(shifts - rounded) < 2e-3, rounded % 1.0, shifts)
    unique = {key: index for index, key in reversed(list(enumerate(_key(np.array(rotations), shifts))))}
    kept = sorted(unique.values())
    return Symmetry(np.array(rotations)[kept], shifts[kept], source)


def _component(text: str) -> list[float] | None:
    """Return the factors of x, y and z and the shift in a component such as -x+y+1/2; ``None`` if invalid."""
    plain = re.sub(r"\s", "", text)
    terms = TERM.findall(plain)
    if not terms or "".join(terms) != plain:
        return None
    values = [0.0, 0.0, 0.0, 0.0]
    for term in terms:
        sign, word = (-1.0 if term[0] == "-" else 1.0), term.lstrip("+-")
        if word in AXES:
            values[AXES.index(word)] += sign
            continue
        upper, _, lower = word.partition("/")
        if lower and float(lower) == 0.0:
            return None
        values[3] += sign * float(upper) / float(lower or 1.0)
    return values


def _check_group(symmetry: Symmetry) -> None:
    """Refuse a list that lacks operations: products of listed ones, or the identity."""
    if len(symmetry) > 1536:
        raise ValueError(f"{len(symmetry)} symmetry operations are more than any group has")
    keys = _keys(symmetry)
    for rotation, shift in zip(symmetry.rotations, symmetry.translations, strict=True):
        products = rotation @ symmetry.rotations
        moved = (symmetry.translations @ rotation.T + shift) % 1.0
        if not set(_key(products, moved)) <= keys:
            raise ValueError(
                f"its {len(symmetry)} symmetry operations are not a group: at least one is missing or wrong, "
                "so that atoms would be missing"
            )


def _keys(symmetry: Symmetry) -> set[tuple[int, ...]]:
    return set(_key(symmetry.rotations, symmetry.translations))


def _key(rotations: npt.NDArray[Any], translations: npt.NDArray[Any]) -> list[tuple[int, ...]]:
    # A grid of 1/240 distinguishes 1/24 from 1/10, and wrapping it maps 0.9999 to 0.
    shifts = np.rint(np.asarray(translations) * 240).astype(int) % 240
    return [
        tuple(int(part) for part in (*rotation.ravel(), *shift))
        for rotation, shift in zip(rotations, shifts, strict=True)
    ]
