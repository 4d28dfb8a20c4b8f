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

from aiida_ion.analysis.defects.carrier_settings import CarrierSettings
from aiida_ion.analysis.defects.settings import DefectSettings
from aiida_ion.analysis.diffusion.settings import DiffusionSettings
from aiida_ion.analysis.disorder.ranking import RankingSettings
from aiida_ion.analysis.disorder.settings import OrderingSettings
from aiida_ion.analysis.energy_maps.bvse_settings import BvseSettings
from aiida_ion.analysis.jumps.settings import JumpSettings
from aiida_ion.settings.md import MdSettings
from aiida_ion.settings.migration import HopSearchSettings, HopSettings, TransportSettings
from aiida_ion.settings.ordering import RelaxOrderingsSettings
from aiida_ion.settings.pes import PesSettings
from aiida_ion.settings.schema import rules_of
from aiida_ion.training.settings import DatasetSettings
from aiida_ion.workchains.comparison.inputs import PARAMETERS
from aiida_ion.workchains.protocols.parameters import ConductivityParameters
from tests.docs.reading import (
    GROUPS,
    INHERITED_INPUTS,
    INHERITED_OUTPUTS,
    PAGES,
    REFERENCE,
    ROOT,
    names,
    section,
    tables,
)


def registered(group: str) -> dict[str, tuple[str, str]]:
    """Return our entry points of a group with class and module."""
    return {
        entry.name: (entry.value.partition(":")[2], entry.value.partition(":")[0])
        for entry in get_entry_points(group)
        if entry.name.startswith("ion.")
    }


@pytest.mark.parametrize("group", GROUPS)
def test_the_reference_lists_every_entry_point(group: str) -> None:
    rows = [row for table in tables(section(REFERENCE / "entry-points.md", f"## `{group}`")) for row in table]
    listed = {
        names(row["name"])[0]: (names(row.get("class") or row["function"])[0], names(row["module"])[0]) for row in rows
    }
    assert listed == registered(group)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_entry_points_named_exist(page: Path) -> None:
    known = {name for group in GROUPS for name in get_entry_point_names(group)}
    # A word of the form ion.name, not the tail of another word; `ion.md.*` and `ion.md.<name>` stand for all engines.
    matches = set(re.findall(r"(?<![\w./-])ion\.[a-z_]+(?:\.[a-z_]+)?(?![\w.]*[*<])", page.read_text()))
    unknown = {name for name in matches if name not in known and name not in ("ion.md", "ion.md.toy")}  # an example
    assert not unknown, f"{page.name}: {unknown}"


def test_the_readme_names_every_work_chain_and_stays_short() -> None:
    text = (ROOT / "README.md").read_text()
    assert all(f"`{name}`" in text for name in registered("aiida.workflows"))
    assert len(text.splitlines()) <= 100


JOBS = sorted(
    name for name in registered("aiida.calculations") if not hasattr(CalculationFactory(name), "is_process_function")
)


def own_exit_codes(process: Any) -> dict[int, str]:
    """Return the exit codes of a process that AiiDA's own classes do not have."""
    from aiida.engine import BaseRestartWorkChain, CalcJob

    inherited = {code.status for base in (CalcJob, BaseRestartWorkChain) for code in base.exit_codes.values()}
    return {code.status: label for label, code in process.exit_codes.items() if code.status not in inherited}


def documented_codes_of(heading: str, name: str) -> dict[int, str]:
    """Return the exit codes that a table gives a process, where it has a column that says which have them."""
    (rows,) = tables(section(REFERENCE / "exit-codes.md", heading))
    kinds = {"all"}
    if re.match(r"ion\.(md\.)?(quantumespresso|vasp)", name):
        kinds.add("DFT")
    if name.endswith("_relax") or name == "ion.relax_orderings":
        kinds.add("relaxations")
    if name in LAMMPS_RUNS:
        kinds.add("runs of LAMMPS")
    if name in ("ion.mlip_md", "ion.batch_md", "ion.lammps_md"):
        kinds.add("watched runs")
    if name == "ion.lammps_train":
        kinds.add("fits of LAMMPS")
    if name in MANY_CRYSTALS:
        kinds.add("many crystals")
    return {int(row["code"]): names(row["label"])[0] for row in rows if row.get("in", "all") in kinds}


@pytest.mark.parametrize("name", JOBS)
def test_exit_codes_of_jobs(name: str) -> None:
    assert own_exit_codes(CalculationFactory(name)) == documented_codes_of("## Jobs", name)


@pytest.mark.parametrize("name", sorted(registered("aiida.workflows")))
def test_exit_codes_of_work_chains(name: str) -> None:
    heading = "## The engines: `ion.md.*`" if name.startswith("ion.md.") else f"## `{name}`"
    assert own_exit_codes(WorkflowFactory(name)) == documented_codes_of(heading, name)


@pytest.mark.parametrize("name", JOBS)
def test_codes_that_the_cache_never_serves(name: str) -> None:
    process = CalculationFactory(name)
    text = section(REFERENCE / "exit-codes.md", "## Jobs")
    attributes = {int(number) for number in re.findall(r"\d{3}", re.search(r"^Codes 2.*", text, re.MULTILINE)[0])}  # type: ignore[index]
    assert "\nNor is a DFT job that ended with 440, or an evaluation of forces that ended with 400" in text
    attributes |= {440} if name.startswith(DFT_JOBS) else {400} if name in FORCES_JOBS else set()
    ours = own_exit_codes(process)
    attributes |= {400} if name in ("ion.surrogate_train", "ion.train", "ion.lammps_train") else set()
    attributes |= {225} if name in LAMMPS_RUNS else set()
    attributes |= {710} if name in MANY_CRYSTALS else set()
    assert attributes == {
        code.status for code in process.exit_codes.values() if code.invalidates_cache and code.status in ours
    }


MD_INTERFACE = ("structure", "parameters", "charges", "restart_from", "initial_velocities")
LAMMPS_RUNS = ("ion.lammps_md", "ion.lammps_relax", "ion.lammps_forces")
FORCES_JOBS = ("ion.forces", "ion.lammps_forces", "ion.hops")
MANY_CRYSTALS = ("ion.batch_md", "ion.bvse", "ion.pes", "ion.relax_orderings")
DFT_JOBS = ("ion.quantumespresso", "ion.vasp")
#: Port of an engine that its relaxation does not have: only runs are watched.
WATCHED = "watch"
DFT_CHAINS = ("ion.md.quantumespresso", "ion.md.vasp")


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


def said_ports(heading: str, number: int = 0) -> dict[str, bool]:
    """Return the inputs that a table lists, and whether each is required."""
    rows = tables(section(REFERENCE / "ports.md", heading))[number]
    return {name: row["required"] == "yes" for row in rows for name in names(row["input"])}


def said_outputs(heading: str, number: int) -> set[str]:
    """Return the outputs that a table lists, without those that only DFT has."""
    rows = tables(section(REFERENCE / "ports.md", heading))[number]
    return {name for row in rows if not row["what"].startswith("DFT") for name in names(row["output"])}


@pytest.mark.parametrize(
    "name", [name for name in sorted(registered("aiida.workflows")) if not name.startswith("ion.md.")]
)
def test_ports_of_work_chains(name: str) -> None:
    spec = WorkflowFactory(name).spec()
    assert said_ports(f"## `{name}`") == dict(flat_ports(spec.inputs))
    assert said_outputs(f"## `{name}`", 1) == set(spec.outputs) - INHERITED_OUTPUTS


@pytest.mark.parametrize(
    ("name", "number"),
    [("ion.md.mlip", 0), ("ion.md.lammps", 1), ("ion.md.quantumespresso", 2), ("ion.md.vasp", 3)],
)
def test_ports_of_engines_and_their_jobs(name: str, number: int) -> None:
    chain: Any = WorkflowFactory(name)
    spec = chain.spec()
    assert said_ports("## The engines: `ion.md.*`") == dict(flat_ports(spec.inputs))
    assert said_outputs("## The engines: `ion.md.*`", 1) == set(spec.outputs) - INHERITED_OUTPUTS
    text = section(REFERENCE / "ports.md", "## The engine namespace")
    md, relax = re.search(rf"^`{re.escape(name)}`: jobs `(.*)` and `(.*)`\.$", text, re.MULTILINE).groups()  # type: ignore[union-attr]
    engine, more = said_ports("## The engine namespace", number), {"log"} if name in DFT_CHAINS else set()
    md_job, relax_job = CalculationFactory(md), CalculationFactory(relax)
    assert (md_job, relax_job) == (chain._process_class, chain.relax_class)
    result = dict(flat_ports(md_job.spec().inputs))
    assert {key: needed for key, needed in result.items() if key not in MD_INTERFACE} == engine
    assert set(MD_INTERFACE) <= set(result)
    assert set(md_job.spec().outputs) - INHERITED_OUTPUTS == said_outputs("## Jobs of molecular dynamics", 0) | more
    of_both = {key: needed for key, needed in engine.items() if key != WATCHED}
    assert dict(flat_ports(relax_job.spec().inputs)) == said_ports("## Jobs that relax") | of_both
    assert set(relax_job.spec().outputs) - INHERITED_OUTPUTS == said_outputs("## Jobs that relax", 1) | more


@pytest.mark.parametrize(
    "name",
    [
        *(
            "ion.bvse",
            "ion.diffusion",
            "ion.forces",
            "ion.hops",
            "ion.jumps",
            "ion.kinetics",
            "ion.trajectory_comparison",
        ),
        *("ion.diffusion", "ion.forces", "ion.hops", "ion.jumps", "ion.kinetics", "ion.trajectory_comparison"),
        *("ion.pes", "ion.batch_md"),
        *("ion.make_defects", "ion.order_structure", "ion.relax_orderings"),
        *("ion.surrogate_predict", "ion.surrogate_train", "ion.train", "ion.lammps_train"),
    ],
)
def test_ports_of_jobs(name: str) -> None:
    spec = CalculationFactory(name).spec()
    assert said_ports(f"## `{name}`") == dict(flat_ports(spec.inputs))
    assert said_outputs(f"## `{name}`", 1) == set(spec.outputs) - INHERITED_OUTPUTS


def default_of(field: Any) -> str:
    if field.default_factory is not dataclasses.MISSING:
        return str(field.default_factory())
    return "required" if field.default is dataclasses.MISSING else str(field.default).replace("()", "[]")


@pytest.mark.parametrize(
    ("settings", "heading"),
    [
        (MdSettings, "## Settings of molecular dynamics"),
        (DiffusionSettings, "## Settings of the fit"),
        (JumpSettings, "## Settings of the jump analysis"),
        (BvseSettings, "## Settings of bond valence site energies"),
        (OrderingSettings, "## Settings of the ordering"),
        (DefectSettings, "## Settings of defects"),
        (CarrierSettings, "## Settings of carriers"),
        (RelaxOrderingsSettings, "## Settings of the relaxation of orderings"),
        (RankingSettings, "## Settings of the ranking"),
        (DatasetSettings, "## Settings of a dataset"),
        (HopSearchSettings, "## Settings of the search for hops"),
        (PesSettings, "## Settings of a frozen surface"),
        (HopSettings, "## Settings of a hop"),
        (TransportSettings, "## Settings of transport"),
    ],
)
def test_settings_and_their_defaults(settings: type, heading: str) -> None:
    (rows,) = tables(section(REFERENCE / "ports.md", heading))
    attributes = {names(row["setting"])[0]: row["default"] for row in rows}
    assert attributes == {field.name: default_of(field) for field in dataclasses.fields(settings)}
    ranges = {names(row["setting"])[0]: row["range"] for row in rows}
    assert ranges == {name: rule.range for name, rule in rules_of(settings).items()}


def test_parameters_of_a_comparison() -> None:
    rows = tables(section(REFERENCE / "ports.md", "## `ion.comparison`"))[2]
    assert tuple(name for row in rows for name in names(row["key"])) == PARAMETERS


def test_parameters_of_a_conductivity() -> None:
    rows = tables(section(REFERENCE / "ports.md", "## `ion.conductivity`"))[2]
    attributes = {name for row in rows for name in names(row["key"])}
    assert attributes == {field.name for field in dataclasses.fields(ConductivityParameters)}
