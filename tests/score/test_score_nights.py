"""Two nights and more: the life of alerts, what changed and why, links, locks, repeats and faults in between."""

from __future__ import annotations

import csv
import datetime as dt
import fcntl
import hashlib
import json
import re
from dataclasses import replace
from decimal import Decimal

import pytest
import yaml

from pipeline import durable
from pipeline.errors import DamagedRunError, LockedError, MissingInputError, OutputError, ParameterError, StorageError
from pipeline.flows.exits import exit_code
from pipeline.flows.explain import explain_customer
from pipeline.flows.published_runs import run_of
from pipeline.flows.verify import verify_run
from pipeline.night_params import KeepParams
from pipeline.score.calibration import Calibration
from pipeline.score.card import customer_card
from pipeline.score.model_folder import write_model
from pipeline.score.policy import parse_policy
from pipeline.score.publish import previous_run, prune_runs, publish, published, run_inputs, run_looked_back_to
from pipeline.score.run_check import run_id_of, verify

MAY, JUNE, JULY, AUGUST = (dt.date(2025, 5, 31), dt.date(2025, 6, 30), dt.date(2025, 7, 31), dt.date(2025, 8, 31))
TOLD = {"data_version": "d" * 64, "code_version": "c" * 64, "base_currency": "EUR"}


@pytest.fixture
def night(make_book, model, policy, tmp_path, scored):
    """Scores and publishes one day; rows of customers, then what differs from the usual."""

    def score(day, *customers, **changes):
        book = make_book(*({**customer, "as_of": day} for customer in customers))
        before = previous_run(tmp_path, day, changes.pop("models", None))
        used = {"model": model, "policy": policy, **changes}
        extra = {k: v for k, v in used.items() if k.endswith("_before")}
        extra["looked_back"] = run_looked_back_to(tmp_path, day, used["policy"].alerts)
        run = scored(book.positions, book.features, used["model"], used["policy"], before, day, **extra)
        return run, publish(run, tmp_path, {**TOLD, **used.get("told", {})})

    return score


def states(run):
    return {(a["customer_id"], a["rule"]): (a["state"], str(a["opened_on"])) for a in run.alerts.to_pylist()}


OVER = {"limit_current": Decimal("9000.00")}


def test_an_alert_is_new_then_open_then_closed_then_gone(night):
    assert states(night(MAY, OVER)[0]) == {("C0", "over_limit"): ("new", "2025-05-31")}
    second, _ = night(JUNE, OVER)
    assert states(second) == {("C0", "over_limit"): ("open", "2025-05-31")}
    assert second.book["alert_severity"].to_pylist() == ["act"]
    third, _ = night(JULY, {})
    assert states(third) == {("C0", "over_limit"): ("closed", "2025-05-31")}
    assert (third.book["alert_count"].to_pylist(), third.book["alert_severity"].to_pylist()) == ([0], ["none"])
    assert third.alerts.to_pylist()[0]["evidence_en"] == "Open balance 10,000 against a limit of 9,000"
    assert states(night(AUGUST, {})[0]) == {}


def test_an_alert_that_bites_again_after_it_was_closed_is_new(night):
    night(MAY, OVER)
    night(JUNE, {})
    assert states(night(JULY, OVER)[0]) == {("C0", "over_limit"): ("new", "2025-07-31")}


def test_a_grade_two_worse_than_90_days_ago_alerts_until_the_fall_is_older(night, risky):
    night(MAY, {})
    fallen, _ = night(JUNE, risky)
    # No run is 90 days old: the oldest one stands in.
    assert states(fallen)["C0", "grade_down_two"] == ("new", "2025-06-30")
    row = fallen.book.to_pylist()[0]
    assert (row["grade_previous"], row["grade"], row["notches"], row["change_driver"]) == ("G05", "G10", 5, "data")
    told = {alert["rule"]: alert["evidence_en"] for alert in fallen.alerts.to_pylist()}
    assert told["grade_down_two"] == "Grade G10 after G05 on 2025-05-31"
    assert told["pd_doubled"].endswith("on 2025-05-31")
    # 31 May is 92 days ago on 31 August; on 30 September the newest run of 90 days and more is that of 30 June.
    assert states(night(AUGUST, risky)[0])["C0", "grade_down_two"] == ("open", "2025-06-30")
    assert states(night(dt.date(2025, 9, 30), risky)[0])["C0", "grade_down_two"] == ("closed", "2025-06-30")


def test_an_alert_of_a_fall_that_was_made_good_stays_for_30_days(night, risky):
    night(MAY, {})
    night(JUNE, risky)
    assert states(night(dt.date(2025, 7, 29), {})[0])["C0", "grade_down_two"] == ("open", "2025-06-30")
    assert states(night(dt.date(2025, 7, 30), {})[0])["C0", "grade_down_two"] == ("closed", "2025-06-30")


def test_overdue_growing_compares_with_a_month_earlier_and_needs_both_times_and_amount(night, make_book):
    before = make_book(
        {"overdue_amount": Decimal("1000")}, {"overdue_amount": Decimal("1000")}, {"overdue_amount": Decimal("10")}
    )
    late = {"max_days_past_due": 15}
    run, _ = night(
        JUNE,
        {"overdue_amount": Decimal("1600"), **late},
        {"overdue_amount": Decimal("1499"), **late},
        {"overdue_amount": Decimal("500"), **late},
        {"overdue_amount": Decimal("501"), **late},
        {"overdue_amount": Decimal("501"), "max_days_past_due": 14},
        positions_before=before.positions,
    )
    assert set(states(run)) == {("C0", "overdue_growing"), ("C3", "overdue_growing")}
    assert run.alerts.to_pylist()[0]["evidence_en"] == "Overdue 1,600, one month earlier 1,000"


def test_a_rule_that_cannot_be_judged_tonight_keeps_its_alerts_and_is_named(night, make_book):
    before, late = make_book({}), {"overdue_amount": Decimal("1600"), "max_days_past_due": 20}
    night(MAY, late, positions_before=before.positions)
    run, _ = night(JUNE, late)
    assert states(run) == {("C0", "overdue_growing"): ("open", "2025-05-31")}
    assert any(note.startswith("alerts: overdue_growing was not judged") for note in run.summary["notes"])


def test_the_alert_of_a_rule_that_left_the_policy_is_closed_once(night, policy):
    night(MAY, OVER)
    raw = yaml.safe_load(policy.texts["alerts"])
    del raw["rules"]["over_limit"]
    other = parse_policy({**policy.texts, "alerts": yaml.safe_dump(raw, allow_unicode=True)})
    run, _ = night(JUNE, OVER, policy=other)
    assert states(run) == {("C0", "over_limit"): ("closed", "2025-05-31")}
    assert run.alerts.to_pylist()[0]["action_en"] == "Stop new deliveries on credit or approve more"
    assert states(night(JULY, OVER, policy=other)[0]) == {}


def test_falling_orders_and_a_default_in_the_group_alert(make_book, model, policy, scored):
    owes = {"as_of": JUNE, "open_amount": Decimal(20_000)}
    book = make_book(owes, {**owes, "group_default_count": 2})
    features = book.features.assign(order_level_year_on_year_18m=[0.5, 0.51])
    run = scored(book.positions, features, model, policy, None, JUNE)
    assert set(states(run)) == {("C0", "orders_halved"), ("C1", "group_default")}
    assert run.book["alert_severity"].to_pylist() == ["watch", "stop"]
    assert run.alerts.to_pylist()[0]["evidence_zh"] == "近6个月订单额为上年同期的50%（阈值50%）"


def test_an_unchanged_customer_has_no_driver_and_a_new_one_is_new(night):
    night(MAY, {}, {})
    run, _ = night(JUNE, {}, {}, {})
    assert run.book["change_driver"].to_pylist() == ["none", "none", "new"]
    assert run.changes.num_rows == 0


def test_a_change_of_data_is_all_from_data_with_the_features_that_moved(night, make_book, risky):
    night(MAY, {})
    run, _ = night(JUNE, risky, features_before=make_book({}).features)
    of_pd = next(c for c in run.changes.to_pylist() if c["quantity"] == "pd")
    assert of_pd["from_data"] == of_pd["after"] - of_pd["before"]
    assert (of_pd["from_model"], of_pd["from_policy"]) == (0.0, 0.0)
    assert of_pd["top_feature_1"] == "overdue_share"
    assert sum(of_pd[f"top_feature_{i}_share"] for i in (1, 2, 3)) <= 1.0


def test_a_new_model_over_the_same_data_is_all_from_the_model(night, make_model, make_rows, tmp_path):
    models = tmp_path / "models"
    first = make_model()
    old = replace(first, version=write_model(models, first, make_rows(100)))
    night(MAY, {}, model=old)
    newer = make_model(Calibration.line("platt", -0.4, 0.85), version="scorecard-newer0000000")
    run, _ = night(JUNE, {}, model=newer, models=models)
    of_pd = next(c for c in run.changes.to_pylist() if c["quantity"] == "pd")
    assert of_pd["from_data"] == pytest.approx(0.0, abs=1e-12)
    assert of_pd["from_model"] == pytest.approx(of_pd["after"] - of_pd["before"], abs=1e-12)
    assert run.book["change_driver"].to_pylist() == ["model"]


def test_parts_are_null_and_the_manifest_says_why_when_the_old_model_is_gone(night, make_model):
    night(MAY, {})
    run, folder = night(
        JUNE, {}, model=make_model(Calibration.line("platt", -0.4, 0.85), version="scorecard-newer0000000")
    )
    of_pd = next(c for c in run.changes.to_pylist() if c["quantity"] == "pd")
    assert (of_pd["from_data"], of_pd["from_model"]) == (None, None)
    notes = json.loads((folder / "manifest.json").read_text())["notes"]
    assert any("scorecard-test00000000 is no longer there" in note for note in notes)
    assert run.book["change_driver"].to_pylist() == ["model"]


def test_a_new_policy_over_the_same_data_is_all_from_policy(night, policy):
    night(MAY, {})
    raw = yaml.safe_load(policy.texts["limits"])
    raw["need"]["headroom"] = 1.0
    other = parse_policy({**policy.texts, "limits": yaml.safe_dump(raw, allow_unicode=True)})
    run, _ = night(JUNE, {}, policy=other)
    (of_limit,) = run.changes.to_pylist()
    assert (of_limit["quantity"], of_limit["before"], of_limit["after"]) == ("limit", 50_000.0, 30_000.0)
    assert (of_limit["from_data"], of_limit["from_model"], of_limit["from_policy"]) == (0.0, 0.0, -20_000.0)
    assert run.book["change_driver"].to_pylist() == ["policy"]


def tree(folder):
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and not p.is_symlink()
    }


def test_publishing_again_changes_no_byte_and_is_recognised_before(night, tmp_path):
    run, folder = night(JUNE, {}, {"is_in_default": True})
    before, stamp = tree(tmp_path), (folder / "manifest.json").stat().st_mtime_ns
    assert published(tmp_path, run_id_of(run_inputs(run, TOLD))) == folder
    assert night(JUNE, {}, {"is_in_default": True})[1] == folder
    assert tree(tmp_path) == before
    assert (folder / "manifest.json").stat().st_mtime_ns == stamp


def test_the_same_inputs_give_the_same_bytes_in_another_place(night, model, policy, make_book, tmp_path):
    run, folder = night(JUNE, {}, {})
    other = publish(run, tmp_path / "elsewhere", TOLD)
    assert tree(other) == tree(folder)


def test_other_data_for_the_same_day_is_another_run_and_both_stay(night, tmp_path):
    _, first = night(JUNE, {})
    _, second = night(JUNE, OVER, told={"data_version": "e" * 64})
    assert first != second
    assert verify(first) == verify(second) == []
    assert (tmp_path / "as_of=2025-06-30").resolve() == (tmp_path / "latest").resolve() == second


def test_latest_never_goes_back_when_an_old_day_is_filled_in(night, tmp_path):
    _, july = night(JULY, {})
    _, may = night(MAY, {})
    assert (tmp_path / "latest").resolve() == july
    assert (tmp_path / "as_of=2025-05-31").resolve() == may
    assert previous_run(tmp_path, JUNE).run_id == may.name
    assert previous_run(tmp_path, MAY) is None


@pytest.mark.parametrize("step", ["write_file", "sync_folder", "replace_link"])
@pytest.mark.parametrize("nth", [1, 2, 5])
def test_a_run_killed_between_two_steps_leaves_readers_on_a_whole_one(night, tmp_path, monkeypatch, step, nth):
    _, may = night(MAY, {})
    real, calls = getattr(durable, step), []

    def dies(*arguments, **named):
        calls.append(1)
        if len(calls) == nth:
            raise KeyboardInterrupt
        return real(*arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(durable, step, dies)
        patch.setattr("pipeline.score.publish.replace_link", dies if step == "replace_link" else durable.replace_link)
        try:
            night(JUNE, OVER)
            was_killed = False
        except KeyboardInterrupt:
            was_killed = True
    latest = (tmp_path / "latest").resolve()
    assert verify(latest) == []
    assert latest == may or not was_killed or step != "write_file"
    _, june = night(JUNE, OVER)
    assert (tmp_path / "latest").resolve() == (tmp_path / "as_of=2025-06-30").resolve() == june
    assert verify(june) == []
    assert not list((tmp_path / ".runs").glob(".*"))


def test_a_full_disk_and_a_place_that_cannot_be_written_are_told_apart(night, tmp_path, monkeypatch):
    def is_full(path, content):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(durable, "write_file", is_full)
        with pytest.raises(StorageError, match="No space left"):
            night(JUNE, {})
    assert not (tmp_path / "latest").exists()
    run, _ = night(JUNE, {})
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError) as refused:
        publish(run, tmp_path / "file" / "out", TOLD)
    assert refused.value.exit_code == 73


def test_a_second_run_does_not_wait_for_the_lock(night, tmp_path):
    night(MAY, {})
    with (tmp_path / ".lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(LockedError, match="another run is at work here and was not done in 0 s"):
            night(JUNE, {})
    night(JUNE, {})


def test_verify_finds_every_changed_byte_and_missing_or_extra_file(night):
    _, folder = night(JUNE, {}, {"history_months": 0})
    for path in sorted(folder.iterdir()):
        whole = path.read_bytes()
        path.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
        assert verify(folder), path.name
        path.write_bytes(whole)
    assert verify(folder) == []
    (folder / "stray.txt").write_text("x")
    assert any("stray.txt: not named" in breach for breach in verify(folder))
    (folder / "stray.txt").unlink()
    (folder / "alerts.parquet").unlink()
    assert any("alerts.parquet: missing" in breach for breach in verify(folder))
    (folder / "manifest.json").unlink()
    assert any("no whole run" in breach for breach in verify(folder))


def test_a_damaged_previous_run_stops_the_next_night(night):
    _, folder = night(MAY, {})
    (folder / "scored_book.parquet").write_bytes(b"PAR1")
    with pytest.raises(DamagedRunError, match="the previous run is damaged"):
        night(JUNE, {})


def test_a_damaged_run_ends_every_command_that_reads_it_with_the_same_code(night, repository, tmp_path, capsys):
    _, folder = night(MAY, {"customer_id": "C-1"})
    (folder / "alerts.parquet").write_bytes(b"PAR1")
    commands = {
        "explain": lambda: explain_customer(repository, "C-1", tmp_path, None),
        "verify": lambda: verify_run(tmp_path / "latest"),
        "statement and portfolio": lambda: run_of(tmp_path, None),
        "the next night": lambda: night(JUNE, {}),
    }
    assert {name: exit_code(command) for name, command in commands.items()} == dict.fromkeys(commands, 65)
    assert capsys.readouterr().err.count("alerts.parquet: 4 bytes where the manifest has") == 4


def test_a_damaged_run_is_mended_by_publishing_its_day_again(night):
    _, folder = night(MAY, {})
    (folder / "scored_book.csv").write_text("")
    night(MAY, {})
    assert verify(folder) == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"default_definition": "a" * 64}, {"default_definition": "b" * 64}),
        ({"quarantined": {"invoices": 3}}, {"quarantined": {"invoices": 4}}),
        ({}, {"quarantined": {"invoices": 3}}),
    ],
)
def test_whatever_the_manifest_tells_that_no_other_input_tells_is_part_of_the_run_id(night, tmp_path, first, second):
    before = night(JUNE, {}, told=first)[1]
    bytes_before = (before / "manifest.json").read_bytes()
    after = night(JUNE, {}, told=second)[1]
    assert before.name != after.name
    assert (tmp_path / "latest").resolve() == after
    assert night(JUNE, {}, told=first)[1] == before
    assert (before / "manifest.json").read_bytes() == bytes_before


def test_the_manifest_tells_what_a_consumer_asks(night):
    night(MAY, {})
    gates = [{"gate": "drift", "value": 0.02, "threshold": 0.25}]
    run, folder = night(JUNE, {}, {"is_in_default": True}, told={"gates": gates, "quarantined": {"invoices": 3}})
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["label"]["window_months"] == 12
    assert manifest["rows"] == {"scored_book": 2, "alerts": 0, "limit_trace": 4, "changes": 0}
    assert manifest["counts"]["by_status"] == {"in_default": 1, "rated": 1}
    assert manifest["counts"]["by_segment"] == {"default": 1, "medium": 1}
    assert manifest["totals"]["ead"] == "20000.00"
    assert manifest["previous"]["as_of"] == "2025-05-31"
    assert set(manifest["versions"]) == {
        "model", "policy", "master_scale", "default_definition", "feature_catalogue", "code", "ledger",
    }  # fmt: skip
    assert (manifest["gates"], manifest["quarantined"]) == (gates, {"invoices": 3})
    with pytest.raises(ParameterError, match="unknown: clock"):
        publish(run, folder.parents[1], {**TOLD, "clock": "now"})


def test_a_cell_of_the_csv_never_begins_a_formula_and_numbers_stay_numbers(night):
    names = ["=1+1", "+7", "-2", "@sum", "\tx", "\rx", "plain", 'with "quotes", commas\nand lines', "中文"]
    credit = {"open_amount": Decimal("-500.00"), "customer_id": "A"}
    run, folder = night(JUNE, credit, *({"name": name} for name in names))
    with (folder / "scored_book.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows[1:]] == [f"'{name}" for name in names[:6]] + names[6:]
    assert rows[0]["open_amount"] == "-500.00"
    assert float(rows[1]["pd"]) == run.book["pd"][1].as_py()
    assert rows[1]["as_of"] == "2025-06-30"
    assert run.book["name"].to_pylist()[1:] == names


def test_the_card_tells_one_customer_from_a_published_run(night, risky, tmp_path):
    night(MAY, {"customer_id": "C-100"})
    night(
        JUNE, {**risky, **OVER, "customer_id": "C-100", "group_id": "G7"}, {"customer_id": "C-200", "is_in_book": False}
    )
    card = customer_card(tmp_path / "latest", "C-100")
    for told in (
        "C-100",
        "G10 (high risk)",
        "80% of the balance is overdue",
        "5 notch(es) worse, by data",
        "* grade",
        "Payment in advance: Deliver against payment in advance",
        "over_limit (new)",
    ):
        assert told in card
    in_chinese = customer_card(tmp_path / "latest", "C-100", "zh")
    assert "逾期占比80%" in in_chinese
    assert "预付款后发货" in in_chinese
    assert "not rated" in customer_card(tmp_path / "as_of=2025-06-30", "C-200")
    with pytest.raises(MissingInputError, match=r"no customer 'C-10' among 2 in the run of 2025-06-30; nearest: C-100"):
        customer_card(tmp_path / "latest", "C-10")


def test_old_nights_go_as_the_policy_says_and_month_ends_stay(night, tmp_path):
    days = [MAY, dt.date(2025, 6, 15), dt.date(2025, 6, 20), JUNE, dt.date(2025, 7, 4)]
    runs = {day: night(day, {})[1] for day in days}
    _, published_over = night(JUNE, OVER)
    gone = prune_runs(tmp_path, KeepParams(days=14, month_ends=12, leaving=0))
    assert {path.name for path in gone} == {"as_of=2025-06-15", runs[days[1]].name}
    assert sorted(path.name for path in tmp_path.glob("as_of=*")) == [
        "as_of=2025-05-31", "as_of=2025-06-20", "as_of=2025-06-30", "as_of=2025-07-04",
    ]  # fmt: skip
    assert runs[JUNE].is_dir()
    assert verify(published_over) == []
    assert prune_runs(tmp_path, KeepParams(days=14, month_ends=12, leaving=0)) == []
    gone = prune_runs(tmp_path, KeepParams(days=0, month_ends=0, leaving=0))
    assert runs[days[2]] in gone
    # The newest was made with that of 30 June, and its alert rules look back to that of 31 May.
    left = ["as_of=2025-05-31", "as_of=2025-06-30", "as_of=2025-07-04"]
    assert sorted(path.name for path in tmp_path.glob("as_of=*")) == left
    assert (tmp_path / "latest").resolve() == runs[days[4]]


def test_the_night_that_old_ones_were_removed_after_gives_the_same_run_again(night, tmp_path):
    for day in (MAY, JUNE, JULY):
        night(day, {})
    _, august = night(AUGUST, {})
    gone = prune_runs(tmp_path, KeepParams(days=0, month_ends=0, leaving=0))
    assert tmp_path / "as_of=2025-06-30" in gone
    assert night(AUGUST, {})[1] == august


def test_the_day_just_asked_for_stays_until_the_next_night(night, tmp_path):
    keep = KeepParams(days=0, month_ends=0, leaving=0)
    for day in (JULY, AUGUST, MAY):
        night(day, {})
    asked = (tmp_path / "as_of=2025-05-31").resolve()
    prune_runs(tmp_path, keep, asked=[MAY, JUNE])
    # July is what August was made with.
    assert sorted(path.name for path in tmp_path.glob("as_of=*")) == [f"as_of={day}" for day in (MAY, JULY, AUGUST)]
    assert (tmp_path / "as_of=2025-05-31").resolve() == asked
    assert verify(asked) == []
    assert tmp_path / "as_of=2025-05-31" in prune_runs(tmp_path, keep)
    assert not asked.exists()


def test_nothing_goes_without_a_policy(night, tmp_path):
    night(MAY, {})
    night(AUGUST, {})
    assert prune_runs(tmp_path, KeepParams(days=None, month_ends=None)) == []
    assert len(list(tmp_path.glob("as_of=*"))) == 2


def changed(run, customer, quantity="pd"):
    return next(c for c in run.changes.to_pylist() if (c["customer_id"], c["quantity"]) == (customer, quantity))


def named(change):
    return [(change[f"top_feature_{n}"], change[f"top_feature_{n}_share"]) for n in (1, 2, 3)]


NOBODY = [(None, None)] * 3
BY_STATUS = [("rating_status", 1.0), *NOBODY[1:]]


def test_no_feature_is_named_where_people_or_a_change_of_status_moved_the_pd(night, make_book, risky):
    before = make_book({}, {}, {}, {}).features
    night(MAY, {}, {}, {"is_in_default": True}, {"invoices_due_12m_count": 1})
    run, _ = night(
        JUNE,
        {**risky, "grade_override": "G09"},
        {**risky, "is_in_default": True},
        risky,
        {**risky, "invoices_due_12m_count": 9},
        features_before=before,
    )
    for customer in ("C0", "C1", "C2", "C3"):
        of_pd = changed(run, customer)
        assert named(of_pd) == (NOBODY if customer == "C0" else BY_STATUS)
        assert (of_pd["from_data"], of_pd["from_model"]) == (of_pd["after"] - of_pd["before"], 0.0)
    assert (changed(run, "C1")["after"], changed(run, "C2")["before"]) == (1.0, 1.0)
    assert run.book["change_driver"].to_pylist() == ["data"] * 4
    assert named(changed(run, "C1", "limit"))[0] == ("in_default", 1.0)
    assert named(changed(run, "C2", "limit"))[0] == ("in_default", 1.0)


def test_a_pd_and_a_limit_that_appear_or_vanish_have_a_row_and_a_new_customer_has_none(night, tmp_path):
    unrated = {"is_in_book": False}
    night(MAY, {}, unrated, {}, unrated)
    run, _ = night(JUNE, unrated, {}, {}, unrated, {})
    rows = [(c["customer_id"], c["quantity"], c["before"] is None, c["after"] is None) for c in run.changes.to_pylist()]
    assert rows == [
        ("C0", "limit", False, True), ("C0", "pd", False, True),
        ("C1", "limit", True, False), ("C1", "pd", True, False),
    ]  # fmt: skip
    for change in run.changes.to_pylist():
        assert named(change) == BY_STATUS
        assert (change["from_data"], change["from_model"], change["from_policy"]) == (None, None, None)
    assert run.book["change_driver"].to_pylist() == ["data", "data", "none", "none", "new"]
    assert "none: no parts" in customer_card(tmp_path / "latest", "C0")
    assert "same grade" not in customer_card(tmp_path / "latest", "C2")
    assert "; nothing changed" in customer_card(tmp_path / "latest", "C2")


def test_a_thin_file_is_moved_by_what_its_own_card_reads(night, make_model, make_characteristic, make_book):
    from pipeline.score.scorecard import Scorecard
    from pipeline.score.thin_file import ThinFile, ThinFileRule

    card = Scorecard((make_characteristic("overdue_share", [0.5], [0.6, -0.6], 0.0, 1.0),), 540.0, 20.0, 600.0, 30.0)
    model = make_model(thin_file=ThinFile(0.06, 30, 500, 0.5, ThinFileRule(3, 3), card))
    thin = {"invoices_due_12m_count": 1}
    night(MAY, thin, model=model)
    moved = {**thin, "overdue_share": 0.9, "days_late_3m": 45.0}
    run, _ = night(JUNE, moved, model=model, features_before=make_book({}).features)
    assert named(changed(run, "C0")) == [("overdue_share", 1.0), *NOBODY[1:]]


def test_a_limit_is_moved_by_the_cap_that_gave_way_or_by_the_features_behind_its_grade(night, make_book, risky):
    rich = {"billing_12m_amount": Decimal("90000000.00"), "limit_override": None}
    poor = {"billing_12m_amount": Decimal("36500.00")}
    covered = make_book({}, {}, {}).features
    night(MAY, poor, {}, rich)
    run, _ = night(JUNE, {}, poor, {**rich, **risky}, features_before=covered)
    assert named(changed(run, "C0", "limit")) == [("need", 1.0), *NOBODY[1:]]
    assert named(changed(run, "C1", "limit")) == [("need", 1.0), *NOBODY[1:]]
    of_limit, of_pd = changed(run, "C2", "limit"), changed(run, "C2")
    assert named(of_limit) == named(of_pd) != NOBODY
    assert of_limit["after"] < of_limit["before"]


@pytest.fixture
def kept_model(make_model, make_rows, tmp_path):
    """A model of the past with its folder still there; gives both."""
    models = tmp_path / "models"
    first = make_model()
    return replace(first, version=write_model(models, first, make_rows(100))), models


def test_model_policy_and_data_at_once_are_told_apart_and_the_parts_add_up(
    night, make_model, policy, kept_model, risky
):
    old, models = kept_model
    night(MAY, {}, {}, risky, model=old)
    raw = yaml.safe_load(policy.texts["limits"])
    raw["need"]["headroom"] = 1.0
    other = parse_policy({**policy.texts, "limits": yaml.safe_dump(raw, allow_unicode=True)})
    newer = make_model(Calibration.line("platt", -0.4, 1.1), version="scorecard-newer0000000")
    run, folder = night(JUNE, risky, {}, {}, model=newer, policy=other, models=models)
    assert not [note for note in json.loads((folder / "manifest.json").read_text())["notes"] if "changes" in note]
    for change in run.changes.to_pylist():
        parts = [change[f"from_{part}"] for part in ("data", "model", "policy")]
        assert sum(parts) == pytest.approx(change["after"] - change["before"], abs=1e-15 * (change["quantity"] == "pd"))
    got_worse, stayed = changed(run, "C0"), changed(run, "C1")
    assert got_worse["from_data"] > 0.1
    assert stayed["from_data"] == pytest.approx(0.0, abs=1e-15)
    assert stayed["from_model"] == pytest.approx(stayed["after"] - stayed["before"], abs=1e-15)
    assert changed(run, "C1", "limit")["from_policy"] < 0


def test_the_card_tells_what_the_change_came_from(night, make_book, risky):
    night(MAY, {})
    _, folder = night(JUNE, risky, features_before=make_book({}).features)
    card = customer_card(folder, "C0")
    assert "Change since 2025-05-31" in card
    assert re.search(r"PD +1\.\d\d% to \d+\.\d\d%: data \+\d+\.\d\d points, model 0, policy 0", card)
    assert "moved by overdue_share (" in card
