"""The cells of a disordered crystal on its page: which is shown, its energy and weight, and which sites were shared."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.common.links import LinkType
from aiida.manage.configuration.profile import Profile
from plotly.utils import PlotlyJSONEncoder

from aiida_ion.analysis.disorder.ensemble import order_crystal
from aiida_ion.analysis.disorder.settings import OrderingSettings
from aiida_ion.calculations.disorder.order import crystal_of
from aiida_ion.dashboards.figures.theme import LIGHT
from aiida_ion.dashboards.pages.atoms.orderings import drawn, orderings_card, sentence
from aiida_ion.queries.atoms.orderings import on_partial_sites, orderings, sites_of
from tests.calculations.disorder.test_order import argyrodite
from tests.queries.nodes import chain, job


@pytest.fixture(scope="module")
def source(module_profile: Profile) -> orm.StructureData:
    """Store the half-filled argyrodite, cells drawn of it, and the same after a relaxation that ranked them."""
    structure = argyrodite().store()
    settings = OrderingSettings(max_atoms=60, n_orderings=3, sweeps=10, min_width_A=0.0)
    ensemble = order_crystal(crystal_of(structure), settings)
    about = ensemble.attributes()
    for number, (process, relaxed) in enumerate(((job("ion.order_structure"), False), (chain("ion.ordering"), True))):
        process.base.links.add_incoming(
            structure, LinkType.INPUT_CALC if not relaxed else LinkType.INPUT_WORK, "structure"
        )
        process.store()
        out = LinkType.RETURN if relaxed else LinkType.CREATE
        members = [dict(member) for member in about["members"]]
        for index, member in enumerate(ensemble.members):
            cell = orm.StructureData(pymatgen=member.structure.copy().apply_strain(0.03 * number))
            if relaxed:
                cell.store()
                members[index] |= {"energy_eV": -10.0 + 0.5 * index, "rank": index + 1, "converged": index == 0}
            cell.base.links.add_incoming(process, out, f"orderings__o{index:03d}")
            cell.store()
        node = orm.Dict(about | {"members": members})
        if relaxed:
            node.store()
        node.base.links.add_incoming(process, out, "ensemble")
        node.store()
    return structure


def text(component: Any) -> str:
    return json.dumps(component, cls=PlotlyJSONEncoder, ensure_ascii=False)


def test_cells_are_listed_with_what_is_known_of_them(source: orm.StructureData) -> None:
    table = orderings(source.uuid)
    n = int(table["n_orderings"].iloc[0])
    assert len(table) == 2 * n and set(table["process_type"]) == {
        "aiida.workflows:ion.ordering",
        "aiida.calculations:ion.order_structure",
    }
    relaxed = table[table["relaxed_above_eV"].notna()].reset_index(drop=True)
    assert list(relaxed["relaxed_above_eV"]) == pytest.approx([0.5 * index for index in range(n)])
    first = sentence(relaxed.iloc[0].to_dict())
    assert first.startswith(f"o000, one of {n} cells of 52 atoms; weight ")
    assert first.endswith("Relaxed energy the lowest of them.")
    second = sentence(relaxed.iloc[1].to_dict())
    assert "Relaxed energy 0.5 eV above the lowest, 9.62 meV per atom. It is not converged." in second
    drawn_only = table[table["relaxed_above_eV"].isna()]
    words = [sentence(row) for row in drawn_only.to_dict("records")]
    assert any("Electrostatic energy of point charges, not relaxed: the lowest." in one for one in words)


def test_shared_sites_are_marked_also_in_strained_cells(source: orm.StructureData) -> None:
    crystal = sites_of(source.uuid)
    for uuid in orderings(source.uuid)["structure_uuid"]:
        cell, positions, contents = sites_of(uuid)
        symbols = [next(iter(content)) for content in contents]
        marked = on_partial_sites(cell, positions, symbols, crystal)
        assert marked is not None
        assert {symbol for symbol, one in zip(symbols, marked, strict=True) if one} == {"Li", "S", "Cl"}
        assert not marked[[symbol == "P" for symbol in symbols]].any()
        # The S of PS4 is on a site of its own, four for each P; the others are exchanged with Cl.
        sulfur = marked[[symbol == "S" for symbol in symbols]]
        assert (~sulfur).sum() == 4 * symbols.count("P")
    assert on_partial_sites(1.2 * cell, positions, symbols, crystal) is None
    assert on_partial_sites(cell, positions + np.array([2.0, 0.3, 0.0]), symbols, crystal) is None
    assert on_partial_sites(cell, positions, ["Na", *symbols[1:]], crystal) is None


def test_the_page_shows_a_cell_and_the_crystal(source: orm.StructureData) -> None:
    (card,) = orderings_card(source.uuid, "dark")
    words = text(card)
    assert "Ordered cells" in words and "the crystal itself" in words
    assert "atoms are on sites that are partly occupied or shared in the crystal (ringed)." in words
    chosen = str(orderings(source.uuid)["structure_uuid"].iloc[0])
    figure, sentence_of = drawn(source.uuid, chosen, LIGHT)
    names = [trace.name for trace in figure.data]
    assert {"cell", "bonds", "P", "S", "Cl", "Li", "site partly occupied in the crystal"} == set(names)
    assert "weight" in sentence_of
    figure, sentence_of = drawn(source.uuid, source.uuid, LIGHT)
    assert "S 0.25, Cl 0.75" in {trace.name for trace in figure.data} or "Cl 0.75, S 0.25" in {
        trace.name for trace in figure.data
    }
    assert "56 of 76 sites are partly occupied or shared" in sentence_of
    assert orderings_card(chosen, "light") == orderings_card(None, "light") == []
    assert "nothing to draw" in drawn(source.uuid, "nowhere", LIGHT)[0].layout.annotations[0].text
