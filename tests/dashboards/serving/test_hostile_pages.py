"""Pages of stored values that nobody should store: each comes in bounded time and size, with text as text."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from aiida import orm
from aiida.manage import get_manager
from werkzeug.serving import BaseWSGIServer

from aiida_ion.dashboards import tables
from aiida_ion.dashboards.app import Source
from aiida_ion.dashboards.pages import PAGES
from aiida_ion.dashboards.pages.material_fit import MOST_CHECKS, checks_table
from aiida_ion.queries.reading.kinds import LONGEST_TEXT, read_column
from aiida_ion.unreadable import counting_unreadable
from benchmarks.many_results import fill
from benchmarks.reading.browser import Browser
from tests.dashboards.test_server import serving, show
from tests.queries.hostile import label_some, poison_all, read_nodes, write_nodes

#: Of a page with its callbacks, on a busy machine, s; of all its answers together, bytes.
SOON_S, LARGEST = 30.0, 4_000_000
MARKUP = "<img src=x onerror=alert(1)> **[x](javascript:alert(2))** \\u001b[31m\\u202e</script>"
MEGABYTE = json.loads(f'"{MARKUP}"') * (1_000_000 // len(MARKUP))
N_CHECKS = 100_000
CHECKS = json.dumps(
    [{"name": f"check {i}", "verdict": "pass", "value": 1.0, "limit": None, "unit": [], "message": MARKUP}
     for i in range(N_CHECKS)]
)  # fmt: skip
#: Attribute -> JSON of it; the second of each pair with its number of nodes.
HOSTILE: dict[str, tuple[str, str, int | None]] = {
    "checks": ("checks", CHECKS, 2),
    "level": ("level_of_theory", json.dumps(MEGABYTE), None),
    "markup": ("level_of_theory", json.dumps(json.loads(f'"{MARKUP}"')), None),
    "infinite": ("ionic_conductivity_mS_cm", "1e999", None),
    "negative": ("ionic_conductivity_mS_cm", "-1", None),
    "null": ("target_temperature_K", "null", None),
    "list": ("temperature_K", "[[1, 2], {}]", None),
    "nested": ("species", '[{"element": {"a": [{"b": {}}]}, "role": ["x"], "n_hops": {}}]', None),
    "many": ("warnings", json.dumps(["x"] * N_CHECKS), 3),
    "species": ("species", json.dumps([{"element": "Li", "verdict": []}] * N_CHECKS), 2),
}
QUICK, SLOW = ("checks", "markup", "list"), (pytest.mark.slow,)


@pytest.fixture(scope="module")
def made(module_profile: Any) -> Iterator[BaseWSGIServer]:
    fill(8, n_with_arrays=0)
    with serving(Source("hostile")) as server:
        yield server


@pytest.fixture
def restored(made: BaseWSGIServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give the nodes their attributes back, and let no table be older than they are."""
    before = read_nodes()
    forget()
    yield
    write_nodes(before)
    forget()


def forget() -> None:
    """Read every table again: what was written past AiiDA has no time of modification."""
    tables.use(tables.TableCache())


def only_on_sqlite(refused: bool) -> None:
    """Skip what PostgreSQL refuses itself."""
    if refused and get_manager().get_profile_storage().profile.storage_backend != "core.sqlite_dos":
        pytest.skip("PostgreSQL stores no such value")


def look_at_all(made: BaseWSGIServer) -> dict[str, str]:
    """Show every page, and return all that the server answered for it."""
    browser = Browser(f"127.0.0.1:{made.port}")
    browser.load()
    seen: dict[str, str] = {}
    post = browser.post

    def listening(body: Any) -> Any:
        answer = post(body)
        seen[path] += answer.body.decode()
        return answer

    browser.post = listening  # type: ignore[method-assign]
    conductivities = tables.table("conductivity")
    for page in PAGES:
        path = page.PATH
        seen[path] = ""
        start = time.monotonic()
        named = path in ("/material", "/provenance") and len(conductivities)
        browser.page(path, f"?uuid={conductivities['uuid'].iloc[0]}" if named else "")
        assert time.monotonic() - start < SOON_S, path
        assert len(seen[path]) < LARGEST, path
        assert "Something failed" not in seen[path], path
        # Only these could make markup of text; nothing here uses them.
        assert not re.search(r'"type": ?"(Markdown|Iframe|Script|DangerouslySetInnerHTML)"', seen[path])
        assert '"href":"javascript:' not in seen[path].replace('": "', '":"').lower()
    return seen


@pytest.mark.parametrize("name", [pytest.param(one, marks=() if one in QUICK else SLOW) for one in HOSTILE])
def test_every_page_comes_with_hostile_attributes(made: BaseWSGIServer, restored: None, name: str) -> None:
    attribute, value, most = HOSTILE[name]
    only_on_sqlite(name == "infinite")
    assert poison_all(attribute, value, most) > 0
    seen = look_at_all(made)
    if name in ("level", "infinite", "list"):  # left out, and counted
        assert re.search(rf"are left empty: .*{attribute}", seen["/materials"] + seen["/compare"])
    if name == "markup":
        assert "onerror" in seen["/compare"]


@pytest.mark.slow
def test_every_page_comes_with_labels_of_a_megabyte(made: BaseWSGIServer, restored: None) -> None:
    only_on_sqlite(True)
    label_some(MEGABYTE)
    assert "label" in look_at_all(made)["/materials"]  # left out, and counted
    uuid = orm.QueryBuilder().append(orm.Data, filters={"label": {"like": "<img%"}}, project="uuid").first(flat=True)
    answer = show(made, "/provenance", f"?uuid={uuid}")
    assert "onerror" in answer.text
    assert len(answer.text) < 1_000_000


def test_many_checks_are_counted_and_the_worst_are_shown() -> None:
    checks = [{"name": f"check {i}", "verdict": "pass"} for i in range(N_CHECKS)]
    checks[N_CHECKS // 2] = {"name": "the bad one", "verdict": "fail", "message": MEGABYTE}
    text = json.dumps(checks_table(checks).to_plotly_json(), default=lambda one: one.to_plotly_json())
    assert text.index("the bad one") < text.index("check 0")
    assert f"and {N_CHECKS - MOST_CHECKS:,} more" in text
    assert len(text) < 1_000_000


def test_a_text_that_nobody_wrote_is_left_out_and_counted() -> None:
    with counting_unreadable() as counts:
        assert read_column("label", ["x" * LONGEST_TEXT, "x" * (LONGEST_TEXT + 1)]) == ["x" * LONGEST_TEXT, None]
    assert counts["label"] == 1
