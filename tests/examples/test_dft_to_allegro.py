"""From labels to the conductivity by Allegro: what the dry run says, and all of it on Lennard-Jones."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ase.build import bulk
from ase.io import write

from aiida_ion.queries import diffusion, runs
from tests.cli.conftest import invoke, lj_engine  # noqa: F401
from tests.conftest import ENGINES, engine_environment

EXAMPLES = Path(__file__).parents[2] / "examples"
BIN = Path(sys.executable).parent
Main = Callable[[list[str]], None]


@pytest.fixture
def main(monkeypatch: pytest.MonkeyPatch) -> Main:
    """Return what the script runs."""
    monkeypatch.syspath_prepend(EXAMPLES)
    import dft_to_allegro  # type: ignore[import-not-found]

    result: Main = dft_to_allegro.main
    return result


@pytest.mark.usefixtures("lj_engine")
def test_the_dry_run_checks_the_first_runs_and_prints_every_command(
    main: Main, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--dft", "toy", "--dry-run", "--sizes", "medium", "--temperatures", "1200,1400"])
    text = capsys.readouterr().out
    assert "Li2O with Lennard-Jones" in text and "60 steps" in text, text
    commands = [line.partition("aiida-ion ")[2].split() for line in text.splitlines() if line.startswith("=== ")]
    starts = [" ".join(words[:2]) if words[0] == "potential" else words[0] for words in commands]
    label, gather, train, register = (f"potential {name}" for name in ("label", "dataset", "train", "register"))
    round_ = [gather, train, register, "run", label, label]
    assert starts == ["run", label, *round_, gather, train, register, "run"]
    final = commands[-4]
    # The first DFT run, copies, and the first of the scout's runs train; the second of each kind is never trained on.
    assert final[final.index("--validation") + 1] == "PK-dft-molecular-dynamics-seed-2"
    assert final[final.index("--test") + 1] == "PK-round-1-labels-of-the-run-of-seed-2"
    assert "1200,1400" in commands[-1]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--sizes", "huge"], "there is no size 'huge'; choose from small, medium"),
        (["--dft-seeds", "1"], "give two DFT seeds or more"),
    ],
)
def test_what_cannot_be_asked_for(
    main: Main, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    with pytest.raises(SystemExit):
        main(words)
    assert message in capsys.readouterr().err


@pytest.mark.usefixtures("campaign")
def test_the_table_has_values_with_intervals_bounds_and_reasons(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(EXAMPLES)
    import dft_to_allegro_table  # type: ignore[import-not-found]

    fits = diffusion()
    fits = fits[~fits["superseded"].astype(bool)]
    for moved, name in ((True, "tracer_diffusivity_cm2_s"), (False, "tracer_diffusivity_upper_bound_cm2_s")):
        fit = fits[(fits["moved"] == moved) & fits[name].notna()].iloc[0]
        rows = dft_to_allegro_table.rows_of("small", fit["process_pk"])
        row = next(row for row in rows if row["T (K)"] == f"{fit['target_temperature_K']:g}")
        low, high = (fit[f"tracer_diffusivity_ci95_{side}_cm2_s"] for side in ("low", "high"))
        interval = f"{fit[name]:.3g} [{low:.3g}, {high:.3g}]"
        assert row["D* (cm2/s)"] == (interval if moved else f"< {fit[name]:.3g}")
        assert ("[" in row["Haven ratio"]) == moved and row["survived (ps)"].startswith("seed 1: ")
        assert moved or any(
            fit["reason"] in line for line in dft_to_allegro_table.caveats_of("small", fit["process_pk"])
        )
    exploded = runs().query("exit_status == 410")
    assert "(exit 410)" in dft_to_allegro_table.survived(exploded)


@pytest.mark.usefixtures("lj_engine")
def test_an_engine_that_is_not_there(main: Main) -> None:
    with pytest.raises(SystemExit, match="there is no engine 'dft'"):
        main(["--dry-run"])


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Return a function that runs a command in a fresh home; the daemon is stopped at the end."""
    engine_environment("nequip")
    home = tmp_path / "home"
    home.mkdir()
    environment = os.environ | {"AIIDA_PATH": str(home), "AIIDA_ION_ENGINES": str(ENGINES), "OMP_NUM_THREADS": "1"}

    def run(*words: str) -> str:
        done = subprocess.run([*words], env=environment, capture_output=True, text=True, cwd=home, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run(str(BIN / "aiida-ion"), "setup", "--profile-name", "allegro")
    yield run
    stop = [str(BIN / "verdi"), "daemon", "stop"]
    assert any(subprocess.run(stop, env=environment, check=False).returncode == 0 for _ in range(10))


@pytest.mark.slow
def test_all_of_it_by_the_daemon_and_once_only(command: Callable[..., str], tmp_path: Path) -> None:
    crystal = tmp_path / "LiF.vasp"
    write(crystal, bulk("LiF", "rocksalt", a=5.0, cubic=True))
    kwargs = '{"sigma": 2.2, "epsilon": 0.05, "rc": 5.0}'
    add = ("engine", "add", "dft", "--python", sys.executable, "--potential", "lj", "--kwargs", kwargs)
    command(str(BIN / "aiida-ion"), *add)
    words = (
        *(sys.executable, str(EXAMPLES / "dft_to_allegro.py"), "--structure", str(crystal), "--sizes", "small"),
        *("--dft-temperature-K", "80", "--dft-ps", "0.4", "--dft-timestep-fs", "4", "--stride-fs", "80"),
        *("--displaced", "2", "--strained", "1", "--largest-A", "0.1", "--own-temperature-K", "60", "--own-ps", "0.2"),
        *("--own-frames", "2", "--epochs", "2", "--temperatures", "60", "--supercell", "1,2,2", "--time-ps", "0.2"),
        *("--equilibration-ps", "0", "--no-watch", "--settings", '{"n_scalars": 4, "n_tensors": 2}'),
    )
    text = command(*words)
    tables = text[text.index("Errors on frames") :]
    assert "| small |" in tables and "seed 1: 0.2, seed 2: 0.2, seed 3: 0.2" in tables, tables
    assert "DFT, step" in tables and "Allegro small, step" in tables
    n_processes = command(str(BIN / "verdi"), "process", "list", "-a", "-r", "-P", "pk")
    again = command(*words)
    assert again[again.index("Errors on frames") :] == tables
    assert command(str(BIN / "verdi"), "process", "list", "-a", "-r", "-P", "pk") == n_processes
