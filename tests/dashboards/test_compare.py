"""The compare page, as it is laid out from the archive of a small campaign, and as its selectors change it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from plotly.utils import PlotlyJSONEncoder

from aiida_ion.dashboards import comparing, tables
from aiida_ion.dashboards.comparing import ALL, MAX_POINTS, choices, chosen_pairs, chosen_view, thinned
from aiida_ion.dashboards.pages import compare, compare_cards, compare_choices, compare_price
from aiida_ion.dashboards.state import View
from tests.dashboards.rows import bound_row, conductivity_row, experiment_row, table

REFERENCE = "classical/Gillan-1986"


@pytest.fixture
def archive(campaign: Path) -> Iterator[None]:
    """Give the page tables of the archive, and leave none of them to the next test."""
    tables.use(tables.TableCache(changes=False))
    yield
    tables.use(tables.TableCache())


class Made(tables.TableCache):
    """Tables that are written down in a test."""

    def __init__(self, measured: pd.DataFrame, **made: pd.DataFrame) -> None:
        super().__init__(changes=True)
        self.made = made | {"experiments": measured}

    def table(self, name: str) -> pd.DataFrame:
        return self.made[name]

    def derived(self, name: str, make: Any) -> pd.DataFrame:
        return self.made.get(name) if name in self.made else make()


COMPARISON = ("formula", "level_of_theory", "reference_level_of_theory", "force_mae_eV_A", "time", "uuid")
EMPTY = {
    "conductivity": table(conductivity_row("A", "PBE", 1.0)).iloc[:0],
    "diffusion": table(conductivity_row("A", "PBE", 1.0)).iloc[:0],
    "comparison": table(dict.fromkeys(COMPARISON, None)).iloc[:0],
    "cost": pd.DataFrame(),
    "materials": pd.DataFrame(columns=["formula", "crystal", "structure_uuid", "time"]),
}


@pytest.fixture
def written() -> Iterator[Any]:
    """Return a function that puts written tables in place."""

    def use(*conductivities: dict[str, Any], measured: tuple[dict[str, Any], ...] = ()) -> None:
        entries = table(*measured) if measured else table(experiment_row("A", 1.0)).iloc[:0]
        given = {"conductivity": table(*conductivities)} if conductivities else {}
        given |= {tables.FITS: EMPTY["diffusion"]}
        tables.use(Made(entries, **(EMPTY | given)))

    yield use
    tables.use(tables.TableCache())


def text(component: Any) -> str:
    return json.dumps(json.loads(json.dumps(component, cls=PlotlyJSONEncoder)), ensure_ascii=False)


@pytest.mark.usefixtures("archive")
def test_the_page_shows_pairs_forces_and_costs_of_real_runs() -> None:
    made = choices(View())
    assert (made.quantity.key, made.reference, made.level) == ("conductivity", REFERENCE, ALL)
    values = text(compare.layout(View(theme="dark")))
    for words in (f"σ against {REFERENCE}", "classical/softened", "CaF₂", "± one decade", "eV/Å", "MAE of a constant"):
        assert words in values
    result = chosen_pairs(View(), made)
    uuid = str(result["y_uuid"].iloc[0])
    assert f"/provenance?uuid={uuid}" in values
    conductivity = tables.table("conductivity").set_index("uuid")
    assert result["y_value"].iloc[0] == conductivity.loc[uuid, "ionic_conductivity_mS_cm"]
    assert "/provenance?uuid=" + uuid in text(compare.layout(View(selected=(uuid,))))


@pytest.mark.usefixtures("archive")
def test_diffusivities_are_paired_temperature_by_temperature() -> None:
    view = View(options=(("quantity", "diffusivity"),))
    result = chosen_pairs(view, choices(view))
    assert len(result) == 3
    assert (result["x_temperature_K"] == result["y_temperature_K"]).all()
    one = view.with_options(temperature="1700")
    assert list(chosen_pairs(one, choices(one))["y_temperature_K"]) == [1700.0]


@pytest.mark.usefixtures("archive")
def test_forces_are_those_of_the_comparison_node() -> None:
    made = choices(View())
    figure = compare_price.forces(View(theme="light"), made)
    (points,) = (one for one in figure.data if "MAE" in (one.name or ""))
    row = comparing.force_comparisons().set_index("uuid").loc[made.forces]
    assert f"{row['force_mae_eV_A']:.3f}" in points.name
    assert len(points.x) > 100


@pytest.mark.usefixtures("archive")
def test_the_costs_are_those_of_the_jobs() -> None:
    jobs = tables.table("cost")
    shown = compare_price.cost_card()
    rows = next(part for part in _walk(shown) if getattr(part, "rowData", None))
    assert sum(row["n_jobs"] for row in rows.rowData) == len(jobs)


def _walk(component: Any) -> Iterator[Any]:
    yield component
    children = getattr(component, "children", None)
    for child in children if isinstance(children, list) else [children]:
        if hasattr(child, "to_plotly_json"):
            yield from _walk(child)


@pytest.mark.usefixtures("archive")
@pytest.mark.parametrize(
    "query",
    [
        "",
        "x=nonsense&y=%3Cscript%3E&o.quantity=zzz&o.temperature=abc&o.forces=no&o.error=no&o.cost=no&selected=a&selected=b",
        "elements=%28a%2B%29%2B%24&grades=%3Cb%3E&formula=%3Cb%3E",
        "o.quantity=activation_energy&x=classical/softened&y=classical/Gillan-1986&formula=CaF2",
    ],
)
def test_any_address_is_a_page(query: str) -> None:
    view = View.from_query(query)
    assert "Compare" in text(compare.layout(view))
    if "nonsense" in query:
        assert choices(view) == choices(View())


@pytest.mark.usefixtures("archive")
def test_the_view_holds_what_is_chosen_and_nothing_else() -> None:
    assert chosen_view(View(), choices(View())).query() == ""
    values = {
        compare_choices.QUANTITY: "diffusivity",
        compare_choices.REFERENCE: "classical/softened",
        compare_choices.LEVEL: REFERENCE,
        compare_choices.TEMPERATURE: "1700",
        compare_choices.ELEMENTS: "Ca, f F",
        compare_choices.GRADES: ["A", "B"],
        compare_choices.COST: "core_s_per_step",
    }
    view = compare_choices.changed(View(formula="CaF2"), values)
    made = choices(view)
    address = chosen_view(view, made)
    assert address.elements == ("Ca", "F")
    again = View.from_query(address.query())
    assert (again, choices(again)) == (address, made)
    assert (made.quantity.key, made.reference, made.level) == ("diffusivity", "classical/softened", REFERENCE)
    assert (made.temperature, made.cost, again.formula) == ("1700", "core_s_per_step", "CaF2")


def test_without_results_the_page_says_what_to_run(written: Any) -> None:
    written()
    assert "aiida-ion run" in text(compare.layout(View()))


def test_one_level_alone_says_that_another_is_needed(written: Any) -> None:
    written(conductivity_row("A", "PBE", 1.0))
    values = text(compare.layout(View()))
    assert "Nothing to compare with PBE." in values
    assert "No forces were compared." in values
    assert "--keep velocities,forces" in values
    assert "There is no comparison." in values
    assert "No run has a cost record." in values


def test_experiments_stand_on_the_x_axis_where_there_are_any(written: Any) -> None:
    written(
        conductivity_row("A", "MLIP", 2.0),
        bound_row("B", "MLIP", 0.1),
        measured=(experiment_row("A", 1.0), experiment_row("B", None, ionic_conductivity_upper_bound_mS_cm=1e-9)),
    )
    view = View(x="experiment")
    result = chosen_pairs(view, choices(view))
    assert set(result["x_uuid"]) == {"A-measured", "B-measured"}
    values = text(compare.layout(view))
    assert "σ against experiment" in values
    assert "obelix abc total" in values
    other = view.with_options(quantity="diffusivity")
    assert "There are no measurements of D* here." in text(compare_cards.pair_cards(other, choices(other)))


def test_filters_leave_what_fits(written: Any) -> None:
    rows = [conductivity_row(formula, level, 1.0) for formula in ("Li2S", "Li2Si", "NaCl") for level in ("PBE", "MLIP")]
    written(*rows, conductivity_row("KCl", "PBE", 1.0), conductivity_row("KCl", "MLIP", 1.0, grade="D"))
    for view, formulas in (
        (View(), {"Li2S", "Li2Si", "NaCl", "KCl"}),
        (View(elements=("Li", "S")), {"Li2S"}),  # the S of Si is not sulfur
        (View(grades=("D",)), {"KCl"}),
        (View(formula="NaCl"), {"NaCl"}),
    ):
        assert set(chosen_pairs(view, choices(View(x="PBE")))["formula"]) == formulas, view


@pytest.mark.usefixtures("archive")
def test_group_and_dates_of_the_address_are_in_force_and_can_be_taken_away() -> None:
    every = chosen_pairs(View(), choices(View()))
    times = tables.table("conductivity")["time"]
    before, after = times.min() - pd.Timedelta(days=1), times.max() + pd.Timedelta(days=1)
    for view, n in (
        (View(group="campaign"), len(every)),
        (View(group="<b>nobody's"), 0),
        (View(since=before.to_pydatetime(), until=after.to_pydatetime()), len(every)),
        (View(since=after.to_pydatetime()), 0),
        (View(until=before.to_pydatetime()), 0),
    ):
        assert len(chosen_pairs(view, choices(view))) == n, view
        values = text(compare.layout(view))
        assert ("No pair matches the choices." in values) == (n == 0)
        assert ": show all" in values
        drawn = sum(
            len(trace.customdata)
            for trace in compare_price.pareto(view, choices(view)).data
            if trace.customdata is not None
        )
        assert (drawn > 0) == (n > 0)
    view = View(group="mine", formula="CaF2", elements=("Ca",))
    first, second = compare.limits(view)
    assert (first.href, second.href) == ("/compare?group=mine&elements=Ca", "/compare?formula=CaF2&elements=Ca")
    assert compare.limits(View(elements=("Ca",))) == []


def test_of_many_points_the_outermost_stay() -> None:
    result = pd.DataFrame({"difference": [float(i) for i in range(5 * MAX_POINTS)]}).sample(frac=1.0, random_state=0)
    left = thinned(result)["difference"]
    assert len(left) == MAX_POINTS
    assert (left.min(), left.max()) == (0.0, 5 * MAX_POINTS - 1.0)
    assert len(thinned(result.head(10))) == 10


@pytest.mark.parametrize(
    ("click", "found"),
    [
        ({"points": [{"customdata": ["y", "x"]}]}, ["y", "x"]),
        ({"points": [{"customdata": ["only"]}]}, ["only"]),
        ({"points": [{}]}, None),
        ({"points": []}, None),
        (None, None),
    ],
)
def test_a_click_on_a_point_is_its_nodes(click: Any, found: list[str] | None) -> None:
    from dash import no_update

    assert compare.clicked(click) == (no_update if found is None else found)
