from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from aiida_ion.dashboards.state import MAX_CHARACTERS, ColumnFilter, View, column_filters, filter_model, written
from aiida_ion.queries.selection import Selection

#: What a query string, a separator or a reader could stumble over.
HARD = "aZ 0é漢&=+%#?/~;:.,\"'<>{}[]|\\\n\t\x7f😀"


def random_view(draw: random.Random) -> View:
    """Return any view that a page could make."""

    def word() -> str:
        return "".join(draw.choices(HARD, k=draw.randint(1, 9)))

    def words() -> tuple[str, ...]:
        return tuple(word() for _ in range(draw.randint(0, 3)))

    def maybe(value: object) -> object:
        return value if draw.random() < 0.5 else None

    def name() -> str:
        return draw.choice(["formula", "activation_energy_eV", "x.y", "a b", word()])

    day = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=draw.random() * 1e8)
    filters = tuple(
        ColumnFilter(
            column, draw.choice(["contains", "inRange", "blank"]), maybe(word()) or "", draw.choice(["", "3.5"])
        )
        for column in {name() for _ in range(draw.randint(0, 3))}
    )
    given = {
        "elements": words(),
        "formula": maybe(word()),
        "level_of_theory": maybe(word()),
        "temperature_K": maybe((draw.uniform(-1, 1e4), draw.uniform(1e-9, 1e4))),
        "grades": words(),
        "group": maybe(word()),
        "since": maybe(day),
        "until": maybe(day.replace(tzinfo=None)),
        "uuid": maybe(word()),
        "selected": words(),
        "x": maybe(word()),
        "y": maybe(word()),
        "sort": tuple((name(), draw.choice(["asc", "desc"])) for _ in range(draw.randint(0, 3))),
        "hidden": words(),
        "filters": filters,
        "options": tuple({word(): maybe(word()) or "" for _ in range(draw.randint(0, 3))}.items()),
    }
    return View(**given)


@pytest.mark.parametrize("seed", range(300))
def test_every_view_comes_back_from_its_address(seed: int) -> None:
    view = random_view(random.Random(seed))
    assert View.from_query(view.query()) == view
    path, _, query = view.url("/materials").partition("?")
    assert path == "/materials"
    assert View.from_query(f"?{query}") == view
    assert query.isascii()
    assert not set(query) & set(" \n<>\"'")


def test_an_address_can_be_read() -> None:
    view = View(
        elements=("Li", "S"),
        temperature_K=(300.0, 900.0),
        sort=(("activation_energy_eV", "desc"),),
        filters=(ColumnFilter("n_runs", "inRange", "2", "5"),),
    ).with_options(quantity="sigma T")
    text = "elements=Li&elements=S&temperature_K=300.0~900.0&sort=activation_energy_eV~desc"
    assert view.query() == f"{text}&f.n_runs=inRange~5~2&o.quantity=sigma+T"
    assert replace(view, theme="dark").query() == view.query()
    assert View().url("/") == "/"


@pytest.mark.parametrize(
    "query",
    [
        None,
        "",
        "?",
        "temperature_K=hot",
        "temperature_K=1~nan",
        "since=yesterday&until=2026-99-99",
        "sort=formula&sort=~asc&sort=formula~up",
        "unknown=1&__class__=2",
        "formula=",
        "x" * (MAX_CHARACTERS + 1),
        "&".join(f"o.{i}={i}" for i in range(600)),
        "%ff%fe=%00",
    ],
)
def test_what_makes_no_sense_is_left_out(query: str | None) -> None:
    assert View.from_query(query) == View()


def test_the_selection_is_a_part_of_the_view() -> None:
    view = View(elements=("Li",), formula="Li3N", grades=("A",), uuid="1234", x="time")
    assert view.selection == Selection(elements=("Li",), formula="Li3N", grades=("A",))


def test_options_are_set_and_taken_away() -> None:
    view = View().with_options(scale="log", temperature="600")
    assert (view.option("scale"), view.option("law", "arrhenius")) == ("log", "arrhenius")
    assert view.with_options(scale=None).options == (("temperature", "600"),)
    assert written("/x", view) == {"path": "/x", "query": f"o.scale={quote('log')}&o.temperature=600"}


def test_filters_of_the_grid_and_of_the_address_are_the_same() -> None:
    model = {
        "formula": {"filterType": "text", "type": "contains", "filter": "Li~3"},
        "n_runs": {"filterType": "number", "type": "inRange", "filter": 2.0, "filterTo": 5.0},
        "grade": {"filterType": "text", "type": "blank"},
    }
    filters = column_filters(model)
    assert filter_model(filters, numbers=["n_runs"]) == model
    assert View.from_query(View(filters=filters).query()).filters == filters
    # Somebody wrote a word where a number belongs.
    assert filter_model((ColumnFilter("n_runs", "equals", "many"),), numbers=["n_runs"]) == {}
    assert column_filters(None) == ()
