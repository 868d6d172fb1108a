"""Rules of the house that a reader would otherwise have to trust."""

import ast
import re
import subprocess

import pytest

# The tests of a group that this process ran.
RUNS = pytest.StashKey[list[int]]()
VAGUE = {"utils", "util", "helpers", "common", "misc", "base", "manager"}


def tracked(repository, *patterns):
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=repository,
        capture_output=True,
        text=True,
        check=True,
    )
    return [repository / name for name in listed.stdout.splitlines() if (repository / name).is_file()]


def test_no_module_has_a_name_that_says_nothing(repository):
    assert [path for path in tracked(repository, "*.py") if path.stem in VAGUE] == []


def test_no_module_of_the_pipeline_is_longer_than_400_lines(repository):
    long = {
        path.name: lines
        for path in tracked(repository, "pipeline/*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert long == {}


# The hosts are put together here so that this file does not name them either.
@pytest.mark.parametrize("host", ["pypi" + ".org", "pythonhosted" + ".org", "npmjs" + ".org", "debian" + ".org"])
def test_no_file_names_a_registry(repository, host):
    named = [path for path in tracked(repository) if host in path.read_text(encoding="utf-8", errors="replace")]
    assert named == []


def test_every_pin_of_the_lock_carries_a_hash(repository):
    text = (repository / "requirements" / "lock.txt").read_text(encoding="utf-8")
    pins = re.split(r"\n(?=[a-z0-9])", text)[1:]
    assert len(pins) > 100
    assert [pin.splitlines()[0] for pin in pins if "--hash=sha256:" not in pin] == []


def test_the_lock_holds_every_dependency_of_the_project(repository):
    import tomllib

    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["dev"]
    names = {re.split(r"[\[<>=]", entry)[0].lower() for entry in wanted}
    lock = (repository / "requirements" / "lock.txt").read_text(encoding="utf-8")
    locked = set(re.findall(r"^([a-z0-9-]+)==", lock, flags=re.MULTILINE))
    assert names - locked == set()


def test_whoever_opens_the_ledger_notices_when_it_changes_while_it_is_read(repository):
    opened, watched = set(), set()
    for path in tracked(repository, "pipeline/flows/*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.With):
                calls = {ast.unparse(item.context_expr).split("(")[0] for item in node.items}
                inside = [one for line in node.body for one in ast.walk(line) if isinstance(one, ast.Call)]
                places = {(path.stem, one.lineno) for one in inside if ast.unparse(one.func) == "ledger_in"}
                watched |= places if "unchanged" in calls else set()
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "ledger_in":
                opened.add((path.stem, node.lineno))
    assert len(opened) >= 12
    assert opened - watched == set()


def test_no_step_swallows_an_error_silently(repository):
    silent = re.compile(r"except[^\n]*:\n\s+pass\b")
    assert [path for path in tracked(repository, "*.py") if silent.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.xdist_group("one worker")
@pytest.mark.parametrize("number", range(4))
def test_a_group_of_tests_stays_on_one_worker(request, number):
    if not request.config.getoption("loadgroup", default=False):
        pytest.skip("no worker of pytest -n --dist loadgroup")
    assert request.node.nodeid.endswith("@one worker")
    runs = request.config.stash.setdefault(RUNS, [])
    runs.append(number)
    assert runs == list(range(number + 1))


def test_nothing_phones_home(repository):
    import os

    config = (repository / ".dvc" / "config").read_text(encoding="utf-8")
    assert "analytics = false" in config
    assert "check_update = false" in config
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert os.environ["DVC_NO_ANALYTICS"] == "1"
