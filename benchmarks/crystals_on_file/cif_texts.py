"""Cells and texts of CIFs: units, encodings, line ends, blocks, broken syntax."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

from benchmarks.crystals_on_file.makers import Hostile, cif


def cells() -> Iterator[Hostile]:
    """Cells that are none, or are in another unit."""
    for edges, words in {
        "462 462 462": "picometre",
        "0.462 0.462 0.462": "angstrom apart",
        "-4.62 4.62 4.62": "above zero",
        "0 4.62 4.62": "above zero",
        "? 4.62 4.62": "not a number",
        "nan 4.62 4.62": "not a number",
        "1e400 4.62 4.62": "not a finite",
        "4,62 4.62 4.62": "decimal point",
        "8.73 8.73 8.73": "far too empty",
        "2.445 2.445 2.445": "apart",
        "1e9 1e9 1e9": "longer than",
    }.items():
        yield Hostile(f"edges {edges}", "x.cif", cif(edges=edges).encode(), "", words)
    for angles, words in {
        "1.5708 1.5708 1.5708": "radians",
        "0 0 0": "make no cell",
        "90 90 200": "make no cell",
        "60 60 120": "make no cell",
        "90 90 91": "does not have the symmetry",
        "-90 90 90": "make no cell",
    }.items():
        yield Hostile(f"angles {angles}", "x.cif", cif(angles=angles).encode(), "", words)
    lengths = cif().replace("_cell_length_a 4.62\n", "loop_\n_cell_length_a\n4.62 5.0\n")
    yield Hostile("two lengths of one edge", "x.cif", lengths.encode(), "", "has 2 values")
    many = [(f"Li{n}", "Li", f"{n % 97 / 97:.4f} {n % 89 / 89:.4f} {n % 83 / 83:.4f}") for n in range(20_000)]
    yield Hostile("20,000 general sites in Fm-3m", "x.cif", cif(many, edges="90 90 90").encode(), "", "more than")


def texts() -> Iterator[Hostile]:
    """Encodings, line ends, blocks, broken syntax."""
    good = cif()
    yield Hostile("byte order mark", "x.cif", b"\xef\xbb\xbf" + good.encode(), "Li8O4")
    yield Hostile("UTF-16", "x.cif", good.encode("utf-16"), "Li8O4")
    yield Hostile("Latin-1", "x.cif", cif(extra="_publ_author 'M\xfcller'\n").encode("latin-1"), "Li8O4", "Latin-1")
    yield Hostile("Windows line ends", "x.cif", good.replace("\n", "\r\n").encode(), "Li8O4")
    yield Hostile("old line ends of Macintosh", "x.cif", good.replace("\n", "\r").encode(), "Li8O4")
    yield Hostile("compressed", "x.cif.gz", gzip.compress(good.encode()), "Li8O4")
    yield Hostile("damaged compression", "x.cif.gz", gzip.compress(good.encode())[:40], "", "cannot be read")
    yield Hostile("a bomb", "x.cif.gz", gzip.compress(b"\n" * 60_000_000), "", "larger than")
    yield Hostile(
        "capital keywords", "x.cif", good.replace("data_", "DATA_").replace("loop_", "LOOP_").encode(), "Li8O4"
    )
    two = good + good.replace("data_x", "data_y").replace("4.62", "4.80")
    yield Hostile("two crystals", "x.cif", two.encode(), "", "2 crystals (x, y)")
    yield Hostile("two blocks of one name", "x.cif", (good + good).encode(), "", "2 crystals")
    yield Hostile(
        "a block without atoms before it",
        "x.cif",
        ("data_global\n_audit_x 1\n" + good).encode(),
        "Li8O4",
        "have no atoms",
    )
    yield Hostile("no block", "x.cif", good.replace("data_x\n", "").encode(), "", "first data block")
    yield Hostile("empty", "x.cif", b"", "", "empty")
    yield Hostile("blank", "x.cif", b" \n\n", "", "empty")
    yield Hostile("zeros", "x.cif", bytes(1000), "", "not a text file")
    yield Hostile("a picture", "x.cif", b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "", "not a text file")
    yield Hostile("a web page", "x.cif", b"<!DOCTYPE html><html><body>404</body></html>", "", "first data block")
    yield Hostile("cut within the sites", "x.cif", good.encode()[:-5], "", "whole number of rows")
    stated = cif(extra="_chemical_formula_sum 'Li2 O'\n")
    yield Hostile("cut between two sites", "x.cif", stated.encode()[:-11], "", "the file states")
    yield Hostile("a text without end", "x.cif", (good + "_a\n;\nabc\n").encode(), "", "has no end")
    yield Hostile("an item twice", "x.cif", cif(extra="_cell_length_a 5.0\n").encode(), "", "appears twice")
    yield Hostile("a stray value", "x.cif", cif(extra="_b 1 stray\n").encode(), "", "belongs to no item")
    yield Hostile(
        "no cell",
        "x.cif",
        "\n".join(line for line in good.split("\n") if "_cell_" not in line).encode(),
        "",
        "cell length",
    )
    yield Hostile("no sites", "x.cif", good.split("loop_")[0].encode(), "", "no atom sites")
    yield Hostile(
        "magnetic", "x.cif", cif(extra="_space_group_symop_magn_operation.xyz x,y,z,+1\n").encode(), "", "magnetic"
    )
    yield Hostile("magnetic by its name", "x.mcif", good.encode(), "", "magnetic")
    yield Hostile("modulated", "x.cif", cif(extra="_cell_modulation_dimension 1\n").encode(), "", "modulated")
    yield Hostile("escape codes", "x.cif", cif(extra="_a '\x1b[31m'\n").encode(), "", "not a text file")
