"""``aiida-ion screen status``: the funnel of a screening, what fell where and why, and what is left."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from aiida_ion.cli.common import OneLineErrors, load, profile_option
from aiida_ion.cli.options import PK, TEXT, SettingType, setting
from aiida_ion.settings.rules import Number

if TYPE_CHECKING:
    from aiida_ion.queries.screening.report import Report

FORMATS = ("text", "csv", "json")
TOP = Number(least=0, most=10**6, whole=True)
LIMIT = Number(above=0.0, most=1e6, unit="mS/cm")
REFRESH_S = 5.0


@click.command("status", cls=OneLineErrors)
@click.argument("pks", nargs=-1, type=SettingType(PK), metavar="[PK]...")
@setting(TEXT, "--stage", help="Only this stage: what it dropped, and the ranking of what it kept")
@setting(TOP, "--top", default=20, show_default=True, help="Materials of the ranking that are printed")
@setting(
    LIMIT,
    "--conductor-mS-cm",
    "limit_mS_cm",
    default=0.1,
    show_default=True,
    help="Measured conductivity from which a material is a conductor, for the recall of the cuts",
)
@click.option("--scores", is_flag=True, help="Score the ranking of measured materials, beside baselines; slower.")
@click.option("--format", "style", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--watch", "watching", is_flag=True, help="Repeat every five seconds until everything has ended.")
@profile_option
def command(
    pks: tuple[int, ...],
    stage: str | None,
    top: int,
    limit_mS_cm: float,
    scores: bool,
    style: str,
    watching: bool,
    profile: str | None,
) -> None:
    """Show the funnel of screenings: counts, costs, what fell where and why, the ranking of what is left.

    Without PK those that are running, else the newest. json holds every part, csv every decision.

    \b
    Example:
      aiida-ion screen status
      aiida-ion screen status 1234 --stage bvse --top 50
      aiida-ion screen status 1234 --format csv > decisions.csv
    """
    if watching and style != "text":
        raise click.UsageError("--watch is for --format text")
    load(profile)
    chosen = pks or default_screenings()
    while True:
        reports = [_report(pk, stage, limit_mS_cm) for pk in chosen]
        if watching and click.get_text_stream("stdout").isatty():
            click.clear()
        click.echo(render(reports, style, top, scores))
        if not watching or not any(report.is_active for report in reports):
            return
        time.sleep(REFRESH_S)


def default_screenings() -> tuple[int, ...]:
    """Return the running screenings, else the newest.

    :raises click.ClickException: if there is none.
    """
    from aiida_ion.queries import screenings

    table = screenings()
    if table.empty:
        raise click.ClickException("there is no screening; start one with 'aiida-ion screen run'")
    active = table[table["state"].isin(["running", "paused"])]
    return tuple(int(pk) for pk in (active if len(active) else table.head(1))["pk"])


def _report(pk: int, stage: str | None, limit_mS_cm: float) -> Report:
    """Return the report of a screening.

    :raises click.ClickException: if it does not exist, or has no such stage.
    """
    from aiida_ion.queries.screening.report import Report

    try:
        report = Report(pk, stage, limit_mS_cm)
        _ = report.row
    except LookupError as error:
        raise click.ClickException(str(error)) from error
    return report


def render(reports: list[Report], style: str, top: int, scores: bool) -> str:
    """Return screenings as text, csv (their decisions) or json (all parts)."""
    import pandas as pd

    from aiida_ion.cli.text.tables import csv_text

    if style == "csv":
        return csv_text(pd.concat([report.rows for report in reports], ignore_index=True))
    if style == "json":
        return _json(reports, scores)
    return "\n\n".join(text_of(report, top, scores) for report in reports)


def _json(reports: list[Report], scores: bool) -> str:
    import json

    from aiida_ion.queries.cells import records

    content = [
        {
            "screening": report.name,
            "pk": report.pk,
            "uuid": report.row["uuid"],
            "state": report.state,
            "funnel": records(report.funnel),
            "fell": records(report.fell),
            "survivors": records(report.survivors),
            "running": records(report.jobs[report.jobs["active"]]),
            "conductor_mS_cm": report.limit_mS_cm,
            "recall": records(report.recall),
            **({"ranking": records(report.ranking)} if scores else {}),
        }
        for report in reports
    ]
    return json.dumps(content, indent=2, default=str, allow_nan=False)


def text_of(report: Report, top: int, scores: bool = False) -> str:
    """Return a screening as text.

    :param top: how many materials of the ranking are printed.
    :param scores: whether the ranking is scored.
    """
    from aiida_ion.cli.text.screenings import funnel as lines
    from aiida_ion.cli.text.tables import printable

    n_materials = len(report.row["materials"])
    words = report.state
    if report.row["exit_message"] and not report.is_active:
        words += f", {report.row['exit_message']}"
    parts = [[f"{report.name} ({report.pk}): {words}; {n_materials} materials"], lines.funnel_lines(report.funnel)]
    sections = (
        ("Running now", lines.job_lines(report.jobs)),
        ("What fell, and why", lines.fell_lines(report.fell)),
        (f"What is left{_after(report)}, the best first", lines.survivor_lines(report.survivors, top)),
        ("Known conductors", lines.recall_lines(report.recall, report.limit_mS_cm)),
        ("Ranking of measured materials", lines.ranking_lines(report.ranking) if scores else []),
    )
    parts += [[f"{title}:", *(f"  {line}" for line in content)] for title, content in sections if content]
    return "\n\n".join("\n".join(map(printable, part)) for part in parts)


def _after(report: Report) -> str:
    ended = report.funnel.loc[report.funnel["state"] == "ended", "stage"]
    return f" after {ended.iloc[-1]}" if len(ended) else ""
