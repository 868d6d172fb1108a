"""A role file that is lost or damaged, and the days of decisions: small folders, no fit, no MLflow."""

from __future__ import annotations

import datetime as dt
import json
from types import SimpleNamespace

import pytest

from pipeline.errors import DamagedModelError, GateError, MissingInputError, UsageError
from pipeline.flows import promote_version, promotion, role_restoring
from pipeline.flows import rollback as rolling_back
from pipeline.flows.promote_version import Asked, promote
from pipeline.flows.promotion import promote_first_pair
from pipeline.flows.register_lines import decisions_in
from pipeline.flows.registration import _tags
from pipeline.flows.role_history import Move, decisions, move, record_of
from pipeline.flows.role_restoring import restore_roles
from pipeline.flows.rollback import rollback
from pipeline.registry import Version
from pipeline.train.gates import Gate

FIRST, CARD, OTHER, BOOSTER = "scorecard-1", "scorecard-2", "scorecard-3", "booster-1"
GATES = (
    {"name": "leaks", "value": 0.0, "low": None, "high": None, "light": "green"},
    {"name": "gini_not_inferior", "value": -0.03, "low": -0.06, "high": 0.01, "light": "amber"},
)
REASON = "better | safer\\ *now*"


class Store:
    """MLflow's side: who has which alias."""

    model_name = "creditbook-pd"

    def __init__(self) -> None:
        self.holders: dict[str, Version] = {}
        self.asked: list[str] = []

    def holder(self, alias):
        self.asked.append(alias)
        return self.holders.get(alias)

    def registered(self, version):
        return "1"


@pytest.fixture
def store(monkeypatch):
    found = Store()
    monkeypatch.setattr(role_restoring, "registry_of", lambda setting: found)
    monkeypatch.setattr(promote_version, "registry_of", lambda setting: found)
    monkeypatch.setattr(promotion, "mirror_roles", lambda setting: {})
    monkeypatch.setattr(promote_version, "mirror_roles", lambda setting: {})
    monkeypatch.setattr(promote_version, "gates", gates_of)
    monkeypatch.setattr(promote_version, "model_named", lambda setting, name: SimpleNamespace(version=name))
    monkeypatch.setattr(rolling_back, "read_model", lambda folder: SimpleNamespace(version=folder.name))
    return found


def gates_of(setting, model, standing, number):
    """Whoever stands in the role cannot be shown to be worse; where nobody stands, all is green."""
    light = "green" if standing is None else "red"
    return [Gate("gini_not_inferior", None, None, None, "", light, f"against {standing}")]


@pytest.fixture
def setting(tmp_path, store, monkeypatch):
    """Champions FIRST, then CARD by an override on 2025-06-30; challenger BOOSTER."""
    models = tmp_path / "models"
    for version in (FIRST, CARD, OTHER, BOOSTER):
        (models / version).mkdir(parents=True)
        (models / version / "manifest.json").write_text("{}", encoding="utf-8")
    move(models, Move("champion", FIRST, "first pair", "2024-12-31", "creditbook", "the first pair"))
    move(models, Move("challenger", BOOSTER, "first pair", "2024-12-31", "creditbook", "the first pair"))
    move(models, Move("champion", CARD, "promoted", "2025-06-30", "Ann", REASON, GATES, "minutes_7"))
    made = SimpleNamespace(
        project=SimpleNamespace(models=models),
        params=SimpleNamespace(promotion=SimpleNamespace(time_zone="UTC")),
    )
    monkeypatch.setattr(promote_version, "open_setting", lambda root: made)
    monkeypatch.setattr(rolling_back, "open_setting", lambda root: made)
    return made


DAMAGES = ("", "null", "{", '{"model_version": ""}', f'{{"model_version": "{CARD}", "before": 7}}', None)


def damage(setting, text, name="champion.json"):
    path = setting.project.models / name
    path.unlink() if text is None else path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("text", DAMAGES)
def test_the_register_writes_a_role_file_again(setting, store, text):
    models = setting.project.models
    was, register = record_of(models, "champion"), (models / "REGISTER.md").read_bytes()
    damage(setting, text)
    restore_roles(setting)
    now = record_of(models, "champion")
    facts = [name for name in was if name != "gates"]
    assert {name: now[name] for name in facts} == {name: was[name] for name in facts}
    assert (now["before"], now["reason"], now["override"]) == ([FIRST], REASON, "minutes_7")
    assert [(gate["name"], gate["light"]) for gate in now["gates"]] == [("gini_not_inferior", "amber")]
    assert now["gates_told"] == "1 of 2 passed; gini_not_inferior undecided -0.03 (-0.06 to 0.01)"
    assert (models / "REGISTER.md").read_bytes() == register
    assert store.asked == []


def test_what_came_before_is_reckoned_through_promotions_and_rollbacks(setting):
    models = setting.project.models
    move(models, Move("champion", OTHER, "promoted", "2025-07-31", "Ann", "a trial"))
    move(models, Move("champion", CARD, "rolled back", "2025-08-31", "Bob", "complaints"))
    was = record_of(models, "champion")
    damage(setting, "")
    restore_roles(setting)
    assert record_of(models, "champion")["before"] == was["before"] == [FIRST]


@pytest.mark.parametrize("text", DAMAGES)
def test_a_promotion_with_a_damaged_file_is_still_judged_against_the_holder(setting, text):
    damage(setting, text)
    asked = Asked("champion", by="Ann", on=dt.date(2025, 7, 1))
    with pytest.raises(GateError, match="gini_not_inferior"):
        promote(setting.project.models.parent, OTHER, asked)
    assert record_of(setting.project.models, "champion")["model_version"] == CARD
    promote(setting.project.models.parent, OTHER, Asked("champion", by="Ann", override="x", on=dt.date(2025, 7, 1)))
    record = record_of(setting.project.models, "champion")
    assert (record["model_version"], record["from"], record["before"]) == (OTHER, CARD, [FIRST, CARD])


@pytest.mark.parametrize("text", DAMAGES)
def test_a_rollback_with_a_damaged_file_goes_back(setting, text):
    damage(setting, text)
    rollback(setting.project.models.parent, Asked("champion", by="Bob", on=dt.date(2025, 7, 1)))
    assert record_of(setting.project.models, "champion")["model_version"] == FIRST


def back_to_the_card(setting):
    """OTHER by green gates on 2025-07-31, then back to CARD, which decision 3 had promoted by an override."""
    models = setting.project.models
    move(models, Move("champion", OTHER, "promoted", "2025-07-31", "Ann", "the gates passed", GATES[:1]))
    rollback(models.parent, Asked("champion", by="Bob", reason="complaints", on=dt.date(2025, 8, 31)))
    return record_of(models, "champion")


def test_a_rollback_to_a_version_promoted_by_an_override_keeps_the_override_visible(setting, capsys):
    record = back_to_the_card(setting)
    assert (record["model_version"], record["promoted_by"], record["action"]) == (CARD, "Bob", "rolled back")
    assert record["override"] == "minutes_7"
    assert record["of_decision"] == {"number": 3, "day": "2025-06-30", "by": "Ann"}
    assert [(gate["name"], gate["light"]) for gate in record["gates"]] == [("gini_not_inferior", "amber")]
    line = decisions(setting.project.models)[-1]
    gates = "of decision 3: 1 of 2 passed; gini_not_inferior undecided -0.03 (-0.06 to 0.01)"
    assert (line.number, line.gates, line.override) == (5, gates, "of decision 3: minutes_7")
    tags = _tags("champion", record)
    assert (tags["champion.gates"], tags["champion.override"]) == (gates, "of decision 3: minutes_7")
    assert f"{CARD} is champion against the gates, by decision 3 (Ann): minutes_7" in capsys.readouterr().err


def test_a_rollback_takes_over_the_last_decision_on_the_version_and_not_an_older_one(setting):
    models = setting.project.models
    back_to_the_card(setting)
    move(models, Move("champion", FIRST, "promoted", "2025-09-30", "Ann", "the gates passed", GATES[:1]))
    move(models, Move("champion", CARD, "promoted", "2025-10-31", "Ann", "the gates passed", GATES[:1]))
    move(models, Move("champion", OTHER, "promoted", "2025-11-30", "Ann", "the gates passed", GATES[:1]))
    rollback(models.parent, Asked("champion", by="Bob", on=dt.date(2025, 12, 31)))
    record = record_of(models, "champion")
    assert (record["model_version"], record["override"], record["of_decision"]["number"]) == (CARD, None, 7)
    assert decisions(models)[-1].gates == "of decision 7: 1 of 1 passed"
    assert decisions(models)[-1].override is None


@pytest.mark.parametrize("kept", ["register", "last line", "alias"])
def test_the_override_outlives_the_loss_of_the_role_file_after_a_rollback(setting, store, kept):
    models, was = setting.project.models, back_to_the_card(setting)
    damage(setting, None)
    if kept == "last line":
        path = models / "REGISTER.md"
        path.write_text(path.read_text(encoding="utf-8").splitlines()[-1] + "\n", encoding="utf-8")
    if kept == "alias":
        damage(setting, None, "REGISTER.md")
        store.holders["champion"] = Version("2", CARD, _tags("champion", was))
    restore_roles(setting)
    now = record_of(models, "champion")
    assert (now["override"], now["gates"], now["gates_told"]) == ("minutes_7", was["gates"], was["gates_told"])
    assert now["of_decision"]["number"] == 3
    assert now["of_decision"]["by"] == ("Ann" if kept == "register" else None)


def test_a_rollback_of_which_the_register_tells_no_promotion_says_that_nothing_is_known(setting, capsys):
    damage(setting, None, "REGISTER.md")
    rollback(setting.project.models.parent, Asked("champion", by="Bob", on=dt.date(2025, 8, 31)))
    assert f"REGISTER.md tells no decision that made {FIRST} champion" in capsys.readouterr().err
    assert decisions(setting.project.models)[-1].gates == "not known"


def test_there_is_no_first_pair_where_the_register_names_a_champion(setting):
    damage(setting, None)
    damage(setting, None, "challenger.json")
    pair = {"champion": SimpleNamespace(version=OTHER), "challenger": SimpleNamespace(version=BOOSTER)}
    told = promote_first_pair(setting, pair, "2025-12-31")
    assert told == f"registered as candidates: {OTHER}; in force stays {CARD}"
    assert record_of(setting.project.models, "challenger")["model_version"] == BOOSTER
    assert len(decisions(setting.project.models)) == 3


def test_without_a_register_the_alias_of_mlflow_tells_the_champion(setting, store):
    models = setting.project.models
    for name in ("champion.json", "challenger.json", "REGISTER.md"):
        damage(setting, None, name)
    tags = {
        "since": "2025-06-30", "by": "Ann", "reason": REASON, "decision": "promoted", "from": FIRST,
        "gates": "7 of 8 passed; leaks refused 1", "override": "minutes_7", "register_number": "3",
    }  # fmt: skip
    told = {f"champion.{name}": value for name, value in tags.items()}
    store.holders["champion"] = Version("2", CARD, told)
    assert "in force stays scorecard-2" in promote_first_pair(
        setting, {"champion": SimpleNamespace(version=OTHER)}, "2025-12-31"
    )
    record = record_of(models, "champion")
    assert (record["from"], record["before"], record["since"]) == (FIRST, [FIRST], "2025-06-30")
    assert [(gate["name"], gate["light"]) for gate in record["gates"]] == [("leaks", "red")]
    (line,) = decisions(models)
    assert (line.number, line.to_version, line.reason, line.override) == (3, CARD, REASON, "minutes_7")
    assert line.gates == "7 of 8 passed; leaks refused 1"


def test_where_nothing_tells_the_holder_the_way_out_that_is_told_works(setting, store):
    models = setting.project.models
    damage(setting, None, "REGISTER.md")
    path = damage(setting, "")
    asked = Asked("champion", by="Ann", on=dt.date(2025, 7, 1))
    with pytest.raises(DamagedModelError, match=r"remove it and put a model in force with creditbook promote VERSION"):
        promote(models.parent, OTHER, asked)
    path.unlink()
    promote(models.parent, OTHER, asked)
    assert record_of(models, "champion")["model_version"] == OTHER


def test_a_holder_whose_model_is_gone_is_told_and_nobody_takes_its_place(setting):
    damage(setting, None)
    (setting.project.models / CARD / "manifest.json").unlink()
    with pytest.raises(MissingInputError, match=f"line 3 of .*REGISTER.md names {CARD} as champion"):
        promote_first_pair(setting, {"champion": SimpleNamespace(version=OTHER)}, "2025-12-31")
    assert not (setting.project.models / "champion.json").exists()


def test_the_very_first_pair_still_promotes_itself(setting):
    for name in ("champion.json", "challenger.json", "REGISTER.md"):
        damage(setting, None, name)
    promote_first_pair(setting, {"champion": SimpleNamespace(version=OTHER)}, None)
    assert json.loads((setting.project.models / "champion.json").read_text(encoding="utf-8"))["number"] == 1


def test_lines_of_people_are_no_decisions():
    line = "| 1 | no date | first pair | champion | nobody | card-1 | creditbook | first | none asked | – |"
    text = f"| No. | Day |\n| --: | --- |\n{line}\nMinutes: file 12.\n| 2 | a table of our own |\n"
    (found,) = decisions_in(text)
    assert (found.day, found.from_version, found.gates, found.override) == (None, None, "", None)


@pytest.mark.parametrize("day", [dt.date(2020, 1, 1), dt.date(2025, 6, 29)])
def test_a_decision_before_the_last_one_is_a_usage_error(setting, day):
    root, models = setting.project.models.parent, setting.project.models
    was = {path.name: path.read_bytes() for path in models.glob("[!.]*.*")}
    asked = Asked("champion", by="Ann", override="now", on=day)
    for decide in (lambda: promote(root, OTHER, asked), lambda: rollback(root, asked)):
        with pytest.raises(UsageError, match=f"{day} lies before the last decision, of 2025-06-30") as refused:
            decide()
        assert refused.value.exit_code == 2
    assert {path.name: path.read_bytes() for path in models.glob("[!.]*.*")} == was


def test_a_decision_on_the_day_of_the_last_one_is_in_order_and_one_to_come_is_not(setting):
    root = setting.project.models.parent
    with pytest.raises(UsageError, match="2999-01-01 is still to come"):
        rollback(root, Asked("champion", by="Bob", on=dt.date(2999, 1, 1)))
    rollback(root, Asked("champion", by="Bob", on=dt.date(2025, 6, 30)))
    assert record_of(setting.project.models, "champion")["since"] == "2025-06-30"


def test_a_first_pair_dated_in_the_future_bars_no_decision(setting):
    models, root = setting.project.models, setting.project.models.parent
    move(models, Move("champion", OTHER, "promoted", "2999-12-31", "creditbook", "the extract's own day"))
    with pytest.raises(UsageError, match="give 2999-12-31 or a later day"):
        rollback(root, Asked("champion", by="Bob"))
    rollback(root, Asked("champion", by="Bob", on=dt.date(2999, 12, 31)))
    assert record_of(models, "champion")["model_version"] == CARD
