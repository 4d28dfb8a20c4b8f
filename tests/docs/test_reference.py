"""Entry points, exit codes and ports of the reference are those of the code."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiida.plugins import CalculationFactory, WorkflowFactory
from aiida.plugins.entry_point import get_entry_point_names, get_entry_points

from aiida_ion.analysis.diffusion_settings import DiffusionSettings
from aiida_ion.md_settings import MdSettings
from aiida_ion.workchains.conductivity_parameters import ConductivityParameters

from .reading import GROUPS, INHERITED_INPUTS, INHERITED_OUTPUTS, PAGES, REFERENCE, ROOT, names, section, tables


def registered(group: str) -> dict[str, tuple[str, str]]:
    """Return our entry points of a group with class and module."""
    return {
        entry.name: (entry.value.partition(":")[2], entry.value.partition(":")[0])
        for entry in get_entry_points(group)
        if entry.name.startswith("ion.")
    }


@pytest.mark.parametrize("group", GROUPS)
def test_the_reference_lists_every_entry_point(group: str) -> None:
    (rows,) = tables(section(REFERENCE / "entry-points.md", f"## `{group}`"))
    said = {names(row["name"])[0]: (names(row["class"])[0], names(row["module"])[0]) for row in rows}
    assert said == registered(group)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_entry_points_named_exist(page: Path) -> None:
    known = {name for group in GROUPS for name in get_entry_point_names(group)}
    # A word of the form ion.name, not the tail of another word; `ion.md.*` and `ion.md.<name>` stand for all engines.
    found = set(re.findall(r"(?<![\w./-])ion\.[a-z_]+(?:\.[a-z_]+)?(?![\w.]*[*<])", page.read_text()))
    unknown = {name for name in found if name not in known and name != "ion.md"}
    assert not unknown, f"{page.name}: {unknown}"


def test_the_readme_names_every_entry_point() -> None:
    text = (ROOT / "README.md").read_text()
    assert all(f"`{name}`" in text for group in GROUPS for name in registered(group))


def own_exit_codes(process: Any) -> dict[int, str]:
    """Return the exit codes of a process that AiiDA's own classes do not have."""
    from aiida.engine import BaseRestartWorkChain, CalcJob

    inherited = {code.status for base in (CalcJob, BaseRestartWorkChain) for code in base.exit_codes.values()}
    return {code.status: label for label, code in process.exit_codes.items() if code.status not in inherited}


def documented_codes_of(heading: str) -> dict[int, str]:
    (rows,) = tables(section(REFERENCE / "exit-codes.md", heading))
    return {int(row["code"]): names(row["label"])[0] for row in rows}


@pytest.mark.parametrize("name", sorted(registered("aiida.calculations")))
def test_exit_codes_of_jobs(name: str) -> None:
    said = documented_codes_of("## Jobs")
    if not name.endswith("_relax"):
        said.pop(700)
    assert own_exit_codes(CalculationFactory(name)) == said


@pytest.mark.parametrize(
    ("name", "heading"),
    [
        ("ion.md.mlip", "## `ion.md.mlip`, `ion.md.lammps`"),
        ("ion.md.lammps", "## `ion.md.mlip`, `ion.md.lammps`"),
        ("ion.conductivity", "## `ion.conductivity`"),
    ],
)
def test_exit_codes_of_work_chains(name: str, heading: str) -> None:
    assert own_exit_codes(WorkflowFactory(name)) == documented_codes_of(heading)


def test_codes_that_the_cache_never_serves() -> None:
    codes = CalculationFactory("ion.mlip_md").exit_codes
    text = section(REFERENCE / "exit-codes.md", "## Jobs")
    sentence = next(line for line in text.splitlines() if line.startswith("Codes 2"))
    ours = own_exit_codes(CalculationFactory("ion.mlip_md"))
    expected = {code.status for code in codes.values() if code.invalidates_cache and code.status in ours}
    assert {int(number) for number in re.findall(r"\d{3}", sentence)} == expected


def flat_ports(namespace: Any, prefix: str = "") -> Iterator[tuple[str, bool]]:
    """Yield the names of inputs, those within a declared namespace with a dot, and whether each is required."""
    from plumpy.ports import PortNamespace

    for name, port in namespace.items():
        if name in INHERITED_INPUTS and not prefix.startswith("diffusion"):
            continue
        if isinstance(port, PortNamespace) and name in ("md", "diffusion"):
            yield from flat_ports(port, f"{name}.")
        elif not (prefix and name in INHERITED_INPUTS - {"code"}):
            yield f"{prefix}{name}", port.required


@pytest.mark.parametrize(
    ("entry_point", "heading", "shared"),
    [
        ("ion.conductivity", "## `ion.conductivity`", set()),
        ("ion.md.mlip", "## `ion.md.mlip`, `ion.md.lammps`", set()),
        ("ion.md.lammps", "## `ion.md.mlip`, `ion.md.lammps`", set()),
        ("ion.mlip_relax", "## `ion.mlip_relax`, `ion.lammps_relax`", {"files"}),
        ("ion.lammps_relax", "## `ion.mlip_relax`, `ion.lammps_relax`", {"checkpoint", "program"}),
        ("ion.diffusion", "## `ion.diffusion`", set()),
    ],
)
def test_ports(entry_point: str, heading: str, shared: set[str]) -> None:
    group = WorkflowFactory if entry_point in registered("aiida.workflows") else CalculationFactory
    spec = group(entry_point).spec()
    first, second, *_ = tables(section(REFERENCE / "ports.md", heading))
    said = {name: row["required"] == "yes" for row in first for name in names(row["input"])}
    assert {name: needed for name, needed in said.items() if name not in shared} == dict(flat_ports(spec.inputs))
    outputs = {name for row in second for name in names(row["output"])}
    assert outputs == set(spec.outputs) - INHERITED_OUTPUTS


@pytest.mark.parametrize(
    ("entry_point", "others"),
    [("ion.mlip_md", {"files"}), ("ion.lammps_md", {"checkpoint", "program"})],
)
def test_ports_of_md_jobs(entry_point: str, others: set[str]) -> None:
    spec = CalculationFactory(entry_point).spec()
    (rows,) = tables(section(REFERENCE / "ports.md", "## `ion.mlip_md`, `ion.lammps_md`"))
    more = {name for row in rows for name in names(row["input"])} - others
    interface = {"structure", "parameters", "charges", "restart_from", "initial_velocities"}
    assert interface | more == set(spec.inputs) - INHERITED_INPUTS


@pytest.mark.parametrize(
    ("settings", "heading"),
    [(MdSettings, "## Settings of molecular dynamics"), (DiffusionSettings, "## Settings of the fit")],
)
def test_settings_and_their_defaults(settings: type, heading: str) -> None:
    (rows,) = tables(section(REFERENCE / "ports.md", heading))
    said = {names(row["setting"])[0]: row["default"] for row in rows}
    assert said == {
        field.name: "required" if field.default is dataclasses.MISSING else str(field.default).replace("()", "[]")
        for field in dataclasses.fields(settings)
    }


def test_parameters_of_a_conductivity() -> None:
    rows = tables(section(REFERENCE / "ports.md", "## `ion.conductivity`"))[2]
    said = {name for row in rows for name in names(row["key"])}
    assert said == {field.name for field in dataclasses.fields(ConductivityParameters)}
