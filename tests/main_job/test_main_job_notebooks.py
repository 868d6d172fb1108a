"""The notebooks, run to their end on a small finished project; and as they are kept: bare of what a run leaves."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from project_copy import hashes

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("main_job")]

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
NAMES = [path.stem for path in NOTEBOOKS]
FEWEST_PICTURES = {"01": 7, "02": 4, "03": 5, "04": 4}
KERNEL = "creditbook-test"


@dataclass
class Executed:
    """Runs each notebook in the finished project at most once; remembers what lay there before the first."""

    root: Path
    jupyter: Path
    before: dict[str, dict[str, str]]
    outputs: dict[str, list]

    def __call__(self, number: str) -> list:
        if number not in self.outputs:
            self.outputs[number] = self._run(next((self.root / "notebooks").glob(f"{number}_*.ipynb")))
        return self.outputs[number]

    def _run(self, path: Path) -> list:
        notebook = nbformat.read(path, as_version=4)
        folder = {"metadata": {"path": str(path.parent)}}
        with pytest.MonkeyPatch.context() as patched:
            patched.setenv("JUPYTER_PATH", str(self.jupyter))
            patched.setenv("IPYTHONDIR", str(self.jupyter / "ipython"))
            client = NotebookClient(notebook, timeout=600, kernel_name=KERNEL, resources=folder)
            client.execute(env={**os.environ, "PYTHONPATH": str(self.root)})
        return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


@pytest.fixture(scope="session")
def told(ran, tmp_path_factory) -> Executed:
    jupyter = tmp_path_factory.mktemp("jupyter")
    # A kernel of this very interpreter: one named python3 may be another's.
    spec = {
        "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": KERNEL,
        "language": "python",
    }
    (jupyter / "kernels" / KERNEL).mkdir(parents=True)
    (jupyter / "kernels" / KERNEL / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    return Executed(ran.root, jupyter, contents(ran.root), {})


def contents(root: Path) -> dict[str, dict[str, str]]:
    return {folder: hashes(root / folder) for folder in ("data", "models", "policy", "notebooks")}


def printed(outputs: list) -> str:
    return "".join(output.text for output in outputs if output.output_type == "stream" and output.name == "stdout")


def test_there_are_the_four_notebooks_in_order():
    assert NAMES == [
        "01_explore_the_book",
        "02_read_a_scorecard",
        "03_champion_against_challenger",
        "04_what_a_policy_change_does",
    ]


@pytest.mark.parametrize("number", FEWEST_PICTURES)
def test_a_notebook_runs_to_its_end_draws_and_warns_of_nothing(told, number):
    outputs = told(number)
    complaints = [output.text for output in outputs if output.output_type == "stream" and output.name == "stderr"]
    assert not complaints
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(pictures) >= FEWEST_PICTURES[number]


def test_the_score_added_up_by_hand_is_the_published_one(told):
    lines = dict(re.findall(r"^(by hand|published): +(score \d+, PD [\d.]+%)$", printed(told("02")), re.MULTILINE))
    assert lines["by hand"] == lines["published"]
    assert "every score and PD is the published one" in printed(told("02"))


def test_the_verdict_says_undecided_exactly_when_the_interval_spans_zero(told, ran):
    text = (ran.root / "models" / "validation" / "validation.json").read_text(encoding="utf-8")
    gap = json.loads(text)["differences"]["challenger - champion"]["test"]
    assert "validation.json holds the same differences" in printed(told("03"))
    is_open = gap["low"] is None or gap["low"] <= 0 <= gap["high"]
    assert ("Undecided." in printed(told("03"))) == is_open


def test_a_policy_change_is_measured_from_the_published_run_and_moves_limits_but_no_expected_loss(told, ran):
    text = printed(told("04"))
    manifest = json.loads((ran.root / "data" / "scored" / "latest" / "manifest.json").read_text(encoding="utf-8"))
    assert "PD, grade, limit, action and expected loss are those published" in text
    assert f"{manifest['versions']['policy']['version']} → policy-" in text
    loss = re.search(r"expected loss before and after: ([\d,.]+)", text)
    assert loss
    assert loss[1].replace(",", "") == manifest["totals"]["expected_loss"]
    cut = re.search(r"^(\d[\d,]*) limits fall", text, re.MULTILINE)
    assert cut
    assert int(cut[1].replace(",", "")) > 0


def test_the_notebooks_write_nothing(told):
    for number in FEWEST_PICTURES:
        told(number)
    assert contents(told.root) == told.before


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_a_notebook_is_kept_without_what_a_run_leaves(path):
    text = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count is not None for cell in code)
    assert not any(cell.metadata for cell in notebook.cells)
    assert [cell.id for cell in notebook.cells] == [f"cell-{i:02d}" for i in range(1, len(notebook.cells) + 1)]
    assert notebook.metadata == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    assert notebook.cells[0].cell_type == "markdown"


def _first_cells() -> set[str]:
    notebooks = [nbformat.read(path, as_version=4) for path in NOTEBOOKS]
    return {next(cell.source for cell in notebook.cells if cell.cell_type == "code") for notebook in notebooks}


def test_all_begin_with_the_same_cell():
    assert len(_first_cells()) == 1


@pytest.mark.parametrize(("has_params", "message"), [(False, "no params.yaml here or above"), (True, "creditbook run")])
def test_the_first_cell_stops_outside_a_project_and_before_the_first_run(repository, tmp_path, has_params, message):
    (tmp_path / "notebooks").mkdir()
    if has_params:
        (tmp_path / "params.yaml").write_bytes((repository / "params.yaml").read_bytes())
    stopped = subprocess.run(
        [sys.executable, "-c", *_first_cells()],
        cwd=tmp_path / "notebooks",
        env={**os.environ, "PYTHONPATH": str(repository)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert stopped.returncode != 0
    assert "MissingInputError" in stopped.stderr
    assert message in stopped.stderr
