"""The README of an archive: what its tables say, and that versions, settings and hashes stand apart."""

from __future__ import annotations

from typing import Any

import pytest
from aiida import orm
from aiida.common.links import LinkType
from aiida.manage.configuration.profile import Profile

from aiida_ion.archives.readme import readme
from aiida_ion.archives.selection import choose
from tests.calculations.conductivity.test_fit_conductivity import HOT_K, diffusion, fit, still

VERSIONS = {
    "quantumespresso": "7.2",
    "functional": "PBEsol",
    "ecutwfc_Ry": 60.0,
    "gamma_only": True,
    "level_of_theory_sha256": "0123456789abcdef",
    "pseudopotentials": {"Li": {"md5": "x"}},
}


@pytest.fixture(scope="module")
def text(module_profile: Profile) -> str:
    """Return the README of a measured and an undetermined conductivity, and of a job that states its versions."""
    graded = [diffusion(kelvin, grade="A" if kelvin < 1000.0 else "B", n_eff=300.0) for kelvin in HOT_K]
    measured = fit(*graded)
    refused = fit(
        *(still(kelvin, 1e-9, formula="LiCl", refused_because="The framework melted.") for kelvin in HOT_K[:3])
    )
    job = orm.CalcJobNode(process_type="aiida.calculations:ion.quantumespresso_md").store()
    stated = orm.Dict(VERSIONS)
    stated.base.links.add_incoming(job, LinkType.CREATE, "versions")
    stated.store()
    job.set_process_state("finished")
    job.set_exit_status(0)
    job.seal()
    return readme(choose([measured.uuid, refused.uuid, job.uuid]), "a.aiida", None, frozenset())


def rows_of(text: str, title: str) -> list[dict[str, str]]:
    """Return the table of a section."""
    section = text.partition(f"## {title}\n")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"]
    return [dict(zip(rows[0], row, strict=True)) for row in rows[2:]]


def items_of(text: str, title: str) -> list[str]:
    """Return the list of a section."""
    section = text.partition(f"## {title}\n")[2].partition("\n## ")[0]
    return [line for line in section.splitlines() if line.startswith("* ")]


def test_the_headline_says_value_energy_verdict_and_grade(text: str) -> None:
    rows = {row["material"]: row for row in rows_of(text, "Ionic conductivity, extrapolated")}
    node: Any = orm.load_node(rows["Li3N"]["uuid"])
    attributes = node.base.attributes.all
    low, high = attributes["activation_energy_ci95_eV"]
    assert rows["Li3N"]["Ea"] == f"{attributes['activation_energy_eV']:.3g} ({low:.3g} to {high:.3g}) eV"
    low, high = attributes["ionic_conductivity_ci95_mS_cm"]
    assert rows["Li3N"]["result"] == f"{attributes['ionic_conductivity_mS_cm']:.3g} ({low:.3g} to {high:.3g}) mS/cm"
    assert (rows["Li3N"]["verdict"], rows["Li3N"]["grade"]) == ("measured", "B")
    assert rows["LiCl"]["verdict"] == "undetermined"
    assert rows["LiCl"]["result"] == "-"
    assert rows["LiCl"]["Ea"] == rows["LiCl"]["grade"] == ""
    assert "The grade of a conductivity is the worst of the temperatures that it uses." in text


def test_the_table_of_temperatures_has_no_activation_energy(text: str) -> None:
    rows = rows_of(text, "Diffusion at each temperature")
    assert len(rows) == len(HOT_K)
    assert {row["verdict"] for row in rows} == {"diffusive"}
    assert "Ea" not in rows[0]


def test_settings_and_hashes_are_no_versions(text: str) -> None:
    assert items_of(text, "Versions") == ["* quantumespresso: 7.2"]
    assert items_of(text, "Settings") == [r"* ecutwfc\_Ry: 60.0", "* functional: PBEsol", r"* gamma\_only: True"]
    assert items_of(text, "Hashes") == [r"* level\_of\_theory\_sha256: 0123456789abcdef"]
