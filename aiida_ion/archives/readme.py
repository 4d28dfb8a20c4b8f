"""The README of an archive: results, how to open it, versions, settings, what to cite, and licences.

Only the chosen nodes are queried, so the time does not depend on the size of the database.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from aiida import get_version, orm

from aiida_ion import __version__
from aiida_ion.aiida_private.caching import HASH
from aiida_ion.archives.citations import citations
from aiida_ion.archives.selection import Choice
from aiida_ion.queries.conductivities import worst_grades
from aiida_ion.queries.reading.shared import as_text
from aiida_ion.queries.structures import space_groups
from aiida_ion.verdicts import MEASURED, MOVED, POORLY_KNOWN, SHOWN_LIMITS, useful_bound, verdict_of, words_of

#: The attribute of a linked measurement that names its source; OBELiX is CC BY 4.0.
DATASET = "attributes.dataset"
SIGMA, DIFFUSIVITY = "ionic_conductivity", "tracer_diffusivity"
#: Letters of a crystal's key, the hash of its content.
ID_LETTERS = 8
#: Characters with a meaning in Markdown or HTML.
SPECIAL = str.maketrans({letter: f"\\{letter}" for letter in "\\`*_[]|~#"} | {"<": "&lt;", ">": "&gt;", "&": "&amp;"})
HEADS = ("material", "crystal", "level of theory", "T (K)", "result", "Ea", "verdict", "grade", "uuid")
#: Entries of a job's versions that are text and no version.
SETTINGS = ("functional", "smearing")
LEVEL, EA = HEADS.index("level of theory"), HEADS.index("Ea")


def readme(choice: Choice, name: str, licence: str | None, left_out: frozenset[int]) -> str:
    """Return the README of an archive.

    :param name: the archive's file name.
    :param licence: licence of the data, if any.
    :param left_out: nodes whose files are not in the archive.
    """
    pks = sorted(choice.pks)
    results, fits = _conductivities(pks), _diffusivities(pks)
    versions, settings, hashes = _stated(pks)
    levels = {row[LEVEL] for row in results + fits}
    parts = [f"# {plain(name)}", _intro(choice), _table("Ionic conductivity, extrapolated", results)]
    parts += [_table("Diffusion at each temperature", fits), _opening(name), _left_out(choice, left_out)]
    parts += [_listed("Versions", versions), _listed("Settings", settings), _listed("Hashes", hashes)]
    parts += [_cite(versions, levels), _licences(pks, licence)]
    return "\n\n".join(part for part in parts if part) + "\n"


def plain(text: object) -> str:
    """Return text escaped for Markdown, on one line."""
    one_line = " ".join("".join(letter if letter.isprintable() else " " for letter in str(text)).split())
    return one_line.translate(SPECIAL)


def _intro(choice: Choice) -> str:
    groups = ", ".join(plain(group.label) for group in choice.groups)
    what = f"Groups: {groups}.\n" if groups else ""
    made = f"Made on {datetime.now(UTC):%Y-%m-%d} by aiida-ion {__version__} with aiida-core {get_version()}."
    return f"{what}{len(choice.pks)} nodes: results with their provenance.\n{made}"


def _results(pks: Sequence[int], marker: str, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return the attributes of the chosen arrays with a given one, by material, level of theory and temperature."""
    query = orm.QueryBuilder()
    filters = {"id": {"in": pks}, "attributes": {"has_key": marker}}
    query.append(orm.ArrayData, filters=filters, project=["id", "uuid", *(f"attributes.{name}" for name in names)])
    rows = [dict(zip(["pk", "uuid", *names], row, strict=True)) for row in query.all()]
    return sorted(rows, key=lambda row: (*map(str, (row[name] for name in names[:2])), row[names[2]] or 0.0))


def _crystals(pks: Sequence[int]) -> dict[str, str]:
    """Return the crystal of each result, by its uuid: space group and id, as in printed tables."""
    found: list[tuple[str, str, str | None]] = []
    for by_job in (False, True):
        query = orm.QueryBuilder().append(orm.StructureData, project=["uuid", as_text(HASH)], tag="crystal")
        query.append(orm.WorkChainNode, with_incoming="crystal", edge_filters={"label": "structure"}, tag="maker")
        if by_job:
            query.append(orm.CalcJobNode, with_incoming="maker", tag="maker of fit")
        maker = "maker of fit" if by_job else "maker"
        query.append(orm.ArrayData, with_incoming=maker, filters={"id": {"in": pks}}, project=["uuid"])
        found += [(result, uuid, digest) for uuid, digest, result in query.all()]
    groups = space_groups(uuid for _, uuid, _ in found)
    return {
        result: " ".join(filter(None, (groups[uuid], (digest or uuid)[:ID_LETTERS]))) for result, uuid, digest in found
    }


def _conductivities(pks: Sequence[int]) -> list[tuple[str, ...]]:
    energy = ("activation_energy_eV", "activation_energy_ci95_eV")
    names = ("formula", "level_of_theory", "target_temperature_K", *energy, *_names(SIGMA, "mS_cm"))
    rows, crystals = _results(pks, "activation_energy_eV", names), _crystals(pks)
    grades = worst_grades([row["pk"] for row in rows]).set_index("pk")["grade"].to_dict() if rows else {}
    return [_row(row | {"grade": grades.get(row["pk"])}, SIGMA, "mS_cm", "mS/cm", crystals) for row in rows]


def _diffusivities(pks: Sequence[int]) -> list[tuple[str, ...]]:
    names = ("formula", "level_of_theory", "target_temperature_K", "grade", *_names(DIFFUSIVITY, "cm2_s"))
    crystals = _crystals(pks)
    return [_row(row, DIFFUSIVITY, "cm2_s", "cm2/s", crystals) for row in _results(pks, "n_eff", names)]


def _names(quantity: str, unit: str) -> tuple[str, ...]:
    edges = (f"{quantity}_ci95_{unit}", f"{quantity}_upper_bound_{unit}")
    return "verdict", *SHOWN_LIMITS, f"{quantity}_{unit}", *edges


def _row(
    row: Mapping[str, Any], quantity: str, unit: str, shown_unit: str, crystals: Mapping[str, str]
) -> tuple[str, ...]:
    bound, verdict = useful_bound(row, quantity, unit), verdict_of(row)
    text = _amount(row, quantity, unit, shown_unit) or ("-" if bound is None else f"below {bound:.3g} {shown_unit}")
    temperature = row["target_temperature_K"]
    return (
        str(row["formula"]),
        crystals.get(row["uuid"], ""),
        str(row["level_of_theory"]),
        "" if temperature is None else f"{temperature:g}",
        text,
        _amount(row, "activation_energy", "eV", "eV"),
        words_of(verdict) if verdict else "",
        str(row.get("grade") or ""),
        row["uuid"],
    )


def _amount(row: Mapping[str, Any], quantity: str, unit: str, shown_unit: str) -> str:
    """Return a value with its interval, of a poorly known result the interval alone, and else nothing."""
    value, interval, verdict = row.get(f"{quantity}_{unit}"), row.get(f"{quantity}_ci95_{unit}"), verdict_of(row)
    edges = f"{interval[0]:.3g} to {interval[1]:.3g}" if interval else ""
    if verdict == POORLY_KNOWN and edges:
        return f"({edges}) {shown_unit}"
    if value is None or verdict not in (MOVED, MEASURED):
        return ""
    return f"{value:.3g}" + (f" ({edges})" if edges else "") + f" {shown_unit}"


def _table(title: str, rows: Sequence[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    used = [index for index in range(len(HEADS)) if any(row[index] for row in rows)]
    lines = [" | ".join(HEADS[index] for index in used), " | ".join("---" for _ in used)]
    lines += [" | ".join(plain(row[index]) for index in used) for row in rows]
    table = "\n".join(f"| {line} |" for line in lines)
    how = "Brackets give the 95 % interval; `below` is an upper bound, where no diffusion was detected;"
    how += " a poorly known value is given only by its interval."
    if any(row[EA] for row in rows):
        how += " The grade of a conductivity is the worst of the temperatures that it uses."
    return f"## {title}\n\n{how}\n\n{table}"


def _opening(name: str) -> str:
    return (
        "## How to open it\n\n"
        "With aiida-core alone, into one of your profiles: `verdi archive import FILE`.\n"
        "Every node is a plain AiiDA class; every number in the tables is an attribute of the node with that uuid, and "
        "its name has the unit.\n"
        "With aiida-ion, without importing: `aiida-ion dashboard --archive FILE`.\n"
        f"FILE is {plain(name)}."
    )


def _left_out(choice: Choice, left_out: frozenset[int]) -> str:
    if not left_out:
        return ""
    kinds = [("the frames of trajectories", choice.trajectories), ("the retrieved files of jobs", choice.retrieved)]
    kinds.append(("the files of potentials", choice.potentials))
    names = " and ".join(text for text, pks in kinds if pks and pks <= left_out)
    return (
        f"## What is not in it\n\nLeft out: {names}.\n"
        "The nodes are there with their attributes, but without their files; the extra `aiida_ion_left_out` names "
        "them.\nImporting the complete archive later does not restore them in a profile that has such a node."
    )


def _stated(pks: Sequence[int]) -> list[dict[str, set[str]]]:
    """Return what the jobs state of themselves: versions by program, settings of the electrons, and hashes."""
    query = orm.QueryBuilder().append(orm.CalcJobNode, filters={"id": {"in": pks}}, tag="job")
    query.append(orm.Dict, with_incoming="job", edge_filters={"label": "versions"}, project="attributes")
    kinds: list[dict[str, set[str]]] = [defaultdict(set), defaultdict(set), defaultdict(set)]
    for stated in query.all(flat=True):
        for name, value in stated.items():
            if isinstance(value, (str, int, float)):
                is_setting = not isinstance(value, str) or name in SETTINGS
                kind = 2 if str(name).endswith("sha256") else int(is_setting)
                kinds[kind][str(name)].add(str(value))
    return kinds


def _listed(title: str, stated: Mapping[str, set[str]]) -> str:
    lines = [f"* {plain(name)}: {', '.join(plain(one) for one in sorted(stated[name]))}" for name in sorted(stated)]
    return "\n".join([f"## {title}", "", *lines]) if lines else ""


def _cite(versions: Mapping[str, set[str]], levels: set[str]) -> str:
    lines = [f"* {part}: {', '.join(papers)}" for part, _, papers in citations({*versions, *levels})]
    return "\n".join(["## How to cite", "", "Cite these papers, and the sender of this file.", "", *lines])


def _licences(pks: Sequence[int], licence: str | None) -> str:
    text = f"The data: {plain(licence)}." if licence else "The data: no licence was stated; ask the sender."
    query = orm.QueryBuilder().append(orm.Data, filters={"id": {"in": pks}}, project=["attributes.source.license"])
    stated = sorted({plain(entry) for entry in query.all(flat=True) if entry})
    lines = [text, "The programs of aiida-ion, which the jobs ran: MIT."]
    lines += [f"Stated by nodes: {', '.join(stated)}."] if stated else []
    measured = orm.QueryBuilder()
    marked = {"id": {"in": pks}, "attributes": {"has_key": "entry_id"}}
    datasets = sorted(
        {plain(entry) for entry in measured.append(orm.Dict, filters=marked, project=DATASET).all(flat=True)}
    )
    lines += [f"Measurements come from {', '.join(datasets)}, under its licence."] if datasets else []
    files = _foreign_files(pks)
    lines += [f"Third-party files, each under its own licence: {', '.join(files)}."] if files else []
    return "## Licences\n\n" + "\n".join(lines)


def _foreign_files(pks: Sequence[int]) -> list[str]:
    """Return the names of single files in the database: checkpoints, pseudopotentials, potentials."""
    made = orm.QueryBuilder().append(orm.ProcessNode, tag="process")
    made.append(orm.SinglefileData, with_incoming="process", filters={"id": {"in": pks}}, project="id")
    query = orm.QueryBuilder().append(orm.SinglefileData, filters={"id": {"in": pks}}, project=["id", "attributes"])
    own = set(made.all(flat=True))
    return sorted({plain(attributes.get("filename", pk)) for pk, attributes in query.all() if pk not in own})
