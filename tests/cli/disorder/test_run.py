"""``aiida-ion run`` on crystals with partly occupied sites: what it says and what it would submit."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiida import orm

from aiida_ion.aiida_private.builders import validate_builder
from aiida_ion.campaigns import RunRequest
from aiida_ion.campaigns.batch import make_batch
from aiida_ion.campaigns.expected_cost import size_of
from aiida_ion.campaigns.plans import comparison
from tests.cli.conftest import Invoke, only_line
from tests.cli.disorder.test_order import HALF_FILLED

SMALL = '{"max_atoms": 40, "min_width_A": 7, "sweeps": 10}'
MIXED = HALF_FILLED.replace("Cl1 Cl 0.5 0.5 0.25 1", "Cl1 Cl 0.5 0.5 0.25 0.5\nBr1 Br 0.5 0.5 0.25 0.5")


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    made = {"mobile": HALF_FILLED, "both": MIXED, "charged": HALF_FILLED.replace("0.5 0.5\nCl1", "0.5 0.9\nCl1")}
    paths = {name: tmp_path / f"{name}.cif" for name in made}
    for name, text in made.items():
        paths[name].write_text(text)
    return paths


@pytest.mark.usefixtures("lj_engine")
def test_a_disordered_file_becomes_an_ensemble_and_says_so(
    invoke: Invoke, files: dict[str, Path], crystal_file: Path
) -> None:
    words = ["--engine", "toy", "--protocol", "fast", "--ordering-settings", SMALL, "--dry-run"]
    one = invoke("run", files["mobile"], *words).output
    assert "disordered: mobile ions alone are disordered; 1 ordered cell: molecular dynamics moves these ions" in one
    several = invoke("run", files["both"], *words, "--orderings", 5).output
    assert "mobile ions and framework are disordered; 5 ordered cells, pooled as one crystal" in several
    assert "of each of 5 ordered cells" in several and "from the stated composition" in several
    assert orm.QueryBuilder().append(orm.ProcessNode).count() == 0
    # An ordinary crystal beside it is run as ever; alone it has no use for orderings.
    both = invoke("run", crystal_file, files["mobile"], *words).output
    assert "In all: 2 cells and engines" in both
    message = only_line(invoke("run", crystal_file, "--engine", "toy", "--orderings", 3, "--dry-run", code=1))
    assert "--orderings is for crystals with partly occupied sites, and there is none" in message
    refused = only_line(invoke("run", files["charged"], "--engine", "toy", "--dry-run", code=1))
    assert "+0.40 e" in refused and "charged.cif" in refused
    _what_is_submitted(files)


def _what_is_submitted(files: dict[str, Path]) -> None:
    request = RunRequest(protocol="fast", orderings=3, ordering_settings={"max_atoms": 40, "min_width_A": 7.0})
    (plan,) = make_batch([str(files["both"])], ["toy"], request, with_ensembles=True).plans
    assert plan.entry_point == "ion.ensemble" and plan.n_members == 3
    assert validate_builder(plan.builder) is None
    assert plan.builder.ordering.parameters["n_orderings"] == 3
    assert plan.builder.structure.base.extras.get("aiida_ion_read_from")["file"] == "both.cif"
    steps = plan.builder.conductivity.md.parameters["n_steps"]
    n_runs = len(plan.builder.conductivity.parameters["temperatures_K"])
    assert size_of(plan).n_steps[0] == 3 * steps * n_runs
    assert len(plan.conductivity.structure.sites) == plan.ensemble.ordering.counts.n_atoms  # type: ignore[union-attr]
    with pytest.raises(ValueError, match=r"order the structure first \(aiida-ion order\)"):
        make_batch([str(files["both"])], ["toy"], RunRequest(protocol="fast"))


def test_several_engines_have_the_same_cells(invoke: Invoke, lj_engine: str, files: dict[str, Path]) -> None:
    import sys

    invoke("engine", "add", "toy2", "--python", sys.executable, "--potential", "lj")
    words = ["--engine", lj_engine, "--engine", "toy2", "--protocol", "fast", "--ordering-settings", SMALL]
    output = invoke("run", files["both"], *words, "--orderings", 2, "--dry-run").output
    assert output.count("of each of 2 ordered cells") == 2
    request = RunRequest(protocol="fast", orderings=2, ordering_settings={"max_atoms": 40, "min_width_A": 7.0})
    plans = make_batch([str(files["both"])], [lj_engine, "toy2"], request, with_ensembles=True).plans
    builder = comparison(plans, request)
    assert validate_builder(builder) is None
    runs = builder.runs["both"]
    assert runs["toy"]["ordering"]["parameters"].get_dict() == runs["toy2"]["ordering"]["parameters"].get_dict()
    other = orm.Dict(runs["toy2"]["ordering"]["parameters"].get_dict() | {"seed": 7})
    changed = {**runs["toy2"], "ordering": {**runs["toy2"]["ordering"], "parameters": other}}
    builder.runs = {"both": {"toy": runs["toy"], "toy2": changed}}
    assert "differ in ordering.seed; compare like with like" in str(validate_builder(builder))
