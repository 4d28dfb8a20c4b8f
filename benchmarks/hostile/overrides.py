"""Files of ``--overrides``, and the YAML of potentials: broken, of another kind, with unknown names and wrong types."""

from __future__ import annotations

from pathlib import Path

from ase.build import bulk
from ase.io import write

from benchmarks.hostile.hostile_input import HostileInput

#: Name -> content of the file, and what the line says.
FILES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty"),
    "only a comment": (b"# nothing\n", "is empty"),
    "a list": (b"- temperatures_K\n- seeds\n", "name: value"),
    "a number": (b"800\n", "name: value"),
    "a text": (b"hot\n", "name: value"),
    "null": (b"null\n", "is empty"),
    "broken brackets": (b"seeds: [1\nmd: {\n", "line"),
    "a tab": (b"md:\n\ttimestep_fs: 1.0\n", "line 2"),
    "two colons": (b"md: timestep_fs: 1.0\n", "line 1"),
    "bad indentation": (b"md:\n  timestep_fs: 1.0\n n_steps: 3\n", "line 3"),
    "a Python object": (b"seeds: !!python/object/apply:os.system ['touch hostile']\n", "line 1.*tags"),
    "a Python tuple": (b"seeds: !!python/tuple [1, 2]\n", "line 1.*tags"),
    "an unknown tag": (b"seeds: !mine [1]\n", "line 1.*tags"),
    "anchors": (b"a: &a [1,1]\nb: [*a, *a]\n", "anchors"),
    "a thousand laughs": (
        b"a: &a [x,x,x,x,x,x,x,x]\n" + b"".join(b"%c: &%c [*%c,*%c]\n" % (c, c, c - 1, c - 1) for c in b"bcdefghi"),
        "anchors",
    ),
    "a name twice": (b"seeds: [1]\nseeds: [2]\n", "line 2.*seeds appears in it twice"),
    "a name twice below": (b"md:\n  timestep_fs: 1.0\n  timestep_fs: 2.0\n", "line 3.*timestep_fs appears in it twice"),
    "a number as name": (b"1: 2\n", "line 1.*name 1"),
    "two documents": (b"seeds: [1]\n---\nseeds: [2]\n", "not valid YAML"),
    "bytes": (bytes(range(256)), "not a text file"),
    "Latin-1": ("formula: caf\xe9\n".encode("latin-1"), "not a text file"),
    "a control character": (b"seeds: [1]\x07\n", "not valid YAML"),
    "two megabytes": (b"#" * 2_000_000, "2,000,000 bytes"),
    "deep nesting": (b"a: " + b"[" * 3000 + b"]" * 3000, "not YAML|unknown override"),
}
#: Name -> YAML of one override, and what the line says.
VALUES: dict[str, tuple[str, str]] = {
    "a wrong capital": ("temperature_k: 800", "did you mean temperatures_K"),
    "a name from another level": ("timestep_fs: 1.0", "did you mean md.timestep_fs"),
    "a name from far below": ("hot_ratio_warn: 2.0", "did you mean diffusion.limits.hot_ratio_warn"),
    "an unknown name": ("colour: red", "unknown override colour; choose from"),
    "an unknown name below": ("md: {timestep: 1.0}", "in md: timestep: did you mean timestep_fs"),
    "an unknown name far below": ("diffusion: {limits: {hot_ratio: 1}}", "hot_ratio: did you mean hot_ratio_"),
    "an unknown prior": ("priors: {max_ea: 1.0}", "in priors: max_ea"),
    "an unknown jump setting": ("jump_settings: {site: auto}", "in jump_settings: site: did you mean sites"),
    "an unknown relaxation setting": ("relax: {fmax: 0.01}", "in relax: fmax"),
    "a setting of the runs": ("md: {seed: 3}", "in md: seed"),
    "a number for a list": ("temperatures_K: 800", "list of numbers.*got 800"),
    "a text for a list": ('temperatures_K: "800"', "write 800 without quotes"),
    "a text in a list": ('temperatures_K: [800, "900"]', "write 900 without quotes"),
    "an exponent that YAML reads as text": ("md: {timestep_fs: 1e0}", "write 1.0 without quotes"),
    "an empty list": ("temperatures_K: []", r"got \[\]"),
    "temperatures twice": ("temperatures_K: [800, 800.0]", "each once"),
    "a mapping for a list": ("temperatures_K: {a: 1}", "list of numbers"),
    "a truth for a number": ("md: {timestep_fs: yes}", "got true"),
    "NaN": ("md: {timestep_fs: .nan}", "from 0.001 to 100 fs, got NaN"),
    "infinity": ("md: {total_time_ps: .inf}", "at most 1,000,000 ps.*got Infinity"),
    "a temperature of 1e9": ("temperatures_K: [1.0e+9]", "from 1 to 10,000 K"),
    "a time step of 1e-300": ("md: {timestep_fs: 1.0e-300}", "from 0.001"),
    "a seed of 1e23": ("seeds: [1.0e+23]", "from 0 to 2,147,483,647"),
    "a seed of 24 digits": ("seeds: [100000000000000000000000]", "from 0 to 2,147,483,647"),
    "a seed with a fraction": ("seeds: [1.5]", "whole numbers"),
    "a negative seed": ("seeds: [-1]", "whole numbers"),
    "steps with a fraction": ("md: {n_steps: 10.5}", "whole number"),
    "steps beyond any run": ("md: {n_steps: 1.0e+12}", "1,000,000,000"),
    "a number for settings": ("md: 3", "md must be a mapping"),
    "null for settings": ("md:", "md must be a mapping"),
    "a list for settings": ("diffusion: [1]", "diffusion must be a mapping"),
    "null for temperatures": ("temperatures_K: null", "got null"),
    "a word for a flag": ('relax_ions: "no"', "true or false"),
    "a number for a flag": ("relax_ions: 0", "true or false"),
    "an unknown word": ("supercell_rule: corner", "one of perpendicular, edge"),
    "two multiples": ("supercell: [2, 2]", "list of 3 whole numbers"),
    "a multiple of zero": ("supercell: [2, 0, 2]", "list of 3 whole numbers"),
    "charges of no element": ("charges: {Xx: 1}", "symbol of an element"),
    "charges as text": ('charges: {Li: "1"}', "write 1 without quotes"),
    "charges NaN": ("charges: {Li: .nan, O: -2}", "from -10 to 10 e"),
    "charges as a list": ("charges: [1, -2]", "mapping of elements"),
    "charges that YAML reads as truth": ("charges: {No: 1}", "not a text"),
    "a pressure of 1e9": ("md: {pressure_GPa: 1.0e+9}", "from -1,000 to 1,000 GPa"),
    "a negative equilibration": ("md: {equilibration_fs: -1}", "equilibration_fs must be"),
    "an equilibration longer than the run": ("md: {equilibration_fs: 1.0e+8}", "leaves nothing"),
    "a negative force": ("relax: {max_force_eV_A: -0.1}", "above 0"),
    "no relaxation steps": ("relax: {max_steps: 0}", "whole number from 1"),
    "one lag": ("diffusion: {n_lags: 1}", "from 5 to 100"),
    "a thousand lags": ("diffusion: {n_lags: 1000}", "from 5 to 100"),
    "a lag fraction of 2": ("diffusion: {max_lag_fraction: 2}", "at most 0.5"),
    "limits the wrong way round": ("diffusion: {limits: {hot_ratio_fail: 1.0}}", "must not be crossed before"),
    "slopes the wrong way round": ("diffusion: {min_log_log_slope: 1.5}", "max_log_log_slope must be above"),
    "an empty prior": ("priors: {max_activation_energy_eV: -1}", "prior of the activation energy is empty"),
    "a prior that is text": ("priors: {max_activation_energy_eV: high}", "max_activation_energy_eV must be a number"),
    "a negative site radius": ("jump_settings: {site_radius_A: -1}", "site_radius_A must be a number"),
    "a target of zero": ("target_relative_error: 0", "target_relative_error must be a number above 0"),
    "rounds without a target": ("max_total_time_ps: 100", "give target_relative_error too"),
    "no jobs in parallel": ("max_concurrent: 0", "max_concurrent must be a whole number"),
    "a long name": (900 * "x" + ": 1", "unknown override"),
    "a name with a control character": ('"a\\u0007b": 1', "unknown override"),
}
#: Name -> YAML of a LAMMPS potential, and what the line says.
POTENTIALS: dict[str, tuple[str, str]] = {
    "a list": ("- pair_style lj/cut 10", "name: value"),
    "broken": ("commands: [", "line"),
    "no commands": ("level_of_theory: mine", "commands"),
    "an unknown key": ("{commands: 'pair_style zero 5', level_of_theory: mine, colour: red}", "colour"),
    "a command that runs a program": ("{commands: 'shell touch hostile', level_of_theory: mine}", "shell"),
    "a Python object": ("commands: !!python/object/apply:os.system ['true']", "tags"),
    "files that are not a list": ("{commands: 'pair_style zero 5', level_of_theory: mine, files: 3}", "files"),
    "an absent file": ("{commands: 'pair_style zero 5', level_of_theory: mine, files: [absent.pt]}", "absent.pt"),
    "charges as text": ("{commands: 'pair_style zero 5', level_of_theory: mine, charges: {Li: one}}", "charge"),
    "commands that are a number": ("{commands: 3, level_of_theory: mine}", "commands"),
}


def inputs(folder: Path) -> list[HostileInput]:
    """Return bad files, on a good crystal."""
    crystal = folder / "Li2O.cif"
    write(crystal, bulk("OLi2", "fluorite", a=4.62))
    run = ("run", str(crystal), "--engine", "toy", "--protocol", "fast", "--dry-run", "--overrides")
    results = [
        HostileInput("overrides: no such file", (*run, str(folder / "absent.yaml")), "absent.yaml.*no such file"),
        HostileInput("overrides: a folder", (*run, str(folder)), "is not a file"),
        HostileInput("overrides: an empty name", (*run, ""), "not empty"),
        HostileInput("overrides: a NUL in the name", (*run, "a\0b"), "a text of one line"),
    ]
    for index, (name, (content, pattern)) in enumerate(FILES.items()):
        path = folder / f"file_{index:02d}.yaml"
        path.write_bytes(content)
        results.append(HostileInput(f"overrides: {name}", (*run, str(path)), pattern))
    for index, (name, (text, pattern)) in enumerate(VALUES.items()):
        path = folder / f"value_{index:02d}.yaml"
        path.write_text(text)
        results.append(HostileInput(f"override: {name}", (*run, str(path)), pattern))
    lammps = ("run", str(crystal), "--engine", "lammps-toy", "--protocol", "fast", "--dry-run", "--potential")
    results.append(HostileInput("potential: an unknown name", (*lammps, "no-such"), "no-such"))
    results.append(HostileInput("potential: none", lammps[:-1], "--potential"))
    results.append(HostileInput("potential: no such file", (*lammps, str(folder / "absent.yml")), "no such file"))
    results.append(HostileInput("potential: for other elements", (*lammps, "gillan-caf2-1986"), "has no"))
    for index, (name, (text, pattern)) in enumerate(POTENTIALS.items()):
        path = folder / f"potential_{index:02d}.yaml"
        path.write_text(text)
        results.append(HostileInput(f"potential: {name}", (*lammps, str(path)), pattern))
    return results
