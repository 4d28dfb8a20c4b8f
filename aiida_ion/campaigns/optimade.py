"""Crystals of OPTIMADE servers, each with where it came from."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aiida_ion.campaigns.optimade_pages import Limits, OptimadeError, Source, entries, parse_source
from aiida_ion.crystal_files.plausible import caveats_and_notes
from aiida_ion.messages import one_line

if TYPE_CHECKING:
    from aiida import orm
    from pymatgen.core.structure import Structure

#: Extra of a StructureData with what is known of its entry. An extra, because attributes enter the hash of the node:
#: the same crystal from another server is the same, and its results are found again.
OPTIMADE = "aiida_ion_optimade"
#: Most sites of a crystal, and longest text of an entry that is kept.
MAX_SITES = 2000
LONGEST = 300
#: Larger cells and positions are mistakes, angstrom.
LARGEST_A = 1e4
MISSING = "OPTIMADE servers need the package optimade: pip install 'aiida-ion[optimade]'"


def optimade_crystals(
    text: str, refused: dict[str, str], limits: Limits | None = None
) -> Iterator[tuple[str, orm.StructureData]]:
    """Yield the crystals of ``optimade:URL?filter``, each with its name, as new nodes with their provenance.

    The extra ``aiida_ion_optimade`` of a node says address, identifier, filter, time and provider.

    :param refused: gets the name of each entry that is not a crystal that can be computed, and why.
    :param limits: what the server may send.
    :raises OptimadeError: if the package is missing, the text is not a source, its filter is not one, or the server
        does not answer as it should; crystals that were yielded before remain usable.
    """
    source = parse_source(text)
    check_filter(source.filter)
    for number, (entry, meta) in enumerate(entries(source, limits), start=1):
        provenance = _provenance(entry, meta, source)
        name = f"{provenance['provider'] or _host(source)} {provenance['id'] or f'entry {number}'}"
        try:
            if provenance["id"] is None:
                raise ValueError("the server gives no id")
            structure = _structure(entry)
        except ValueError as error:
            refused[name] = str(error)
            continue
        yield name, _node(structure, name, provenance)


def check_filter(text: str) -> None:
    """Refuse a filter that is not in OPTIMADE's language, before a server is asked.

    :raises OptimadeError: with the place of the mistake.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from optimade.exceptions import BadRequest
            from optimade.filterparser import LarkParser, ParserError
    except ImportError as error:
        raise OptimadeError(MISSING) from error
    if not text:
        return
    try:
        LarkParser().parse(text)
    except (BadRequest, ParserError) as error:
        reason = one_line(getattr(error, "detail", None) or error)
        raise OptimadeError(f"the filter {text!r:.200} is not in OPTIMADE's language: {reason:.200}") from error


def _structure(entry: dict[str, Any]) -> Structure:
    """Return the crystal of an entry.

    :raises ValueError: if it is not one that can be computed; the message says why.
    """
    _check_size(entry)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on optional properties that a server leaves out
        from optimade.adapters import Structure as Entry

        try:
            adapted = Entry(entry)
            attributes = adapted.entry.attributes
            if list(attributes.dimension_types or []) != [1, 1, 1] and attributes.nperiodic_dimensions != 3:
                raise _NotACrystalError("it is not periodic in three dimensions")
            structure: Any = adapted.as_pymatgen
        except _NotACrystalError:
            raise
        except Exception as error:  # pydantic, pymatgen and the adapter each have their own
            reason = f"{type(error).__name__}, {one_line(error)}"
            raise ValueError(f"the entry does not follow the specification: {reason:.300}") from error
    caveats = _caveats(structure)
    if caveats:
        raise ValueError(caveats[0])
    return structure  # type: ignore[no-any-return]


class _NotACrystalError(ValueError):
    """An entry that is valid and not a crystal."""


def _check_size(entry: dict[str, Any]) -> None:
    """Refuse an entry without a structure or with too many sites, before it is read."""
    if entry.get("type") not in (None, "structures"):
        raise ValueError(f"it is not a structure but of the type {entry.get('type')!r:.40}")
    attributes = entry.get("attributes")
    if not isinstance(attributes, dict):
        raise ValueError("the entry has no attributes")
    for name in ("lattice_vectors", "cartesian_site_positions", "species_at_sites"):
        values = attributes.get(name)
        if not isinstance(values, list) or not values:
            raise ValueError(f"the server gives no {name}")
        if len(values) > MAX_SITES:
            raise ValueError(f"it has more than {MAX_SITES:,} sites")
    for name in ("lattice_vectors", "cartesian_site_positions"):
        _check_vectors(attributes[name], name)


def _check_vectors(vectors: list[Any], name: str) -> None:
    """Refuse what is no list of three numbers each, and lengths that no cell has."""
    for vector in vectors:
        if not isinstance(vector, list) or len(vector) != 3:
            raise ValueError(f"{name} are not lists of three numbers")
        for number in vector:
            if isinstance(number, bool) or not isinstance(number, int | float):
                raise ValueError(f"{name} are not lists of three numbers")
            if abs(number) > LARGEST_A:
                raise ValueError(f"{name} are larger than {LARGEST_A:g} angstrom")


def _caveats(structure: Structure) -> list[str]:
    """Return what is impossible of a crystal: a cell without volume, atoms at one place."""
    if len(structure) == 0 or not structure.volume > 0:
        return ["its cell has no volume"]
    if any("X" in element.symbol for element in structure.composition.elements):
        return ["it has atoms of an unknown element"]
    if not structure.is_ordered:
        return []  # a screening refuses it with what to do
    try:
        return caveats_and_notes(structure)[0]
    except ValueError as error:
        return [str(error)]


def _node(structure: Structure, name: str, provenance: dict[str, Any]) -> orm.StructureData:
    from aiida import orm

    node = orm.StructureData(pymatgen=structure)
    node.label = name[:LONGEST]
    node.description = f"OPTIMADE entry {provenance['id']} of {provenance['url']}"
    node.base.extras.set(OPTIMADE, provenance)
    return node


def _provenance(entry: dict[str, Any], meta: dict[str, Any], source: Source) -> dict[str, Any]:
    """Return where an entry came from; texts of the server are cut and printable."""
    attributes = entry.get("attributes") if isinstance(entry.get("attributes"), dict) else {}
    provider = meta.get("provider") if isinstance(meta.get("provider"), dict) else {}
    words = {name: _text((provider or {}).get(name)) for name in ("name", "prefix")}
    return {
        "url": source.base_url,
        "version": source.version,
        "api_version": _text(meta.get("api_version")),
        "id": _text(entry.get("id")),
        "filter": source.filter,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "provider": words["prefix"] or words["name"],
        "provider_name": words["name"],
        **{name: _text((attributes or {}).get(name)) for name in ("immutable_id", "last_modified")},
        "formula": _text((attributes or {}).get("chemical_formula_reduced")),
    }


def _text(value: Any) -> str | None:
    if not isinstance(value, str | int) or isinstance(value, bool):
        return None
    return "".join(letter if letter.isprintable() else "?" for letter in str(value)[:LONGEST]) or None


def _host(source: Source) -> str:
    return source.base_url.partition("//")[2].partition("/")[0]
