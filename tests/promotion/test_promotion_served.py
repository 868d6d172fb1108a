"""What a promotion judges and `creditbook compare` tells is what customers would be served, on the rows each names."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from pipeline.flows import compare as compare_flow
from pipeline.flows.comparison_words import comparison_text
from pipeline.flows.evidence import read_evidence, write_evidence
from pipeline.flows.judged import Judged
from pipeline.flows.promote_version import _order_gate
from pipeline.params import PromotionParams
from pipeline.score.policy import read_policy
from pipeline.score.thin_file import ThinFile, ThinFileRule
from pipeline.statistics.discrimination import gini
from pipeline.train.sample import Sample
from pipeline.train.thin_file import DUE_COLUMN, HISTORY_COLUMN
from pipeline.train.unseen import Unseen

SETTINGS = PromotionParams(rounds=200)
SETTING = SimpleNamespace(params=SimpleNamespace(promotion=SETTINGS))
RATED, THIN = 300, 100


@dataclass(frozen=True)
class Column:
    """Stands for a model: its PD is a column of the rows, and so is that of its thin-file card."""

    version: str
    kind: str
    own: str
    thin: str

    def pd(self, rows: pd.DataFrame) -> np.ndarray:
        return rows[self.own].to_numpy(dtype=float)

    @property
    def thin_file(self) -> SimpleNamespace:
        return SimpleNamespace(pd_of=lambda rows: rows[self.thin].to_numpy(dtype=float))


A = Column("scorecard-a", "scorecard", "pd_a", "thin_a")
B = Column("booster-b", "booster", "pd_b", "thin_b")


def rows_of() -> tuple[pd.DataFrame, np.ndarray]:
    """Customers that A orders better where there is history; both order the thin ones the wrong way round, and their
    cards the right one."""
    draw = np.random.default_rng(4)
    n = RATED + THIN
    quality = draw.normal(size=n)
    is_bad = (draw.random(n) < 1 / (1 + np.exp(2.0 + 1.5 * quality))).astype(float)
    is_thin = np.arange(n) >= RATED

    def pd_of(noise: float, sign: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(2.0 + sign * (quality + noise * draw.normal(size=n))))

    sign = np.where(is_thin, -1.0, 1.0)
    columns = {"pd_a": pd_of(0.1, sign), "pd_b": pd_of(2.0, sign)}
    columns |= {"thin_a": pd_of(0.5, np.ones(n)), "thin_b": pd_of(0.6, np.ones(n))}
    # One of the thin is told so small a PD that only the cap of policy keeps it from the best grades.
    columns["thin_a"][-1] = 0.002
    rows = pd.DataFrame({"customer_id": [f"C{i}" for i in range(n)], **columns})
    return rows.assign(**{DUE_COLUMN: np.where(is_thin, 1.0, 20.0), HISTORY_COLUMN: 40.0}), is_bad


@pytest.fixture
def policy(repository):
    return read_policy(repository / "policy")


@pytest.fixture
def ground(policy):
    rows, is_bad = rows_of()
    names = rows["customer_id"].to_numpy(dtype=object)
    sample = Sample(rows, is_bad, names, np.full(len(rows), None, dtype=object))
    unseen = Unseen(sample, {"customers": 0, "dates": 0}, None)
    return Judged(rows, unseen, (None, None), None, policy.scale, policy.thin_file)


def served_by_hand(model: Column, ground: Judged) -> np.ndarray:
    rows = ground.sample.rows
    return np.array([row[model.thin] if row[DUE_COLUMN] < 3 else row[model.own] for _, row in rows.iterrows()])


def test_each_row_is_served_by_the_rule_of_policy_and_graded_with_its_cap(ground, policy):
    found = ground.served(A)
    assert found.pd.tolist() == served_by_hand(A, ground).tolist()
    assert found.is_thin.sum() == THIN
    order = policy.scale.names
    for pd_, is_thin, grade in zip(found.pd, found.is_thin, ground.grades(found), strict=True):
        own = next(g.name for g in policy.scale.grades if pd_ < g.upper)
        best = policy.thin_file.best_grade
        assert grade == (best if is_thin and order.index(own) < order.index(best) else own)
    assert (ground.grades(found) != policy.scale.grade(found.pd)).any()


def test_of_a_table_of_ones_own_nobody_is_thin(ground):
    own = Judged(ground.book, ground.rows, (None,), None, ground.scale, None)
    bare = own.sample.rows.drop(columns=[DUE_COLUMN, HISTORY_COLUMN])
    own = Judged(bare, Unseen(Sample(bare, *_rest(own.sample)), {}, None), (None,), None, ground.scale, None)
    found = own.served(A)
    assert found.pd.tolist() == bare["pd_a"].tolist()
    assert not found.is_thin.any()
    assert own.grades(found).tolist() == ground.scale.grade(found.pd).tolist()


def _rest(sample: Sample):
    return sample.is_bad, sample.clusters, sample.days


def test_the_order_is_asked_of_the_rows_that_the_models_rate(ground):
    gate = _order_gate(SETTING, ground, A, B)
    y = ground.sample.is_bad
    pds = [ground.sample.rows[name].to_numpy() for name in ("pd_a", "pd_b")]
    value = gini(pds[0][:RATED], y[:RATED]) - gini(pds[1][:RATED], y[:RATED])
    assert gate.value == pytest.approx(value)
    assert gate.told.startswith("300 rows rated by the models of 300 groups unseen by either, ")
    # Over everybody, with the models' own PDs of thin files, the answer would be another one.
    assert gini(pds[0], y) - gini(pds[1], y) != pytest.approx(value, abs=0.05)


def test_what_a_long_run_rate_adds_is_kept_with_the_model_and_read_with_it(ground, tmp_path):
    project = SimpleNamespace(models=tmp_path)
    parts = dict.fromkeys(("train", "calibration"), SimpleNamespace(rows=pd.DataFrame({"customer_id": ["X"]})))
    timetable = SimpleNamespace(as_json=lambda: {"test": []})
    told = {
        "scorecard-a": {"calibration": {"tendency": {"kind": "long_run", "shift": -0.4}}},
        "booster-b": {"calibration": {"tendency": {"kind": "observed", "shift": 0.0}}},
        "scorecard-e": {"basis": "expert"},
    }
    for version, details in told.items():
        candidate = SimpleNamespace(model=SimpleNamespace(version=version, kind="scorecard"), details=details)
        write_evidence(project, candidate, validation={}, lineage={}, parts=parts, table=timetable)
    kept = [read_evidence(project, version) for version in told]
    assert [one.tendency_shift for one in kept] == [-0.4, 0.0, 0.0]
    # One of an earlier version tells no tendency.
    kept[2].told.pop("tendency")
    assert kept[2].tendency_shift == 0.0
    judges = Judged(ground.book, ground.rows, tuple(kept), None, ground.scale, ground.thin)
    assert (judges.served(A).shift, judges.served(B).shift) == (-0.4, 0.0)


@pytest.fixture
def compared(ground, monkeypatch):
    monkeypatch.setattr(compare_flow, "judged", lambda setting, models: ground)
    monkeypatch.setattr(compare_flow, "label_of", lambda setting: SimpleNamespace(is_of_table=True))
    return compare_flow.comparison(SETTING, A, B)


def test_every_figure_of_a_comparison_is_of_what_would_be_served(ground, compared, policy):
    y = ground.sample.is_bad
    served = [served_by_hand(model, ground) for model in (A, B)]
    assert compared["gini"]["difference"]["value"] == pytest.approx(gini(served[0], y) - gini(served[1], y))
    loss = [np.mean([-np.log(p if bad else 1 - p) for p, bad in zip(pds, y, strict=True)]) for pds in served]
    assert compared["log_loss"]["value"] == pytest.approx(loss[0] - loss[1])
    levels = compared["calibration"]
    assert [level["log_loss"] for level in levels] == pytest.approx(loss)
    ratios = [level["observed_over_expected"]["value"] for level in levels]
    assert ratios == pytest.approx([y.sum() / pds.sum() for pds in served])
    # By segment: of the mean log odds of what both would serve.
    mean = np.mean([np.log((1 - pds) / pds) for pds in served], axis=0)
    segments = policy.scale.segment(policy.scale.grade(1 / (1 + np.exp(mean))))
    rows = {name: part["rows"] for name, part in compared["parts"]["segment"].items()}
    assert rows == {name: int((segments == name).sum()) for name in rows}
    assert sum(rows.values()) == RATED + THIN
    refuses = [policy.scale.segment(policy.scale.grade(pds)) == "high" for pds in served]
    assert compared["swap"]["cells"]["both_refuse"]["rows"] == (refuses[0] & refuses[1]).sum()


def test_the_rows_that_the_models_rate_are_told_by_themselves(ground, compared):
    y, rows = ground.sample.is_bad, ground.sample.rows
    assert (compared["rated"]["rows"], compared["thin"]["rows"]) == (RATED, THIN)
    assert compared["rated"]["bads"] == y[:RATED].sum()
    value = gini(rows["pd_a"][:RATED], y[:RATED]) - gini(rows["pd_b"][:RATED], y[:RATED])
    assert compared["gini_rated"]["difference"]["value"] == pytest.approx(value)
    text = comparison_text(compared)
    counted = f"{RATED} rows of {RATED} groups, {int(y[:RATED].sum())} of them bad"
    assert f"PDs are those that would be served. The models rate {counted}" in text
    head = "The rows that the models rate, of which the gate gini_not_inferior asks\nGini of A         "
    assert head + f"{compared['gini_rated']['gini_first']['value']:.3f}" in text
    lines = [line for line in text.splitlines() if line.startswith(("Observed/expected", "Calibration slope"))]
    assert [line.rsplit("   ", 1)[1] for line in lines] == ["all rows, as served"] * 2 + [
        "the rows that the models rate"
    ] * 2
    assert "long-run" not in text


def test_where_nobody_is_thin_no_rows_are_told_apart(compared):
    nobody = {**compared, "thin": {**compared["thin"], "rows": 0}}
    text = comparison_text(nobody)
    for word in ("as served", "would be served", "the models rate"):
        assert word not in text


def test_a_level_set_to_the_long_run_is_told_both_ways(compared):
    ratio = {"value": 1.02, "low": 0.8, "high": 1.3}
    levels = [{**compared["calibration"][0], "shift": -0.4, "at_observed_rate": ratio}, compared["calibration"][1]]
    text = comparison_text({**compared, "calibration": levels})
    assert "                    1.020 (0.800 to 1.300)   without what the long-run rate adds" in text.splitlines()


def test_the_card_of_a_pool_stands_at_its_bound(ground):
    thin = ThinFile(0.2, 3, 50, 0.75, ThinFileRule(3, 3))
    model = SimpleNamespace(version="scorecard-t", pd=A.pd, thin_file=thin)
    assert set(ground.served(model).pd[RATED:]) == {0.2}
