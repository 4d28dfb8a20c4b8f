"""``aiida-ion compare``: how far one level of theory is from another."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aiida_ion.campaigns.structures import NODE
from aiida_ion.cli.common import OneLineErrors, load, profile_option
from aiida_ion.cli.options import TEXT, SettingType, setting
from aiida_ion.cli.table import FORMATS

if TYPE_CHECKING:
    from aiida_ion.queries import Selection


@click.command("compare", cls=OneLineErrors)
@click.argument("nodes", nargs=-1, metavar="[PK|UUID]...", type=SettingType(NODE))
@click.option("--format", "style", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file.")
@setting(TEXT, "--material", help="Only this reduced formula, such as Li3N")
@setting(TEXT, "--level-of-theory", help="Only this level of theory, such as 'SevenNet 7net-0'")
@profile_option
def command(
    nodes: tuple[str, ...],
    style: str,
    output: Path | None,
    material: str | None,
    level_of_theory: str | None,
    profile: str | None,
) -> None:
    """Compare levels of theory with their reference: diffusion, conductivity, forces, structure, cost.

    PK is a comparison or the process that made it; all in the database otherwise. Ratios are level over reference,
    differences level less reference, intervals 95 %; missing values are listed with the reason. With three or more
    materials each level is compared with a constant, with eight or more also with a random forest of compositions.
    csv and json hold every column with its unit in the name, json also lists, such as the values at each temperature.

    \b
    Example:
      aiida-ion compare
      aiida-ion compare 1234 --format markdown
    """
    load(profile)
    from aiida_ion.cli.text import tables
    from aiida_ion.queries import Selection, comparison, comparison_records

    chosen = Selection(formula=material, level_of_theory=level_of_theory)
    pks = comparisons(nodes) if nodes else None
    if style == "csv":
        content = tables.csv_text(comparison(chosen, pks))
    elif style == "json":
        content = json.dumps({"comparison": nested(chosen, pks)}, indent=2, default=str, allow_nan=False)
    else:
        content = text_of(comparison_records(chosen, pks), style)
    if output is None:
        click.echo(content)
        return
    output.write_text(content + "\n")
    click.echo(f"Written: {output}")


def nested(selection: Selection, pks: Sequence[int] | None) -> list[dict[str, Any]]:
    """Return the table of comparisons as mappings, each with the lists and mappings of its node."""
    from aiida_ion.queries import comparison, comparison_records
    from aiida_ion.queries.cells import records

    lists = {
        entry["pk"]: {name: value for name, value in entry.items() if isinstance(value, (list, dict))}
        for entry in comparison_records(selection, pks)
    }
    return [row | lists[row["pk"]] for row in records(comparison(selection, pks))]


def comparisons(identifiers: Sequence[str]) -> list[int]:
    """Return the pks of comparisons: nodes themselves, and outputs of processes.

    :raises click.ClickException: for a node that is neither.
    """
    from aiida import orm
    from aiida.common.exceptions import MultipleObjectsError, NotExistent

    pks: list[int] = []
    for identifier in identifiers:
        try:
            node = orm.load_node(identifier)
        except (NotExistent, MultipleObjectsError, ValueError) as error:
            raise click.ClickException(f"there is no node {identifier}; 'aiida-ion compare' lists all") from error
        is_process = isinstance(node, orm.ProcessNode)
        outputs = node.base.links.get_outgoing(node_class=orm.ArrayData).all_nodes() if is_process else [node]
        numbers = [
            int(str(output.pk)) for output in outputs if "reference_level_of_theory" in output.base.attributes.all
        ]
        if is_process and not numbers:
            text = f"process {identifier} has no comparison; 'aiida-ion status {node.pk}' says how far it is"
            raise click.ClickException(text)
        if not numbers:
            raise click.ClickException(f"node {identifier} is not a comparison; 'aiida-ion compare' lists all")
        pks += numbers
    return pks


def text_of(records: list[dict[str, Any]], style: str) -> str:
    """Return comparisons as text or markdown.

    :param records: :func:`~aiida_ion.queries.comparison_records`.
    """
    from aiida_ion.cli.text import tables
    from aiida_ion.cli.text.baselines import baseline_groups, baseline_lines, baseline_rows
    from aiida_ion.cli.text.comparisons import comparison_tables, missing_lines

    if not records:
        return "No comparisons yet. Start with 'aiida-ion run' and two engines or more."
    layout, heading = ("github", "## {}") if style == "markdown" else ("simple", "{}")
    parts = []
    for name, rows in comparison_tables(records).items():
        parts += [heading.format(name), tables.text_table(rows, layout)]
    groups = baseline_groups(records)
    if groups:
        parts += [heading.format("Methods beside trivial baselines"), tables.text_table(baseline_rows(groups), layout)]
        parts.append("\n".join(f"- {line}" for line in baseline_lines(groups)))
    missing = missing_lines(records)
    if missing:
        parts += [heading.format("Missing"), "\n".join(f"- {line}" for line in missing)]
    return "\n\n".join(parts) or "There are comparisons, and nothing that they state can be read."
