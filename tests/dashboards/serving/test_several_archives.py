"""A dashboard of several archives: one database for every page, and each row says which archive it is from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from aiida.manage import get_manager
from click.testing import CliRunner
from plotly.utils import PlotlyJSONEncoder

from aiida_ion.archives.several import open_archives
from aiida_ion.cli.dashboard import _tell_of_repeated
from aiida_ion.dashboards import tables
from aiida_ion.dashboards.app import create_app
from aiida_ion.dashboards.crystals import material_view
from aiida_ion.dashboards.materials.listed import materials, shown_columns
from aiida_ion.dashboards.pages import PAGES, compare, material, overview, provenance
from aiida_ion.dashboards.server import archives_source
from aiida_ion.dashboards.serving.origins import ARCHIVE, with_archives, with_archives_of_results
from aiida_ion.dashboards.state import View
from aiida_ion.queries.reading.archives import Archives
from tests.archives.test_version_0_1 import ARCHIVE as OLD


@pytest.fixture(scope="module")
def app(aiida_profile: Any, campaign_archive: Path) -> Iterator[Any]:
    """Return the dashboard of the campaign's archive and one of an earlier version."""
    profile = get_manager().get_profile()
    yield create_app(archives_source(open_archives([campaign_archive, OLD])))
    tables.use(tables.TableCache())
    get_manager().load_profile(profile, allow_switch=True)


def text_of(component: Any) -> str:
    return json.dumps(component, cls=PlotlyJSONEncoder, ensure_ascii=False)


def test_every_page_is_shown_and_the_header_names_the_archives(app: Any, campaign_archive: Path) -> None:
    header = text_of(app.layout)
    assert f"read-only archives {campaign_archive.name}, {OLD.name}" in header
    for page in PAGES:
        assert "cannot be shown" not in text_of(page.layout(View(theme="light"))), page.TITLE
    table = tables.table("conductivity")
    assert set(table[ARCHIVE]) == {campaign_archive.name, OLD.name}


def test_rows_say_which_archive_they_are_from(app: Any, campaign_archive: Path) -> None:
    table = tables.table("conductivity")
    shown = materials(View())
    assert ARCHIVE in shown_columns(shown) and "n_running" not in shown_columns(shown)
    # Argon was run by both versions: another cell each, so two materials, or the same, which has both archives.
    for row in table.to_dict("records"):
        of_row = shown[shown["formula"] == row["formula"]]
        assert any(row[ARCHIVE] in names for names in of_row[ARCHIVE])
    assert OLD.name in text_of(overview.layout(View()))
    old = table[table[ARCHIVE] == OLD.name].iloc[0]
    view = material_view(old["formula"], old["crystal"], old["uuid"])
    page = text_of(material.layout(view))
    assert f"PK {old['pk']}, {OLD.name}" in page and '"archive"' in page
    assert OLD.name in text_of(provenance.layout(View(uuid=str(old["uuid"]))))
    other = table[table[ARCHIVE] == campaign_archive.name].iloc[0]
    assert campaign_archive.name in text_of(provenance.layout(View(uuid=str(other["uuid"]))))
    pairs = text_of(compare.layout(View(x="classical/Gillan-1986")))
    assert f'"archive": "{campaign_archive.name}", "reference_archive": "{campaign_archive.name}"' in pairs


def test_a_single_archive_or_a_profile_has_no_such_column() -> None:
    assert tables.TableCache().archives is None
    table = pd.DataFrame({"pk": [1, 5, None, 99], "uuid": list("abcd")})
    assert with_archives(table, None) is table
    archives = Archives(("x.aiida", "y.aiida"), (3, 7), 0, 0)
    assert list(with_archives(table, archives)[ARCHIVE]) == ["x.aiida", "y.aiida", None, None]
    rows = pd.DataFrame(
        {"formula": ["A", "A", "B"], "crystal": ["k", "k", None], ARCHIVE: ["y.aiida", "x.aiida", None]}
    )
    named = pd.DataFrame({"formula": ["A", "B", "C"], "crystal": ["k", None, "m"], "structure_pk": [1, 6, None]})
    made = with_archives_of_results(named, [rows, rows.iloc[:0]], archives)
    assert list(made[ARCHIVE]) == ["x.aiida, y.aiida", "y.aiida", None]


@pytest.mark.parametrize(
    ("repeated", "different", "words"),
    [
        (0, 0, []),
        (1, 0, ["Note: 1 node is in an earlier archive"]),
        (1200, 3, ["1,200 nodes are", "Warning: 3 of them have another content"]),
    ],
)
def test_what_archives_share_is_told(
    repeated: int, different: int, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    _tell_of_repeated(Archives(("x", "y"), (1, 2), repeated, different))
    told = capsys.readouterr().err
    assert all(word in told for word in words) and bool(told) == bool(words)


def test_archives_and_a_profile_exclude_each_other(campaign_archive: Path) -> None:
    from aiida_ion.cli.dashboard import command

    result = CliRunner().invoke(command, ["--archive", str(campaign_archive), "--archive", str(OLD), "-p", "x"])
    assert result.exit_code != 0 and "exclude each other" in result.output
