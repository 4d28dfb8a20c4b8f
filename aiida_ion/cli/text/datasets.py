"""A dataset of labelled frames as text: its sources, its splits, what was left out, and what it covers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiida import orm

from aiida_ion.cli.text.tables import entries, number, sentences, text, text_table
from aiida_ion.queries.reading.kinds import read_attributes
from aiida_ion.training.frames import SPLITS
from aiida_ion.training.settings import BY_BLOCK, BY_RUN, GIVEN, INTERPOLATED

#: Longest list of sources and remarks on the screen.
MOST_ROWS = 40
RULE_WORDS = {
    BY_RUN: "whole runs",
    BY_BLOCK: "blocks of each run, with gaps between",
    GIVEN: "as given",
    INTERPOLATED: "frames at random: errors are those of frames that were nearly seen (interpolated)",
}


def is_dataset(attributes: Mapping[str, Any]) -> bool:
    """Return whether attributes are those of a dataset of labelled frames."""
    return "closest_pairs_A" in attributes and "split_rule" in attributes and "sources" in attributes


def dataset_lines(node: orm.Node) -> list[str]:
    """Return a dataset as lines of text."""
    attributes = read_attributes(node.base.attributes.all)
    counts = [int(attributes.get(f"n_{split}") or 0) for split in SPLITS]
    split = ", ".join(f"{count} {name}" for name, count in zip(SPLITS, counts, strict=True))
    rule = text(attributes.get("split_rule"))
    lines = [
        f"{text(attributes.get('level_of_theory'))}: {sum(counts)} frames of {', '.join(formulas(attributes))}",
        f"split: {split}, by {RULE_WORDS.get(rule, rule)}",
        f"sha256 of the frames: {text(attributes.get('sha256'))}",
        "",
        *text_table(_source_rows(node, attributes)).splitlines(),
    ]
    refused = attributes.get("refused")
    if isinstance(refused, Mapping) and refused:
        lines += ["", "left out:", *(f"  {count} frames: {reason}" for reason, count in sorted(refused.items()))]
    lines += ["", *_coverage(attributes)]
    remarks = sentences(attributes.get("remarks"))
    lines += [f"note: {remark}" for remark in remarks[:MOST_ROWS]]
    return lines + ([f"note: {len(remarks) - MOST_ROWS} more"] if len(remarks) > MOST_ROWS else [])


def formulas(attributes: Mapping[str, Any]) -> list[str]:
    """Return the compositions of a dataset, such as ``Li24P4S20Cl4``."""
    compositions = entries(attributes.get("compositions"))
    names = ["".join(f"{element}{count}" for element, count in one.items()) for one in compositions]
    return names if len(names) <= 6 else [*names[:5], f"{len(names) - 5} more"]


def _source_rows(node: orm.Node, attributes: Mapping[str, Any]) -> list[dict[str, str]]:
    sources = entries(attributes.get("sources"))
    counted = _counts(node, len(sources))
    checks, strides = entries(attributes.get("checks")), attributes.get("strides_fs")
    rows = []
    for index, source in enumerate(sources[:MOST_ROWS]):
        check = checks[index] if index < len(checks) else {}
        stride = strides[index] if isinstance(strides, Sequence) and index < len(strides) else None
        rows.append(
            {
                "source": _pk(source.get("trajectory")) + (" (labels)" if source.get("labels") else ""),
                "run": text(source.get("run")),
                "K": number(source.get("temperature_K"), 6),
                "stride, fs": number(stride, 4),
                **{name: str(count) for name, count in zip(SPLITS, counted[index], strict=True)},
                "dE / work": _checked(check),
            }
        )
    if len(sources) > MOST_ROWS:
        rows.append({"source": f"{len(sources) - MOST_ROWS} more"})
    return rows


def _counts(node: orm.Node, n_sources: int) -> list[list[int]]:
    """Return the frames of each split of each source."""
    if not isinstance(node, orm.ArrayData) or not {"source", "split"} <= set(node.get_arraynames()):
        return [[0, 0, 0]] * n_sources
    source, split = node.get_array("source"), node.get_array("split")
    return [[int(((source == index) & (split == use)).sum()) for use in range(3)] for index in range(n_sources)]


def _pk(uuid: Any) -> str:
    """Return the pk of a node, its uuid where it is not here."""
    pks = orm.QueryBuilder().append(orm.Node, filters={"uuid": str(uuid)}, project=["id"]).all(flat=True)
    return str(pks[0]) if pks else text(uuid)


def _checked(check: Mapping[str, Any]) -> str:
    if check.get("value") is None:
        return "not tested"
    method = text(check.get("method"))
    return number(check["value"], 3) + ("" if method == "work" else f" ({method})")


def _coverage(attributes: Mapping[str, Any]) -> list[str]:
    pairs = attributes.get("closest_pairs_A")
    temperatures = attributes.get("temperatures_K")
    volumes = attributes.get("volumes_A3_atom")
    lines = []
    if isinstance(pairs, Mapping):
        lines.append(
            f"closest pairs, angstrom: {', '.join(f'{name} {number(value)}' for name, value in pairs.items())}"
        )
    watch = attributes.get("watch")
    if isinstance(watch, Mapping) and isinstance(watch.get("bounds_A"), Mapping):
        bounds = ", ".join(f"{text(name)} {number(value)}" for name, value in watch["bounds_A"].items())
        lines.append(f"runs of potentials trained on it are stopped below, angstrom: {bounds}")
        lines += [f"note: {remark}" for remark in sentences(watch.get("remarks"))]
    if isinstance(temperatures, list) and temperatures:
        lines.append(f"temperatures, K: {', '.join(number(value, 6) for value in temperatures)}")
    if isinstance(volumes, list) and len(volumes) == 2:
        lines.append(f"volume, angstrom^3 per atom: {number(volumes[0], 4)} to {number(volumes[1], 4)}")
    lines.append(f"stress: {'of every frame' if attributes.get('has_stress') is True else 'not of every frame'}")
    constants = attributes.get("element_constants_eV")
    if isinstance(constants, Mapping):
        values = ", ".join(f"{name} {number(value, 6)}" for name, value in constants.items())
        known = attributes.get("constants_are_determined") is True
        also = "" if known else " (only their sum is known: the dataset is for no other composition)"
        lines.append(f"energy constants, eV: {values}{also}")
    return lines
