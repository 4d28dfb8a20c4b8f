"""Several archives are one database: nothing is lost, nothing counts twice, and each row knows its archive."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from aiida import orm
from aiida.manage import get_manager
from aiida.tools.archive import create_archive
from ase.build import bulk
from sqlalchemy.exc import OperationalError

from aiida_ion import queries
from aiida_ion.archives.errors import ArchiveError
from aiida_ion.archives.open import open_archive
from aiida_ion.archives.several import archive_names, open_archives
from aiida_ion.queries import provenance
from aiida_ion.queries.reading.archives import Archives
from aiida_ion.queries.reading.arrays import array_names, read_array
from tests.archives.conftest import measure
from tests.archives.test_version_0_1 import ARCHIVE as OLD

pytestmark = pytest.mark.usefixtures("back")
Spoil = Callable[..., Path]
#: Numbers that are those of a database, and so others in another one.
TABLES = ("comparison", "conductivity", "cost", "diffusion", "experiments", "potentials", "runs")


def read() -> dict[str, pd.DataFrame]:
    """Return tables of what is loaded, without PKs, which each database numbers by itself."""
    tables = {name: getattr(queries, name)() for name in TABLES}
    return {
        name: table[[column for column in table.columns if not column.endswith("pk")]].map(cell)
        for name, table in tables.items()
    }


def cell(value: object) -> str:
    """Return a cell as text: whole numbers are floats where another row has none, and what is missing is empty."""
    if value is None or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return ""
    # Both have a computer called localhost: that of the later archive is called after it.
    return str(float(value)) if isinstance(value, (int, float)) else str(value).replace(f" ({OLD.name})", "")


def in_order(table: pd.DataFrame) -> pd.DataFrame:
    return table.sort_values(list(table.columns), ignore_index=True)


def test_tables_are_those_of_each_archive_together(campaign_archive: Path) -> None:
    alone = []
    for path in (campaign_archive, OLD):
        open_archive(path)
        alone.append(read())
    before = [path.read_bytes() for path in (campaign_archive, OLD)]
    archives = open_archives([campaign_archive, OLD])
    together = read()
    for name in TABLES:
        expected = pd.concat([part[name] for part in alone], ignore_index=True)
        if name in ("cost", "potentials"):  # what both archives ran with is one row
            assert max(len(part[name]) for part in alone) <= len(together[name]) <= len(expected)
            continue
        pd.testing.assert_frame_equal(in_order(together[name]), in_order(expected), check_dtype=False)
    assert archives.names == (campaign_archive.name, OLD.name)
    assert (archives.n_repeated, archives.n_different) == (0, 0)
    assert {"localhost", f"localhost ({OLD.name})"} <= set(queries.runs()["computer"])
    table = queries.conductivity()
    n_old = len(alone[1]["conductivity"])
    assert [archives.name_of(pk) for pk in table["pk"]].count(OLD.name) == n_old > 0
    for path, part in zip((campaign_archive, OLD), alone, strict=True):
        rows = table[table["uuid"].isin(part["conductivity"]["uuid"])]
        assert {archives.name_of(pk) for pk in rows["pk"]} == {path.name}
    assert [path.read_bytes() for path in (campaign_archive, OLD)] == before


def first_array(uuid: str) -> Any:
    node = orm.load_node(uuid)
    return read_array(node, array_names(node.base.attributes.all)[0])


def test_provenance_and_files_come_from_the_archive_that_has_them(campaign_archive: Path) -> None:
    paths = {}
    for path in (campaign_archive, OLD):
        open_archive(path)
        uuid = str(queries.diffusion()["uuid"].iloc[-1])
        paths[uuid] = (len(provenance.path_of(uuid).nodes), first_array(uuid))
    open_archives([campaign_archive, OLD])
    for uuid, (n_nodes, array) in paths.items():
        assert len(provenance.path_of(uuid).nodes) == n_nodes > 2
        np.testing.assert_array_equal(first_array(uuid), array)
    node = orm.load_node(queries.experiments()["uuid"].iloc[0])
    with queries.read_only(), pytest.raises(OperationalError, match="readonly"):
        node.label = "changed"


def two_that_share_a_crystal(folder: Path) -> tuple[Path, Path, str]:
    """Return archives of two results of one crystal, and the uuid of the second result."""
    structure = orm.StructureData(ase=bulk("Ar", "fcc", a=5.6)).store()
    results = [measure(structure), measure(structure)]
    first, second = (
        create_archive([result], filename=folder / name)
        for name, result in zip(("2025.aiida", "2026.aiida"), results, strict=True)
    )
    return first, second, str(results[1].uuid)


def test_a_node_of_two_archives_is_one(tmp_path: Path) -> None:
    first, second, uuid = two_that_share_a_crystal(tmp_path)
    archives = open_archives([first, second, tmp_path / "." / second.name])
    assert archives.names == ("2025.aiida", "2026.aiida")
    assert orm.QueryBuilder().append(orm.StructureData).count() == 1
    assert orm.QueryBuilder().append(orm.CalcFunctionNode).count() == 2
    assert orm.QueryBuilder().append(orm.User).count() == 1
    assert (archives.n_repeated, archives.n_different) == (1, 0)
    structure, node = orm.QueryBuilder().append(orm.StructureData).first(flat=True), orm.load_node(uuid)
    assert archives.name_of(structure.pk) == "2025.aiida" and archives.name_of(node.pk) == "2026.aiida"
    assert len(structure.base.links.get_outgoing().all()) == 2
    assert node.get_array().tolist() == [0, 1, 2, 3, 4]
    crystal = structure.uuid
    other = open_archives([second, first])
    assert other.name_of(orm.load_node(crystal).pk) == "2026.aiida" and other.n_repeated == 1


def test_the_same_node_with_another_content_is_counted(archive: Path, spoil: Spoil) -> None:
    same = spoil(sql="UPDATE db_dbnode SET extras = '{\"a\": 1}', label = 'another'")
    assert open_archives([archive, same]).n_different == 0
    changed = spoil(
        sql="UPDATE db_dbnode SET attributes = json_set(attributes, '$.tracer_diffusivity_cm2_s', 1.0) "
        "WHERE json_extract(attributes, '$.tracer_diffusivity_cm2_s') IS NOT NULL"
    )
    archives = open_archives([archive, changed])
    assert (archives.n_repeated, archives.n_different) == (3, 1)
    query = orm.QueryBuilder().append(orm.ArrayData, project="attributes.tracer_diffusivity_cm2_s")
    assert query.all(flat=True) == [1e-5]


def test_labels_that_are_taken_get_the_name_of_their_archive(tmp_path: Path) -> None:
    files = []
    for year, symbol in (("2025", "Ne"), ("2026", "Kr")):
        group = orm.Group("screen").store()
        group.add_nodes(measure(orm.StructureData(ase=bulk(symbol, "fcc", a=5.0))))
        files.append(create_archive([group], filename=tmp_path / f"{year}.aiida"))
        orm.Group.collection.delete(group.pk)
    open_archives(files)
    query = orm.QueryBuilder().append(orm.Group, project=["label"], tag="group")
    query.append(orm.ArrayData, with_group="group", project=["attributes.formula"])
    assert sorted(query.all()) == [["screen", "Ar"], ["screen (2026.aiida)", "Ar"]]


def test_what_is_wrong_only_together_is_refused(archive: Path, spoil: Spoil) -> None:
    # Each has one way between two nodes; together they are a circle.
    back_again = spoil(
        sql="UPDATE db_dblink SET input_id = output_id, output_id = input_id, "
        "type = CASE type WHEN 'create' THEN 'input_calc' ELSE 'create' END"
    )
    with pytest.raises(ArchiveError, match="cyclic provenance"):
        open_archives([archive, back_again])


def test_each_archive_is_checked(archive: Path, spoil: Spoil, tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="no file"):
        open_archives([archive, tmp_path / "absent.aiida"])
    with pytest.raises(ArchiveError, match="a trigger of its own"):
        open_archives(
            [archive, spoil(sql="CREATE TRIGGER t AFTER INSERT ON db_dbnode BEGIN DELETE FROM db_dbnode; END")]
        )


def test_names_are_those_of_files_or_their_paths(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.aiida", "b.aiida")]
    assert archive_names(paths) == ["a.aiida", "b.aiida"]
    twice = [tmp_path / "x" / "a.aiida", tmp_path / "y" / "a.aiida"]
    assert archive_names(twice) == [str(path) for path in twice]


def test_the_archive_of_a_node_is_that_of_its_pk() -> None:
    archives = Archives(("a", "b", "c"), (4, 4, 9), 0, 0)
    assert [archives.name_of(pk) for pk in (1, 4, 5, 9)] == ["a", "a", "c", "c"]
    for pk in (0, 10):
        with pytest.raises(ValueError, match="no archive has a node"):
            archives.name_of(pk)


def test_the_folder_of_the_joined_database_goes_with_it(archive: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "t"))
    (tmp_path / "t").mkdir()
    other = Path(shutil.copy(archive, tmp_path / "copy.aiida"))
    open_archives([archive, other])
    assert len(list((tmp_path / "t").glob("aiida-ion-archives-*"))) == 1
    get_manager().get_profile_storage().close()
    assert not list((tmp_path / "t").glob("aiida-ion-archives-*"))
