"""dvc.yaml is the table of contents: its names, dependencies, outputs and parameters are those of the code."""

import graphlib
import re
from pathlib import Path

import grimp
import pytest
import yaml

from pipeline.cli import STAGES
from pipeline.datasets import Project
from pipeline.params import Params

# Plumbing that gives no figure of its own; a change of what it writes shows in the outputs' hashes.
PLUMBING = {
    *("environment", "errors", "params", "night_params", "read_params", "plain_yaml", "sections"),
    *("durable", "datasets", "engine", "registry"),
}
FLOW_PLUMBING = {"exits", "log", "progress", "setting"}
RECIPE = yaml.safe_load((Path(__file__).parents[2] / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
GRAPH = grimp.build_graph("pipeline")


def upstream(stage):
    return GRAPH.find_upstream_modules(f"pipeline.stages.{stage}")


def code_of(stage):
    """The rooms and flows a stage runs, as dependencies would name them."""
    found = set()
    for module in upstream(stage):
        parts = module.split(".")[1:]
        if not parts or parts[0] in PLUMBING or (parts[0] == "flows" and len(parts) == 1):
            continue
        if parts[0] == "flows":
            if parts[1] not in FLOW_PLUMBING:
                found.add(f"pipeline/flows/{parts[1]}.py")
        else:
            found.add(f"pipeline/{parts[0]}")
    return found


def flow_sources(stage, repository):
    names = [m.split(".")[-1] for m in upstream(stage) if m.startswith("pipeline.flows.")]
    return {name: (repository / "pipeline" / "flows" / f"{name}.py").read_text(encoding="utf-8") for name in names}


def paths(entries):
    return {entry if isinstance(entry, str) else next(iter(entry)) for entry in entries}


def outputs(stage):
    entry = RECIPE[stage]
    return paths(entry.get("outs", [])) | paths(entry.get("metrics", [])) | paths(entry.get("plots", []))


def test_the_stages_are_the_modules_in_order(repository):
    modules = {path.stem for path in (repository / "pipeline" / "stages").glob("*.py")} - {"__init__"}
    assert tuple(RECIPE) == STAGES
    assert set(RECIPE) == modules


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_runs_the_module_of_its_name(stage):
    assert RECIPE[stage]["cmd"] == f"python -m pipeline.stages.{stage}"


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_exactly_the_code_it_runs(stage):
    named = {dep for dep in RECIPE[stage]["deps"] if dep.startswith("pipeline/")}
    assert named == code_of(stage)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_names_exactly_the_parameters_it_reads(stage, repository):
    read = set()
    for name, source in flow_sources(stage, repository).items():
        if name not in FLOW_PLUMBING:
            read |= set(re.findall(r"\bparams\.([a-z_]+)", source))
            read |= {"engine"} if "setting.engine(" in source else set()
    read &= set(Params.__dataclass_fields__)
    assert set(RECIPE[stage]["params"]) == read


@pytest.mark.parametrize("stage", STAGES)
def test_every_file_a_stage_touches_is_a_dependency_or_an_output(stage, repository):
    project = Project(Path())
    touched = set()
    for source in flow_sources(stage, repository).values():
        for name in re.findall(r"\bproject\.([a-z_]+)", source):
            value = getattr(project, name)
            kinds = [stage.removeprefix("fit_")] if stage.startswith("fit_") else ["scorecard", "booster"]
            touched |= {str(value(kind)) for kind in kinds} if callable(value) else {str(value)}
    named = paths(RECIPE[stage]["deps"]) | outputs(stage)
    free = {
        ".",
        "models",  # the versions in force: decisions over time, not results (docs/decisions/0002)
        "models/mlflow",
        "params.yaml",
        "data/demo",  # a pure function of ingest.demo
        "data/demo-truth/true_pd.parquet",
        "data/studies",  # trials kept so that a search need not begin anew; it would come to the same
    }
    if stage == "validate":
        free.add("data/monitor")  # what the model in force has done since: it comes after (docs/decisions/0012)
    loose = {
        path
        for path in touched - free
        if not any(path == entry or path.startswith(f"{entry}/") or entry.startswith(f"{path}/") for entry in named)
    }
    assert loose == set()


def test_no_output_is_lost_when_a_stage_fails():
    for stage, entry in RECIPE.items():
        for kind in ("outs", "metrics", "plots"):
            for out in entry.get(kind, []):
                assert isinstance(out, dict), (stage, out)
                assert next(iter(out.values()))["persist"] is True, (stage, out)


def test_every_dependency_that_is_data_is_made_by_another_stage_and_none_waits_for_itself():
    # The register is written by people's decisions; the first line by validate, when the first pair promotes itself.
    makers = {out: stage for stage in STAGES for out in outputs(stage)} | {"models/REGISTER.md": "validate"}
    waits_for = {
        stage: {makers[dep] for dep in RECIPE[stage]["deps"] if dep.startswith(("data/", "models/"))}
        for stage in STAGES
    }
    assert set(graphlib.TopologicalSorter(waits_for).static_order()) == set(STAGES)
    # What validation reads of monitoring would close a circle, were it named.
    with pytest.raises(graphlib.CycleError):
        graphlib.TopologicalSorter(waits_for | {"validate": {*waits_for["validate"], "monitor"}}).prepare()
