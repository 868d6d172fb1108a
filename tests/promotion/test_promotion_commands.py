"""`creditbook promote`, `rollback` and `compare` on the embedded store: what moves, what refuses, what is recorded."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import zoneinfo

import pytest
from promotable import DAY, alias_of, asked, client_of, lines_of

from pipeline.durable import locked
from pipeline.errors import (
    DamagedModelError,
    GateError,
    LockedError,
    MissingInputError,
    PartlyDoneError,
    TargetUnreachableError,
)
from pipeline.flows import decision, role_history
from pipeline.flows.compare import compare
from pipeline.flows.comparison_words import _part
from pipeline.flows.decision import day_of
from pipeline.flows.promote_version import promote
from pipeline.flows.rollback import rollback
from pipeline.flows.setting import open_setting

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("promotion"),
    # MLflow's own store and client warn about their own future.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
NOWHERE = "http://127.0.0.1:9"


def test_the_first_pair_stands_in_the_register(made):
    lines = lines_of(made.register)
    assert [(line[0], line[2], line[3], line[5]) for line in lines] == [
        ("1", "first pair", "champion", made.weak),
        ("2", "first pair", "challenger", made.booster),
    ]
    # The day is that of the data, so that the same data give the same file.
    assert {line[1] for line in lines} == {"2019-12-31"}
    assert made.role()["before"] == []


def test_every_candidate_is_registered_with_lineage_and_validation(made):
    client = client_of(made)
    versions = {v.tags["model_version"]: v for v in client.search_model_versions("name = 'creditbook-pd'")}
    assert set(versions) == {made.weak, made.strong, made.booster}
    needed = {"data_version", "code_version", "git_commit", "params_hash", "catalogue_hash", "lock_hash"}
    policies = {f"policy_{path.stem}" for path in (made.root / "policy").glob("*.yaml")}
    for version in versions.values():
        assert needed | policies <= set(version.tags)
        run = client.get_run(version.run_id)
        assert needed | policies <= set(run.data.tags)
        assert [a.path for a in client.list_artifacts(version.run_id, "validation")] == ["validation/validation.json"]
    one, other = versions[made.weak].tags, versions[made.strong].tags
    assert one["data_version"] == other["data_version"]
    assert one["params_hash"] != other["params_hash"]
    assert one["git_commit"] == "no git repository"


def test_a_better_model_passes_the_gates_and_takes_the_role(project, capsys):
    promote(project.root, project.strong, asked(reason="more to go by | and safer"))
    told = capsys.readouterr().out
    assert [line.split()[1] for line in told.splitlines()[1:10]] == ["green"] * 9
    assert "nobody is thin among the rows unseen by either" in told
    record = project.role()
    assert (record["model_version"], record["from"], record["before"]) == (project.strong, project.weak, [project.weak])
    assert (record["since"], record["promoted_by"], record["override"]) == ("2026-01-05", "Ann", None)
    assert lines_of(project.register)[-1] == [
        "3", "2026-01-05", "promoted", "champion", project.weak, project.strong, "Ann", r"more to go by \| and safer",
        "9 of 9 passed", "–",
    ]  # fmt: skip
    version = client_of(project).get_model_version_by_alias("creditbook-pd", "champion")
    assert version.tags["model_version"] == project.strong
    assert version.tags["champion.by"] == "Ann"
    assert version.tags["champion.since"] == "2026-01-05"
    assert version.tags["champion.reason"] == "more to go by | and safer"
    assert version.tags["champion.override"] == "none"


def test_a_worse_model_is_refused_and_nothing_changes(project, capsys):
    promote(project.root, project.strong, asked())
    before, register = project.role(), project.register
    capsys.readouterr()
    with pytest.raises(GateError, match="gini_not_inferior") as refused:
        promote(project.root, project.weak, asked())
    assert refused.value.exit_code == 80
    gate = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("gini_not_inferior"))
    assert gate.split()[1] in {"red", "amber"}
    assert (project.role(), project.register) == (before, register)
    assert alias_of(project) == project.strong


def test_an_override_promotes_and_stays_visible_everywhere(project, capsys):
    promote(project.root, project.strong, asked())
    promote(project.root, project.weak, asked(override="the new columns end in March", on=dt.date(2026, 2, 1)))
    record = project.role()
    assert (record["model_version"], record["override"]) == (project.weak, "the new columns end in March")
    assert any(gate["light"] != "green" for gate in record["gates"])
    last = lines_of(project.register)[-1]
    assert last[-1] == "the new columns end in March"
    assert "gini" in last[-2]
    tags = client_of(project).get_model_version_by_alias("creditbook-pd", "champion").tags
    assert tags["champion.override"] == "the new columns end in March"


def test_an_override_that_was_not_needed_is_none_and_it_is_said(project, capsys):
    promote(project.root, project.strong, asked(override="to be safe"))
    assert project.role()["override"] is None
    assert lines_of(project.register)[-1][-1] == "–"
    told = capsys.readouterr().out.splitlines()
    assert "all gates passed: the override was not needed and is not recorded" in told
    register = project.register
    promote(project.root, project.strong, asked(override="once more"))
    assert capsys.readouterr().out.splitlines() == [
        "no gate was asked: the override was not needed and is not recorded",
        f"{project.strong} is champion, as it was; nothing was changed or recorded, and MLflow's alias is in step",
    ]
    assert (project.role()["override"], project.register) == (None, register)


def test_an_override_that_was_needed_is_not_called_needless(project, capsys):
    promote(project.root, project.booster, asked(override="a trial"))
    assert "not needed" not in capsys.readouterr().out


def test_a_rerun_moves_nothing_twice_and_mirrors_again(project, capsys):
    promote(project.root, project.strong, asked())
    register = project.register
    client_of(project).delete_registered_model_alias("creditbook-pd", "champion")
    promote(project.root, project.strong, asked(by="Bob"))
    assert project.register == register
    assert project.role()["promoted_by"] == "Ann"
    assert alias_of(project) == project.strong


def test_the_number_of_mlflow_names_a_version_too(project):
    number = client_of(project).get_model_version_by_alias("creditbook-pd", "challenger").version
    strong = next(
        v.version
        for v in client_of(project).search_model_versions("name = 'creditbook-pd'")
        if v.tags["model_version"] == project.strong
    )
    assert number != strong
    promote(project.root, str(strong), asked())
    assert project.role()["model_version"] == project.strong


@pytest.mark.parametrize("name", ["scorecard-000000000000", "99", "../models", "", "champion.json"])
def test_an_unknown_version_is_66(project, name):
    with pytest.raises(MissingInputError) as missing:
        promote(project.root, name, asked())
    assert missing.value.exit_code == 66
    assert project.role()["model_version"] == project.weak


def test_a_changed_model_file_is_65(project):
    path = project.root / "models" / project.strong / "calibration.json"
    path.write_text(path.read_text(encoding="utf-8").replace("1", "2", 1), encoding="utf-8")
    with pytest.raises(DamagedModelError, match=r"calibration\.json"):
        promote(project.root, project.strong, asked())


def test_evidence_that_was_changed_is_65_and_evidence_that_is_gone_decides_nothing(project, capsys):
    folder = project.root / "models" / "evidence" / project.weak
    text = (folder / "evidence.json").read_text(encoding="utf-8")
    (folder / "evidence.json").write_text(text.replace("2019-12-31", "2013-12-31"), encoding="utf-8")
    with pytest.raises(DamagedModelError, match="evidence"):
        promote(project.root, project.strong, asked())
    shutil.rmtree(folder)
    with pytest.raises(GateError):
        promote(project.root, project.strong, asked())
    assert f"what {project.weak} was trained on is not kept" in capsys.readouterr().out


def test_a_copy_in_mlflow_that_answers_otherwise_fails_parity(project, monkeypatch, capsys):
    other = project.root / "models" / project.weak
    monkeypatch.setattr("pipeline.registry.Registry.fetch_model", lambda self, number, folder: other)
    with pytest.raises(GateError, match="parity"):
        promote(project.root, project.strong, asked())


def test_a_leak_nobody_took_on_refuses(project):
    path = project.root / "models" / "evidence" / project.strong / "evidence.json"
    told = json.loads(path.read_text(encoding="utf-8"))
    assert [finding["verdict"] for finding in told["leaks"]["findings"]] == ["accepted"]
    for finding in told["leaks"]["findings"]:
        finding["verdict"] = "warn"
    told.pop("sha256")
    from pipeline.flows.evidence import _hash

    path.write_text(json.dumps({"sha256": _hash(told), **told}), encoding="utf-8")
    with pytest.raises(GateError, match=r"1 of 9 gates do not pass \(leaks\)"):
        promote(project.root, project.strong, asked())


def test_the_challenger_takes_the_place_of_the_challenger(project):
    promote(project.root, project.strong, asked(role="challenger", override="to be watched"))
    assert project.role("challenger")["model_version"] == project.strong
    assert project.role("champion")["model_version"] == project.weak
    assert (alias_of(project), alias_of(project, "challenger")) == (project.weak, project.strong)


def test_two_at_once_are_75(project):
    with locked(project.root / "models" / ".roles.lock"):
        with pytest.raises(LockedError) as held:
            promote(project.root, project.strong, asked())
        with pytest.raises(LockedError):
            rollback(project.root, asked())
    assert held.value.exit_code == 75
    assert project.role()["model_version"] == project.weak


def test_rollback_goes_back_step_by_step_and_no_further(project):
    promote(project.root, project.strong, asked())
    promote(project.root, project.booster, asked(override="to have three"))
    rollback(project.root, asked(by="Bob", reason="complaints", on=dt.date(2026, 2, 1)))
    assert (project.role()["model_version"], project.role()["before"]) == (project.strong, [project.weak])
    assert lines_of(project.register)[-1][1:8] == [
        "2026-02-01", "rolled back", "champion", project.booster, project.strong, "Bob", "complaints",
    ]  # fmt: skip
    assert alias_of(project) == project.strong
    rollback(project.root, asked(on=dt.date(2026, 2, 1)))
    assert project.role()["model_version"] == project.weak
    with pytest.raises(MissingInputError, match="nobody was champion before"):
        rollback(project.root, asked())
    assert len(lines_of(project.register)) == 6


def test_rollback_to_a_damaged_model_changes_nothing(project):
    promote(project.root, project.strong, asked())
    (project.root / "models" / project.weak / "catalogue.json").write_text("[]", encoding="utf-8")
    with pytest.raises(DamagedModelError):
        rollback(project.root, asked())
    assert project.role()["model_version"] == project.strong


def test_without_mlflow_nothing_is_promoted_but_a_rollback_goes_through(project, monkeypatch):
    promote(project.root, project.strong, asked())
    monkeypatch.setenv("MLFLOW_TRACKING_URI", NOWHERE)
    with pytest.raises(TargetUnreachableError) as unreachable:
        promote(project.root, project.booster, asked(override="now"))
    assert unreachable.value.exit_code == 69
    assert project.role()["model_version"] == project.strong
    with pytest.raises(PartlyDoneError, match=f"run creditbook promote {project.weak}") as part:
        rollback(project.root, asked())
    assert part.value.exit_code == 76
    assert project.role()["model_version"] == project.weak
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert alias_of(project) == project.strong
    promote(project.root, project.weak, asked())
    assert alias_of(project) == project.weak
    assert len(lines_of(project.register)) == 4


def test_a_move_cut_short_before_the_register_is_written_in_later(project, monkeypatch):
    def cut(path, text):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(role_history, "replace_text", cut)
        with pytest.raises(KeyboardInterrupt):
            promote(project.root, project.strong, asked())
    assert project.role()["model_version"] == project.strong
    assert len(lines_of(project.register)) == 2
    promote(project.root, project.strong, asked(by="Bob"))
    assert [line[6] for line in lines_of(project.register)] == ["creditbook", "creditbook", "Ann"]
    assert alias_of(project) == project.strong


def test_what_people_write_into_the_register_stays(project):
    path = project.root / "models" / "REGISTER.md"
    path.write_text(path.read_text(encoding="utf-8") + "\nMinutes of the committee: file 12.", encoding="utf-8")
    before = path.read_text(encoding="utf-8")
    promote(project.root, project.strong, asked())
    assert project.register.startswith(before + "\n| 3 |")


def test_the_day_is_that_of_the_business(project, monkeypatch):
    class Clock(dt.datetime):
        @classmethod
        def now(cls, tz=None):
            return dt.datetime(2026, 1, 5, 18, 0, tzinfo=dt.UTC).astimezone(tz)

    monkeypatch.setattr(decision.dt, "datetime", Clock)
    params = (project.root / "params.yaml").read_text(encoding="utf-8")
    assert day_of(open_setting(project.root), None) == dt.date(2026, 1, 5)
    (project.root / "params.yaml").write_text(
        params.replace("promotion:", "promotion:\n  time_zone: Asia/Shanghai"), encoding="utf-8"
    )
    assert "Asia/Shanghai" in zoneinfo.available_timezones()
    assert day_of(open_setting(project.root), None) == dt.date(2026, 1, 6)
    assert day_of(open_setting(project.root), DAY) == DAY


def test_two_models_are_compared_on_rows_neither_has_seen(made, tmp_path, capsys):
    compare(made.root, "champion", made.strong, tmp_path / "told.json")
    printed = capsys.readouterr().out
    told = json.loads((tmp_path / "told.json").read_text(encoding="utf-8"))
    assert told["gini"]["verdict"] == "second"
    assert "B is better" in printed
    assert told["gini"]["difference"]["high"] < 0
    assert told["rows"]["first_as_of"] == "2018-12-31"
    assert told["rows"]["rows"] + sum(told["rows"]["left_out"].values()) == 16_000
    assert sum(cell["rows"] for cell in told["swap"]["cells"].values()) == told["rows"]["rows"]
    assert told["swap"]["cost"] is None
    assert set(told["parts"]) == {"segment"}
    assert "Rows neither was trained on: " in printed
    compare(made.root, "champion", made.weak, tmp_path / "same.json")
    printed = capsys.readouterr().out
    assert printed == f"champion and {made.weak} are one model, {made.weak}: the same PD for every customer\n"
    assert json.loads((tmp_path / "same.json").read_text(encoding="utf-8"))["gini"]["verdict"] == "same"


def test_parts_of_which_nothing_can_be_told_take_one_line():
    group = {"rows": 20, "bad_customers": 3, "difference": None, "detectable": None, "verdict": "too_few"}
    few = list(_part("industry", {"A": group, "C": {**group, "bad_customers": 4}}, 10))
    assert few == [
        "By industry: too few to say in any of the 2 parts; 4 bad groups at most, or too few good ones, where 10 of "
        "each are needed"
    ]
    known = {**group, "difference": {"value": 0.1, "low": 0.0, "high": 0.2}, "detectable": 0.1, "verdict": "second"}
    assert len(list(_part("industry", {"A": group, "C": known}, 10))) == 3
