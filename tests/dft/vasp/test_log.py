"""What OUTCAR and the streams of VASP say, and what is kept of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from aiida_ion.dft.vasp.log import excerpt, failure, read_outcar
from aiida_ion.dft.vasp.output import read_contcar
from tests.dft.vasp.test_xml import real

BOX = """ running on    4 total cores
 -----------------------------------------------------------------------------
|                                                                             |
|     EEEEEEE  RRRRRR   RRRRRR   OOOOOOO  RRRRRR      ###     ###     ###     |
|     E        R     R  R     R  O     O  R     R     ###     ###     ###     |
|                                                                             |
|     The number of bands is not sufficient to hold all electrons. Please     |
|     check NBANDS.                                                           |
|                                                                             |
|       ---->  I REFUSE TO CONTINUE WITH THIS SICK JOB ... BYE!!! <----       |
|                                                                             |
 -----------------------------------------------------------------------------
"""


def test_the_cost_of_a_real_run() -> None:
    result = read_outcar(real("ti", "OUTCAR"))
    assert result["ended"]
    assert (result["wall_time_s"], result["processes"], result["threads"]) == (50.687, 64, 1)
    assert result["cpu_time_s"] == pytest.approx(64 * 46.642)
    assert result["peak_memory_MiB"] == pytest.approx(64 * 256040 / 1024)
    assert "nose_period_steps" not in result, "the line is there, and there is no thermostat"


def test_an_outcar_that_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "OUTCAR"
    path.write_text(real("h2o", "OUTCAR").read_text()[:100_000])
    result = read_outcar(path)
    assert not result["ended"]
    assert "wall_time_s" not in result
    assert read_outcar(tmp_path / "none") == {"ended": False, "processes": 1, "threads": 1}


def test_mpi_ranks_and_threads_of_newer_versions(tmp_path: Path) -> None:
    path = tmp_path / "OUTCAR"
    path.write_text(" running   16 mpi-ranks, with    4 threads/rank, on    2 nodes\n")
    result = read_outcar(path)
    assert (result["processes"], result["threads"]) == (16, 4)


@pytest.mark.parametrize(
    ("stream", "status", "words"),
    [
        (BOX, "engine_failed", "The number of bands is not sufficient to hold all electrons. Please check NBANDS."),
        ("forrtl: severe (174): SIGSEGV, segmentation fault occurred", "engine_failed", "ulimit -s unlimited"),
        (" Error EDDDAV: Call to ZHEGV failed. Returncode =   7 2   8", "engine_failed", "`algo` All"),
        (" VERY BAD NEWS! internal error in subroutine SGRCON:", "engine_failed", "SGRCON"),
        (" ZBRENT: fatal error in bracketing", "engine_failed", "tighten `ediff`"),
        (" Error reading item 'NELM' from file INCAR.", "invalid_input", "'NELM'"),
        ("ERROR: the type information on POSCAR and POTCAR are incompatible", "unknown_potential", "each kind"),
        ("vasp_gam: error while loading shared libraries: libmkl.so", "engine_import_failed", "LD_LIBRARY_PATH"),
        ("bash: /opt/vasp: command not found", "engine_import_failed", "correct its path"),
        ("License check failed: your licence has expired", "engine_import_failed", "licence"),
        ("slurmstepd: error: Detected 1 oom-kill event(s)", "out_of_memory", "more nodes"),
        ("internal error in SET_INDPW_FULL: insufficient memory", "out_of_memory", "more nodes"),
    ],
)
def test_failures_say_what_to_do(stream: str, status: str, words: str) -> None:
    result = failure(f"DAV:   1\n{stream}\n")
    assert result is not None
    assert result[0] == status
    assert words in result[1]


def test_warnings_are_not_failures() -> None:
    assert failure(" WARNING in EDDRMM: call to ZHEGV failed, returncode =   6  3\n DAV: 3\n") is None
    assert failure(" running on    4 total cores\n") is None


def test_the_excerpt_keeps_both_ends(tmp_path: Path) -> None:
    path = tmp_path / "OUTCAR"
    path.write_text("".join(f"line {number}\n" for number in range(100_000)))
    kept = excerpt(path, tmp_path / "none")
    assert len(kept) < 20_000
    assert kept.startswith("==== OUTCAR ====\nline 0\n")
    assert kept.rstrip().endswith("line 99999")
    assert excerpt(tmp_path / "none") == ""


def test_contcar_that_is_not_whole(tmp_path: Path) -> None:
    path = tmp_path / "CONTCAR"
    whole = "t\n1.0\n4 0 0\n0 4 0\n0 0 4\nLi O\n1 1\nDirect\n0.1 0.2 0.3\n0.4 0.5 0.6\n\n0 0 0\n0 0 0\n"
    path.write_text(whole)
    result = read_contcar(path)
    assert result is not None
    assert result.tolist() == [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]
    for end in (0, 5, 40, whole.index("0.5")):
        path.write_text(whole[:end])
        assert read_contcar(path) is None
    assert read_contcar(tmp_path / "none") is None
