"""Where a window ends, when its outcome is known, and what is told when there is nothing to predict."""

import dataclasses
import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest

from pipeline.errors import ParameterError, UnfitForTrainingError
from pipeline.labels.outcomes import snapshot_outcomes
from pipeline.labels.performance_window import is_mature, snapshot_dates, window_end
from pipeline.params import LabelParams
from pipeline.tables.canonical import ledger_of

DAYS = LabelParams(window_months=None, window_days=90)


def ledger(engine, issued_on=dt.date(2023, 1, 15), extract_date=dt.date(2024, 6, 15)):
    row = {"invoice_id": "A", "customer_id": "C", "kind": "invoice", "issued_on": issued_on, "due_on": issued_on}
    row |= {"amount": Decimal(1), "currency": "EUR", "known_on": issued_on}
    return ledger_of(engine.register, {"invoices": pa.Table.from_pylist([row])}, "EUR", extract_date)


def test_a_window_of_months_ends_on_the_same_day_clipped_and_one_of_days_so_many_days_on():
    assert window_end(dt.date(2024, 2, 29), LabelParams()) == dt.date(2025, 2, 28)
    assert window_end(dt.date(2024, 2, 29), DAYS) == dt.date(2024, 5, 29)


def test_a_snapshot_matures_on_the_day_window_days_and_lag_are_over():
    as_of = dt.date(2024, 2, 29)
    over = dt.date(2024, 5, 29) + dt.timedelta(days=90 + 30)
    assert is_mature(as_of, over, 90, DAYS)
    assert not is_mature(as_of, over - dt.timedelta(days=1), 90, DAYS)


def test_snapshots_run_from_the_observation_months_after_the_first_invoice_to_the_extract_date(engine):
    dates = snapshot_dates(ledger(engine), LabelParams(observation_months=12))
    assert (dates[0], dates[-1], len(dates)) == (dt.date(2024, 1, 31), dt.date(2024, 5, 31), 5)


def test_the_first_and_last_snapshot_of_the_parameters_hold_within_the_extract_date(engine):
    settings = LabelParams(first_snapshot=dt.date(2024, 4, 1), last_snapshot=dt.date(2099, 1, 1))
    assert snapshot_dates(ledger(engine), settings) == [dt.date(2024, 4, 30), dt.date(2024, 5, 31)]


def test_a_ledger_too_short_for_a_snapshot_is_told(engine):
    with pytest.raises(UnfitForTrainingError, match="no month end lies between 2024-01-15 and 2024-01-20"):
        snapshot_dates(ledger(engine, extract_date=dt.date(2024, 1, 20)), LabelParams())


def test_a_ledger_without_an_invoice_is_told(engine):
    empty = ledger_of(engine.register, {}, "EUR", dt.date(2024, 1, 1))
    with pytest.raises(UnfitForTrainingError, match="no invoice"):
        snapshot_dates(empty, LabelParams())


def test_days_that_are_not_the_definitions_are_refused_for_a_label_of_kind_default(engine, definition):
    with pytest.raises(ParameterError, match=r"label\.days is 60.*counts 90"):
        snapshot_outcomes(ledger(engine), LabelParams(days=60), definition, engine.keep)


def test_a_base_currency_without_thresholds_is_refused_before_anything_is_computed(engine, definition):
    other = dataclasses.replace(ledger(engine), base_currency="JPY")
    with pytest.raises(ParameterError, match="JPY"):
        snapshot_outcomes(other, LabelParams(), definition, engine.keep)
