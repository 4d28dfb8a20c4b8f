"""A measurement is linked to its crystal, and to no other."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.common.timezone import now

from aiida_ion.calculations.experiment import check_link, link_experiment
from aiida_ion.datasets.obelix import read_obelix
from aiida_ion.datasets.obelix_crystals import crystal
from aiida_ion.queries.experiments import EXPERIMENT_COLUMNS, experiments
from aiida_ion.queries.selection import Selection
from tests.datasets.obelix_files import write_dataset


@pytest.fixture
def entries(tmp_path: Path) -> dict[str, Any]:
    return dict(read_obelix(write_dataset(tmp_path)))


def linked(entry: Any, structure: orm.StructureData | None = None, **more: Any) -> Any:
    """Link an entry to its own crystal, or to another."""
    node = structure or orm.StructureData(pymatgen=crystal(entry))
    return link_experiment(node, orm.Dict(entry.attributes() | {"from_dataset": structure is None} | more))


@pytest.mark.usefixtures("aiida_profile_clean")
def test_a_link_holds_the_entry_and_hangs_on_the_crystal(entries: dict[str, Any]) -> None:
    node = linked(entries["ccc"])
    assert node.label == "OBELiX ccc LiF"
    assert node["composition_difference"] == 0.0
    (row,) = experiments().to_dict("records")
    assert tuple(row) == EXPERIMENT_COLUMNS
    assert (row["formula"], row["dataset"], row["entry_id"], row["conductivity_kind"]) == (
        "LiF",
        "OBELiX",
        "ccc",
        "total",
    )
    assert row["ionic_conductivity_mS_cm"] == pytest.approx(2e-3)
    assert row["bulk_ionic_conductivity_mS_cm"] == pytest.approx(5e-3)
    assert (row["close_match"], row["partly_occupied"], row["perturbed"]) == (True, True, False)
    assert row["uuid"] == node.uuid
    assert orm.load_node(row["structure_uuid"]).get_formula() == "F4Li4"


@pytest.mark.usefixtures("aiida_profile_clean")
def test_a_bound_stays_a_bound(entries: dict[str, Any]) -> None:
    linked(entries["bbb"])
    (row,) = experiments().to_dict("records")
    assert np.isnan(row["ionic_conductivity_mS_cm"])
    assert row["ionic_conductivity_upper_bound_mS_cm"] == pytest.approx(1e-7)


@pytest.mark.usefixtures("aiida_profile_clean")
def test_another_compound_is_refused(entries: dict[str, Any], lithium_oxide: orm.StructureData) -> None:
    attributes = entries["aaa"].attributes()
    with pytest.raises(ValueError, match="OBELiX aaa is LiF, and the structure is Li2O"):
        link_experiment(lithium_oxide, orm.Dict(attributes))
    assert experiments().empty
    with pytest.raises(ValueError, match="states no ionic conductivity"):
        check_link(lithium_oxide, attributes | {"ionic_conductivity_mS_cm": None})
    with pytest.raises(ValueError, match="cannot be read"):
        check_link(lithium_oxide, attributes | {"entry_formula": "Li3(Mo8S8O8(OH)8(HWO5(H2O)))*(H2O)18"})


@pytest.mark.usefixtures("aiida_profile_clean")
def test_an_ordered_cell_may_be_near_the_composition(entries: dict[str, Any]) -> None:
    structure = orm.StructureData(pymatgen=crystal(entries["aaa"]))
    assert check_link(structure, entries["aaa"].attributes() | {"entry_formula": "Li0.98F"})[
        "composition_difference"
    ] == pytest.approx(0.00505, rel=0.01)
    with pytest.raises(ValueError, match=r"is Li0.9F"):
        check_link(structure, entries["aaa"].attributes() | {"entry_formula": "Li0.9F"})


@pytest.mark.usefixtures("aiida_profile_clean")
def test_the_newest_of_two_links_counts(entries: dict[str, Any]) -> None:
    structure = orm.StructureData(pymatgen=crystal(entries["aaa"])).store()
    linked(entries["aaa"], structure, family="old")
    new = linked(entries["aaa"], structure, family="new")
    assert experiments()["uuid"].tolist() == [new.uuid]
    assert len(orm.QueryBuilder().append(orm.StructureData).all()) == 1


@pytest.mark.usefixtures("aiida_profile_clean")
def test_rows_are_selected(entries: dict[str, Any]) -> None:
    fluoride, chloride = linked(entries["aaa"]), linked(entries["bbb"])

    def found(**selected: Any) -> list[str]:
        return experiments(Selection(**selected))["entry_id"].tolist()

    assert found() == ["aaa", "bbb"]
    assert found(formula="LiF") == ["aaa"]
    assert found(elements=("Cl",)) == ["bbb"]
    assert found(elements=("Li",)) == ["aaa", "bbb"]
    assert found(elements=("Na",)) == []
    assert found(temperature_K=(290.0, 300.0)) == ["aaa", "bbb"]
    assert found(temperature_K=(300.0, 400.0)) == []
    assert found(since=now() + timedelta(hours=1)) == []
    assert found(until=now() + timedelta(hours=1)) == ["aaa", "bbb"]
    group = orm.Group(label="some").store()
    assert found(group="some") == []
    group.add_nodes([chloride])
    assert found(group="some") == ["bbb"]
    chain = orm.WorkChainNode()
    chain.base.links.add_incoming(fluoride.creator.inputs.structure, orm_link(), "structure")
    group.add_nodes([chain.store()])
    assert found(group="some") == ["aaa", "bbb"]


def orm_link() -> Any:
    from aiida.common.links import LinkType

    return LinkType.INPUT_WORK
