"""What becomes of the crystals of OBELiX, as a table."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, cast

import click

from aiida_ion.analysis.disorder.settings import OrderingSettings
from aiida_ion.cli.options import Command, setting
from aiida_ion.settings.schema import rules_of

_RULES = rules_of(OrderingSettings)
FORMATS = ("text", "csv", "json")
#: Sentence below the table.
EXPLAINED = (
    "Li and composition: deviation of the cell from what was stated, % of the ions and of the atoms; table: difference "
    "of file and table; Li from: where the number of ions is from. --format csv has all columns and whole messages."
)


def plan_options(command: Command) -> Command:
    """Give a command the options of the table; it gets them together as ``plans``."""

    @wraps(command)
    def with_plans(max_atoms: int, orderings: int, style: str, **others: Any) -> Any:
        plans = {"max_atoms": max_atoms, "orderings": orderings, "style": style}
        return command(plans=plans, **others)

    defaults, wrapped = OrderingSettings(), cast("Command", with_plans)
    for decorate in (
        click.option("--format", "style", type=click.Choice(FORMATS), default="text", help="Of the table of crystals."),
        setting(_RULES["n_orderings"], "--orderings", "orderings", default=defaults.n_orderings, show_default=True),
        setting(_RULES["max_atoms"], "--max-atoms", default=defaults.max_atoms, show_default=True),
    ):
        wrapped = decorate(wrapped)
    return wrapped


def ordering_of_plans(plans: Mapping[str, Any]) -> OrderingSettings:
    """Return the settings of the orderings that the options ask for.

    :param plans: of :func:`plan_options`.
    """
    return OrderingSettings.from_dict({"max_atoms": plans["max_atoms"], "n_orderings": plans["orderings"]})


def print_plans(source: Path | None, selected: Sequence[str], max_atoms: int, orderings: int, style: str) -> None:
    """Print for each selected crystal its cell, or why it is refused; needs neither engine nor profile.

    :param style: ``text``, ``csv`` or ``json``; the last two with all columns, fractions instead of percent.
    """
    from aiida_ion.campaigns.obelix.orderings import counts_of, planned_entries
    from aiida_ion.campaigns.obelix.tasks import default_folder
    from aiida_ion.datasets.obelix import read_obelix
    from aiida_ion.datasets.obelix_crystals import select
    from aiida_ion.datasets.obelix_download import download

    entries = read_obelix(source or download(default_folder()))
    words = [word.strip() for part in selected for word in part.split(",")]
    settings = OrderingSettings.from_dict({"max_atoms": max_atoms, "n_orderings": orderings})
    rows = planned_entries(select(entries, words), settings)
    if not rows:
        raise click.ClickException("none of these entries has a structure file")
    if style == "text":
        click.echo("\n".join([text_of(rows), EXPLAINED, *counts_of(rows), "Nothing was submitted (--dry-run)."]))
    else:
        click.echo(json.dumps(rows, indent=1) if style == "json" else csv_of(rows), nl=style == "json")


def text_of(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the most important columns as text."""
    from aiida_ion.cli.text.tables import text_table

    return text_table([_shown(row) for row in rows])


def _shown(row: Mapping[str, Any]) -> dict[str, str]:
    from aiida_ion.cli.text.tables import number, text

    return {
        "id": row["id"],
        "family": text(row["family"]),
        "formula": row["formula"],
        "disorder": text(row["disorder"]),
        "atoms": number(row["n_atoms"], 4),
        "cells": number(row["n_primitive_cells"], 4),
        "width, A": number(row["width_A"]),
        "orderings": number(row["n_orderings"]),
        "Li, %": _percent(row["mobile_deviation"]),
        "composition, %": _percent(row["composition_deviation"]),
        "Li from": text(row["mobile_source"]),
        "table, %": _percent(row["table_difference"]),
        "refused": f"{row['reason']}: {row['message']}" if row["reason"] else "",
    }


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"


def csv_of(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return all columns as CSV."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows([{**row, "multiples": json.dumps(row["multiples"])} for row in rows])
    return stream.getvalue()
