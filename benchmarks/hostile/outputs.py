"""Tables, archives, exports and the dashboard: bad filters, dates, formats, ports, and places to write to."""

from __future__ import annotations

from pathlib import Path

from benchmarks.hostile.hostile_input import HostileInput

#: Option of ``table`` -> what the line says, and values that it refuses.
TABLE: dict[str, tuple[str, tuple[str, ...]]] = {
    "--element": ("--element must be the symbol of an element", ("", "Xx", "li", "Li,O", "%")),
    "--material": ("--material must be", ("", "\x07", "a\nb")),
    "--level-of-theory": ("--level-of-theory must be", ("", "\x07")),
    "--min-temperature-K": ("from 0 to 1,000,000 K", ("-1", "nan", "inf", "cold", "1e9")),
    "--max-temperature-K": ("from 0 to 1,000,000 K", ("-1", "nan", "hot", "")),
    "--grade": ("--grade", ("E", "", "a")),
    "--group": ("group", ("", "absent", "%")),
    "--since": ("--since", ("yesterday", "2026-13-01", "", "2026-02-30", "1", "99999-01-01")),
    "--format": ("--format", ("xml", "")),
    "--archive": ("--archive|file", ("absent.aiida", "")),
    "-p": ("profile", ("absent", "")),
}


def inputs(folder: Path) -> list[HostileInput]:
    """Return bad filters and bad places."""
    results = [
        HostileInput(f"table {option} {value!r}", ("table", "materials", option, value), pattern)
        for option, (pattern, values) in TABLE.items()
        for value in values
    ]
    (folder / "a folder").mkdir()
    text = folder / "text.aiida"
    text.write_text("not an archive")
    (folder / "empty.aiida").write_bytes(b"")
    absent = str(folder / "no such folder" / "x.csv")
    calls = {
        "table of an unknown kind": (("table", "crystals"), "crystals"),
        "table: coldest above hottest": (
            ("table", "--min-temperature-K", "900", "--max-temperature-K", "300"),
            "above --max-temperature-K",
        ),
        "table into an absent folder": (("table", "--format", "csv", "--output", absent), "no such folder|folder"),
        "table into a folder": (("table", "--output", str(folder / "a folder")), "directory|folder"),
        "table: parquet without a file": (("table", "materials", "--format", "parquet"), "--output"),
        "table: parquet of two": (("table", "--format", "parquet", "--output", str(folder / "a.parquet")), "one table"),
        "table of a text as archive": (("table", "--archive", str(text)), "archive"),
        "table of an empty archive": (("table", "--archive", str(folder / "empty.aiida")), "archive"),
        "table of a folder as archive": (("table", "--archive", str(folder)), "director|file"),
        "table of an archive and a profile": (("table", "--archive", str(text), "-p", "hostile"), "archive|profile"),
        "compare into an absent folder": (("compare", "--output", absent), "folder"),
        "compare of an unknown format": (("compare", "--format", "xml"), "xml"),
        "compare of an empty material": (("compare", "--material", ""), "--material must be"),
        "export without a place": (("export", "1"), "--output"),
        "export to a folder": (("export", "1", "-o", str(folder / "a folder")), "directory|folder"),
        "export over a file": (("export", "1", "-o", str(text)), "exists"),
        "export of an unknown format": (("export", "1", "-o", "x", "--format", "zip"), "zip"),
        "export thinned to one": (
            ("export", "1", "-o", "x", "--format", "h5md", "--max-frames", "1"),
            "--max-frames must be",
        ),
        "export thinned to -5": (
            ("export", "1", "-o", "x", "--format", "h5md", "--max-frames", "-5"),
            "--max-frames must be",
        ),
        "export thinned without h5md": (("export", "1", "-o", "x", "--max-frames", "5"), "h5md"),
        "export of an absent group": (("export", "absent", "-o", str(folder / "a.aiida")), "no group"),
        "export with an empty licence": (("export", "1", "-o", "x", "--licence", ""), "--licence must be"),
        "import of a text": (("import-archive", str(text)), "archive"),
        "import of an empty file": (("import-archive", str(folder / "empty.aiida")), "archive"),
        "import of a folder": (("import-archive", str(folder)), "directory|file"),
        "import of nothing": (("import-archive", "absent.aiida"), "absent.aiida"),
        "import into an empty group": (("import-archive", str(text), "--group", ""), "--group must be"),
        "dashboard at port -1": (("dashboard", "--port", "-1"), "--port must be"),
        "dashboard at port 65536": (("dashboard", "--port", "65536"), "--port must be"),
        "dashboard at port http": (("dashboard", "--port", "http"), "--port must be"),
        "dashboard at an empty host": (("dashboard", "--port", "0", "--host", ""), "--host must be"),
        "dashboard at an absent host": (("dashboard", "--port", "0", "--host", "no.such.host.invalid"), "no.such.host"),
        "dashboard at another machine": (("dashboard", "--port", "0", "--host", "192.0.2.1"), "192.0.2.1"),
        "dashboard with a short token": (("dashboard", "--port", "0", "--token", "abc"), "16 characters"),
        "dashboard with an empty token": (("dashboard", "--port", "0", "--token", ""), "token"),
        "dashboard of a text": (("dashboard", "--archive", str(text)), "archive"),
        "dashboard of an archive and a profile": (("dashboard", "--archive", str(text), "-p", "hostile"), "exclude"),
        "score into an absent folder": (("benchmark", "score", "--output", absent), "folder"),
        "score of an absent group": (("benchmark", "score", "--group", "absent"), "no group"),
        "score of an empty level": (("benchmark", "score", "--level-of-theory", ""), "--level-of-theory must be"),
        "score from a text": (("benchmark", "score", "--source", str(text)), "OBELiX|text.aiida"),
        "obelix from nowhere": (("benchmark", "obelix", "--engine", "toy", "--source", str(folder / "no")), "no"),
        "obelix with a bad step": (
            ("benchmark", "obelix", "--engine", "toy", "--timestep-fs", "0"),
            "--timestep-fs must be",
        ),
        "surrogate dataset at 0 K": (("surrogate", "dataset", "--temperature-K", "0"), "--temperature-K must be"),
        "surrogate dataset of no kind": (("surrogate", "dataset", "--kinds", "phonons"), "--kinds must be"),
        "surrogate dataset of none": (("surrogate", "dataset", "--max-materials", "0"), "--max-materials must be"),
        "surrogate dataset mixed by colour": (
            ("surrogate", "dataset", "--allow-mixed", "colour"),
            "--allow-mixed must be",
        ),
        "surrogate dataset of an absent group": (("surrogate", "dataset", "--from-group", "absent"), "no group"),
        "surrogate dataset with a seed of 1e23": (("surrogate", "dataset", "--seed", "1e23"), "--seed must be"),
        "surrogate dataset sampled by a list": (("surrogate", "dataset", "--sampling", "[]"), "object"),
        "surrogate train in one fold": (("surrogate", "train", "1", "--folds", "1"), "--folds must be"),
        "surrogate train by an unknown protocol": (("surrogate", "train", "1", "--protocol", "x"), "--protocol"),
        "surrogate train on a gpu": (("surrogate", "train", "1", "--device", "gpu"), "--device must be"),
    }
    return results + [HostileInput(name, call, pattern) for name, (call, pattern) in calls.items()]
