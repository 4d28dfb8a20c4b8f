"""``ion.training``: a dataset -> a potential, or a committee of them that differ by seed, and their report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm
from aiida.engine import ExitCode, while_
from aiida.manage.caching import enable_caching
from aiida.plugins import CalculationFactory

from aiida_ion.calculations.training.report import report_training
from aiida_ion.settings.rules import MAX_SEED
from aiida_ion.workchains.outcome import outcome
from aiida_ion.workchains.window import WindowWorkChain

#: Jobs that train; both have the ports of `aiida_ion/calculations/training/ports.py`.
JOBS = ("ion.train", "ion.lammps_train")
MOST_MEMBERS = 20
#: Inputs that each job gets as they are.
PASSED = ("code", "dataset", "parent", "parent_checkpoint")


class TrainingWorkChain(WindowWorkChain):
    """Train each member in a job of its own; one that fails does not stop the others."""

    @classmethod
    def define(cls: Any, spec: Any) -> None:
        """Declare inputs, outline, outputs and exit codes."""
        super().define(spec)
        spec.input("code", valid_type=orm.AbstractCode, help="What runs the job that trains.")
        spec.input("dataset", valid_type=orm.ArrayData, help="Labelled frames: what `ion.training_dataset` made.")
        spec.input(
            "parameters",
            valid_type=orm.Dict,
            help="Those of the job; `seed` is that of the first member, the next have seed + 1, ...",
        )
        spec.input(
            "entry_point",
            valid_type=orm.Str,
            default=lambda: orm.Str(JOBS[0]),
            validator=_validate_entry_point,
            help=f"The job that trains: {' or '.join(JOBS)}.",
        )
        spec.input(
            "n_members",
            valid_type=orm.Int,
            default=lambda: orm.Int(1),
            validator=_validate_n_members,
            help=f"Number of potentials, 1 to {MOST_MEMBERS}: the same data, other seeds.",
        )
        spec.input("parent", valid_type=orm.Dict, required=False, help="The potential that the trainings start from.")
        spec.input("parent_checkpoint", valid_type=orm.SinglefileData, required=False, help="Its checkpoint.")
        spec.input("options", valid_type=dict, non_db=True, required=False, help="`metadata.options` of the jobs.")
        spec.input("max_concurrent", valid_type=int, non_db=True, default=4, help="Trainings at a time.")
        spec.inputs.validator = validate_inputs
        spec.outline(cls.setup, while_(cls.window_is_open)(cls.fill_window), cls.conclude)
        spec.output_namespace(
            "potentials",
            valid_type=orm.SinglefileData,
            dynamic=True,
            help="The potential of each member, `member_1` and so on.",
        )
        spec.output_namespace(
            "packages", valid_type=orm.SinglefileData, dynamic=True, help="NequIP and Allegro: before compilation."
        )
        spec.output_namespace("files", dynamic=True, help="POD: the files of each member.")
        spec.output_namespace(
            "reports", valid_type=orm.ArrayData, dynamic=True, help="The report of each member's training."
        )
        spec.output(
            "report",
            valid_type=orm.ArrayData,
            required=False,
            help="Errors (eV/angstrom, eV/atom) of all members together beside those of the parent; spread of a "
            "committee, and the ratio of its error to it.",
        )
        spec.exit_code(509, "ERROR_NOT_TRAINED", message="Not one potential was trained: {detail}")
        spec.exit_code(713, "WARNING_TRAINING_INCOMPLETE", message="Some trainings failed or stopped early: {detail}")

    def setup(self) -> None:
        """Queue the members."""
        seed = int(self.inputs.parameters.get_dict().get("seed", 1))
        members = range(self.inputs.n_members.value)
        self.open_window(
            [{"name": f"member_{member + 1}", "seed": seed + member} for member in members], self.inputs.max_concurrent
        )

    def submit_run(self, run: dict[str, Any]) -> Any:
        """Submit the training of a member; the database serves one that it has."""
        inputs = {name: self.inputs[name] for name in PASSED if name in self.inputs}
        inputs["parameters"] = orm.Dict(self.inputs.parameters.get_dict() | {"seed": run["seed"]})
        inputs["metadata"] = {"call_link_label": run["name"]}
        if "options" in self.inputs:
            inputs["metadata"]["options"] = dict(self.inputs.options)
        job: Any = CalculationFactory(self.inputs.entry_point.value)
        with enable_caching(identifier=f"aiida.calculations:{self.inputs.entry_point.value}"):
            return self.submit(job, **inputs)

    def inspect_run(self, run: dict[str, Any], node: Any) -> None:
        """Attach what a member left."""
        outputs = node.outputs
        for theirs, ours in (("potential", "potentials"), ("package", "packages"), ("report", "reports")):
            if theirs in outputs:
                self.out(f"{ours}.{run['name']}", outputs[theirs])
        for key in outputs.files if "files" in outputs else ():
            self.out(f"files.{run['name']}.{key}", outputs.files[key])
        if not node.is_finished_ok:
            self.report(f"{run['name']}: {outcome(node)}")

    def conclude(self) -> ExitCode | None:
        """Report the members together, and what failed."""
        reports, failed = {}, []
        for run in sorted(self.ctx.done, key=lambda run: int(run["seed"])):
            node: Any = orm.load_node(run["pk"])
            if not node.is_finished_ok:
                failed.append(f"{run['name']}: {outcome(node)}")
            if "report" in node.outputs and "row" in node.outputs.report.get_arraynames():
                reports[run["name"]] = node.outputs.report
        detail = "; ".join(failed)
        if not reports:
            return self.exit_codes.ERROR_NOT_TRAINED.format(detail=detail)  # type: ignore[no-any-return]
        about = {"n_members": self.inputs.n_members.value, "failed": failed}
        report: Any = report_training(self.inputs.dataset, orm.Dict(about), **reports)
        self.out("report", report)
        if failed:
            return self.exit_codes.WARNING_TRAINING_INCOMPLETE.format(detail=detail)  # type: ignore[no-any-return]
        return None


def _validate_entry_point(value: orm.Str | None, _: Any) -> str | None:
    if value is not None and value.value not in JOBS:
        return f"entry_point must be one of {', '.join(JOBS)}, got {value.value}"
    return None


def _validate_n_members(value: orm.Int | None, _: Any) -> str | None:
    if value is not None and not 1 <= value.value <= MOST_MEMBERS:
        return f"n_members must be from 1 to {MOST_MEMBERS}, got {value.value}"
    return None


def validate_inputs(inputs: Mapping[str, Any], _: Any) -> str | None:
    """Return why the jobs would be refused; ``None`` if they would not."""
    parameters, entry_point, n_members = (inputs.get(name) for name in ("parameters", "entry_point", "n_members"))
    if parameters is None or inputs.get("dataset") is None:
        return None
    job: Any = CalculationFactory(JOBS[0] if entry_point is None else entry_point.value)
    ports = job.spec().inputs
    given = {name: inputs[name] for name in (*PASSED, "parameters") if inputs.get(name) is not None}
    for name in ("parameters", "parent"):
        validator = ports[name].validator
        problem = validator(given[name], ports[name]) if validator is not None and name in given else None
        if problem is not None:
            return str(problem)
    seed = parameters.get_dict().get("seed", 1)
    if seed + (1 if n_members is None else n_members.value) - 1 > MAX_SEED:
        return f"the seeds must be at most {MAX_SEED}: take a smaller one"
    problem = ports.validator(given, ports)
    return None if problem is None else str(problem)
