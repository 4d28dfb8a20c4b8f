"""What belongs to the site and to a release beside the pages: notebook, licences, citation."""

from __future__ import annotations

import ast
import json
import os
import re
import runpy
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from aiida_ion import __version__
from tests.conftest import engine_environment
from tests.docs.reading import DOCS, REFERENCE, ROOT, section, tables

NOTEBOOK = DOCS / "tutorial" / "notebook.ipynb"
ABSENT = "not installed here"


@pytest.fixture(scope="module")
def cells() -> list[dict[str, Any]]:
    content: dict[str, Any] = json.loads(NOTEBOOK.read_text())
    return list(content["cells"])


@pytest.fixture(scope="module")
def licences() -> dict[str, Any]:
    return runpy.run_path(str(DOCS / "dependencies.py"))


def test_the_notebook_imports_what_exists(cells: list[dict[str, Any]]) -> None:
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert len(sources) >= 8
    for source in sources:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ImportFrom):
                module = __import__(str(node.module), fromlist=[name.name for name in node.names])
                assert all(hasattr(module, name.name) for name in node.names), ast.unparse(node)


def test_links_of_the_notebook_resolve(cells: list[dict[str, Any]]) -> None:
    text = "".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    targets = re.findall(r"\]\(([^)#\s]+)", text)
    assert targets
    assert [target for target in targets if not (NOTEBOOK.parent / target).exists()] == []


def test_the_notebook_is_committed_with_its_outputs(cells: list[dict[str, Any]]) -> None:
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(pictures) == 2
    assert not [output for output in outputs if output["output_type"] == "error"]
    assert NOTEBOOK.stat().st_size < 400_000
    told = json.dumps([output for output in outputs if output not in pictures])
    assert "measured" in told or "conductivity" in told
    assert not re.search(r"/(?:tmp|root|home|work)/", told)


@pytest.mark.slow
def test_the_notebook_runs_from_the_crystal_to_the_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("AIIDA_ION_ENGINES", str(engine_environment("lammps").parent))
    program = runpy.run_path(str(DOCS / "notebook.py"))
    with program["fresh_profile"](tmp_path) as environment:
        notebook = program["executed"](environment, tmp_path)
    data = [output["data"] for output in program["outputs"](notebook)]
    arrhenius, msd = [one[program["PLOTLY"]] for one in data if program["PLOTLY"] in one]
    assert any("classical/Pedone-2006" in str(trace.get("name")) for trace in arrhenius["data"])
    assert sum("fitted window" in str(trace.get("name")) for trace in msd["data"]) == 3
    printed = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []))
    assert "ended: 0" in printed
    energy = re.search(r"Ea = ([0-9.]+) \+- ([0-9.]+) eV, from (\d+) draws", printed)
    assert energy is not None
    assert 0.1 < float(energy[1]) < 0.6


def test_every_direct_dependency_is_listed_with_its_licence(licences: dict[str, Any]) -> None:
    (rows,) = tables(section(REFERENCE / "dependencies.md", "### Direct dependencies"))
    listed = {row["package"]: (row["requirement"].strip("`"), row["extra"].strip("`"), row["licence"]) for row in rows}
    needed = {licences["name_of"](requirement): (requirement, extra) for requirement, extra in licences["direct"]()}
    assert {name: row[:2] for name, row in listed.items()} == needed
    stated = {name: licences["licence_of"](name) for name in listed}
    # Another version may say BSD-3-Clause where this one says BSD.
    family = {name: (row[2].split("-")[0], stated[name].split("-")[0]) for name, row in listed.items() if stated[name]}
    assert {name: pair for name, pair in family.items() if pair[0] != pair[1]} == {}
    assert not [name for name, row in listed.items() if row[2] in (ABSENT, licences["UNKNOWN"])]


def test_every_engine_is_listed_with_its_licences(licences: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "AIIDA_ION_ENGINES", str(ROOT / ".engines"))
    (rows,) = tables(section(REFERENCE / "dependencies.md", "### Environments of the engines"))
    listed = [(row["environment"], row["package"]) for row in rows]
    assert listed == [(name, package) for name, package, _ in licences["engine_packages"]()]
    assert ABSENT not in {row["licence"] for row in rows}


def test_copyleft_is_named_in_words() -> None:
    page = section(REFERENCE / "dependencies.md", "## Licences")
    words, _, rest = page.partition("### Direct dependencies")
    for table in tables(rest)[1:2]:
        for row in table:
            if re.search(r"\bL?GPL", row["licence"]) and not re.search(r"\bOR\b|\bor\b", row["licence"]):
                named = [name for name in row["packages"].split(", ") if name.lower() in words.lower()]
                assert named, row


def test_the_citation_file_is_of_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert citation["version"] == __version__
    page = (REFERENCE / "citations.md").read_text()
    assert all(reference["doi"] in page for reference in citation["references"])


def test_a_release_names_the_prefix_of_the_entry_points() -> None:
    assert "entry_point_prefix: ion\n" in (ROOT / "CONTRIBUTING.md").read_text()
    entry_points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    assert all(name.startswith("ion.") for group in entry_points.values() for name in group)
