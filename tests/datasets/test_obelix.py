"""OBELiX is read as it is: bounds as bounds, flags kept, nothing believed."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest

from aiida_ion.datasets.obelix import DATASET, ROOM_TEMPERATURE_K, read_obelix
from aiida_ion.datasets.obelix_cells import MAX_ALIKE, MeasuredConductivity
from aiida_ion.datasets.obelix_crystals import PAPER_IDS, crystal, remarks, select
from aiida_ion.datasets.obelix_download import download
from tests.datasets.obelix_files import (
    CIFS,
    EDGES,
    LITHIUM_FLUORIDE,
    ROWS,
    VALUE,
    cif,
    real_dataset,
    row,
    write_dataset,
)


def test_an_entry_keeps_its_flags_and_bounds(tmp_path: Path) -> None:
    result = read_obelix(write_dataset(tmp_path))
    assert list(result) == ["aaa", "bbb", "ccc", "ddd", "eee", "fff", "ggg"]
    assert result["aaa"].stated == MeasuredConductivity(1e-12)
    assert result["bbb"].stated == MeasuredConductivity(1e-10, is_bound=True)
    assert [result[name].conductivity_kind for name in ("aaa", "ccc", "ddd")] == [None, "total", "bulk"]
    assert result["ccc"].bulk == MeasuredConductivity(5e-6)
    assert [entry.perturbed for entry in result.values()] == [True, False, False, False, False, False, True]
    assert [entry.close_match for entry in result.values()] == [False, False, True, False, False, False, False]
    assert [entry.partly_occupied for entry in result.values()] == [False, False, True, True, False, None, False]
    assert result["aaa"].dois == ("10.1000/a", "10.1000/b")
    assert "below 1e-10 S/cm" in remarks(result["bbb"])[0]
    assert remarks(result["ccc"]) == [
        "sites with an occupancy of 0.97 and more are treated as full",
        "its structure file has a similar composition, not the sample's own",
    ]


def test_a_bound_has_no_value_in_the_database(tmp_path: Path) -> None:
    result = read_obelix(write_dataset(tmp_path))
    attributes = result["bbb"].attributes()
    assert attributes["ionic_conductivity_mS_cm"] is None
    assert attributes["ionic_conductivity_upper_bound_mS_cm"] == pytest.approx(1e-7)
    attributes = result["ccc"].attributes()
    assert attributes["ionic_conductivity_mS_cm"] == pytest.approx(2e-3)
    assert attributes["bulk_ionic_conductivity_mS_cm"] == pytest.approx(5e-3)
    assert attributes["ionic_conductivity_upper_bound_mS_cm"] is None
    assert (attributes["dataset"], attributes["temperature_K"], attributes["doi"]) == (
        DATASET,
        ROOM_TEMPERATURE_K,
        "10.1000/a; 10.1000/b",
    )
    assert "cif" not in attributes
    assert len(attributes["cif_sha256"]) == 64
    assert result["fff"].attributes()["cif_sha256"] is None


def test_a_zip_and_a_download_hold_the_same(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "one")
    expected = read_obelix(folder)
    with zipfile.ZipFile(tmp_path / "whole.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, f"downloads/{path.name}")
    assert read_obelix(tmp_path / "whole.zip") == expected
    with zipfile.ZipFile(tmp_path / "flat.zip", "w") as archive:
        archive.write(folder / "all.csv", "all.csv")
        for name, text in CIFS.items():
            archive.writestr(f"../../{name}.cif", text)  # nothing is unpacked
    assert read_obelix(tmp_path / "flat.zip") == expected
    unpacked = tmp_path / "downloaded"
    (unpacked / "all_randomized_cifs").mkdir(parents=True)
    (unpacked / "all.csv").write_text((folder / "all.csv").read_text())
    for name, text in CIFS.items():
        (unpacked / "all_randomized_cifs" / f"{name}.cif").write_text(text)
    assert read_obelix(download(unpacked)) == expected


def test_crystals_of_ordered_entries(tmp_path: Path) -> None:
    result = read_obelix(write_dataset(tmp_path))
    assert [entry.entry_id for entry in select(result, ["ordered"])] == ["aaa", "bbb", "eee", "ggg"]
    assert [entry.entry_id for entry in select(result, ["ccc", "aaa", "ccc"])] == ["ccc", "aaa"]
    assert crystal(result["aaa"]).composition.reduced_formula == "LiF"
    nearly_full = crystal(result["ccc"])
    assert nearly_full.is_ordered
    assert len(nearly_full) == 8


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ddd", "partly occupied sites (down to 0.5); order the cell"),
        ("eee", "its structure file holds LiF, the table says Li2O"),
        ("fff", "there is no structure file for LiF"),
    ],
)
def test_what_cannot_be_simulated_is_refused(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(ValueError, match=f"OBELiX {name}") as caught:
        crystal(read_obelix(write_dataset(tmp_path))[name])
    assert words in str(caught.value)


def test_an_id_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no entry zzz"):
        select(read_obelix(write_dataset(tmp_path)), ["aaa", "zzz"])


@pytest.mark.parametrize("value", ["1e-15", "1E-15"])
def test_the_number_that_stands_for_bounds_is_refused(tmp_path: Path, value: str) -> None:
    folder = write_dataset(tmp_path, [*ROWS, row("hhh", "LiF", value)])
    with pytest.raises(ValueError, match="saved from the API of obelix-data; give the files that it downloads"):
        read_obelix(folder)


def test_another_number_in_the_place_of_bounds_is_refused_too(tmp_path: Path) -> None:
    same = [row(f"x{number:02}", "LiF", "1e-18") for number in range(MAX_ALIKE + 1)]
    with pytest.raises(ValueError, match=f"{MAX_ALIKE + 1} entries have 1e-18 S/cm"):
        read_obelix(write_dataset(tmp_path, [*ROWS, *same]))
    assert len(read_obelix(write_dataset(tmp_path, [*ROWS, *same[1:]]))) == len(ROWS) + MAX_ALIKE


def changed(**more: str) -> list[dict[str, Any]]:
    return [ROWS[0] | more, *ROWS[1:]]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (changed(**{VALUE: "high"}), "aaa: 'high' is not a conductivity"),
        (changed(**{VALUE: "-1"}), "'-1' S/cm is not a conductivity"),
        (changed(**{VALUE: "nan"}), "'nan' S/cm is not a conductivity"),
        (changed(**{VALUE: "1e9"}), "is not a conductivity"),
        (changed(**{VALUE: ""}), "aaa has no ionic conductivity"),
        (changed(ID="bbb"), "bbb appears twice"),
        (changed(ID="../../etc"), "is not an id of three letters or digits"),
        ([{"ID": "aaa"}], "this is not the OBELiX table"),
        (changed(Family="x" * 200_000), "cannot be read as a table"),
    ],
)
def test_a_table_that_cannot_be_trusted(tmp_path: Path, rows: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(ValueError, match="all.csv") as caught:
        read_obelix(write_dataset(tmp_path, rows))
    assert words in str(caught.value)
    assert len(str(caught.value)) < 300


def test_labels_are_short_printable_text(tmp_path: Path) -> None:
    rows = changed(Family="<b>x</b>\x1b[31m\n" + "y" * 300)
    family = read_obelix(write_dataset(tmp_path, rows))["aaa"].family
    assert family is not None
    assert family.isprintable()
    assert len(family) == 200


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("data_x\n_cell_length_a 1\n", "it contains no sites"),
        (cif([(*LITHIUM_FLUORIDE[0][:4], 1.5)], EDGES), "must be above 0 and at most 1"),
        (cif([(*LITHIUM_FLUORIDE[0][:4], "half")], EDGES), "cannot be read"),  # type: ignore[list-item]
        ("x" * 1_000_001, "exceeds the limit of 1000000 bytes"),
    ],
)
def test_a_structure_file_that_cannot_be_trusted(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ValueError, match="aaa.cif") as caught:
        read_obelix(write_dataset(tmp_path, cifs={"aaa": text}))
    assert words in str(caught.value)


def test_files_that_are_no_dataset(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such folder or zip file"):
        read_obelix(tmp_path / "absent")
    with pytest.raises(ValueError, match=r"there is no all.csv"):
        read_obelix(tmp_path)
    folder = write_dataset(tmp_path / "one")
    whole = (folder / "all_cifs.zip").read_bytes()
    (folder / "all_cifs.zip").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"all_cifs.zip: cannot be read as a zip file"):
        read_obelix(folder)
    (folder / "all_cifs.zip").write_bytes(whole.replace(b"data_made", b"data_fake"))
    with pytest.raises(ValueError, match=r"all_cifs.zip: cannot be read as a zip file"):
        read_obelix(folder)
    (tmp_path / "no.zip").write_text("no")
    with pytest.raises(ValueError, match=r"no.zip: cannot be read as a zip file"):
        read_obelix(tmp_path / "no.zip")
    (folder / "all.csv").write_bytes(b"ID\xff\n")
    with pytest.raises(ValueError, match=r"all.csv: is not UTF-8 text"):
        read_obelix(folder)


def test_the_published_data() -> None:
    result = read_obelix(real_dataset())
    assert len(result) == 599
    assert sum(entry.stated.is_bound for entry in result.values()) == 37
    assert sum(entry.cif is not None for entry in result.values()) == 321
    ordered = select(result, ["ordered"])
    assert len(ordered) == 72
    paper = select(result, ["paper"])
    assert tuple(entry.entry_id for entry in paper) == PAPER_IDS
    assert [crystal(entry).composition.reduced_formula for entry in paper if entry.entry_id in ("joc", "mdp")] == [
        "Li3PS4",
        "Li7P3S11",
    ]
    assert [entry.entry_id for entry in paper if not entry.perturbed] == ["wyu"]
    with pytest.raises(ValueError, match="its structure file holds SiS4"):
        crystal(result["b4c"])


def test_a_table_saved_from_the_api_of_the_package_is_refused(tmp_path: Path) -> None:
    package = pytest.importorskip("obelix", reason="the package obelix-data is not installed")
    (tmp_path / "all.csv").write_bytes((real_dataset() / "all.csv").read_bytes())
    (tmp_path / "test.csv").write_text("ID\n47i\n")
    data = package.OBELiX(data_path=str(tmp_path), no_cifs=True).dataframe
    assert (data[VALUE] == 1e-15).sum() == 37
    data.to_csv(tmp_path / "all.csv")
    with pytest.raises(ValueError, match="37 entries have 1e-15 S/cm"):
        read_obelix(tmp_path)
