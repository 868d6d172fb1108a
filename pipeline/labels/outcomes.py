"""What became of each snapshot: the label, told with all that is known at the extract date."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from pipeline.errors import ParameterError
from pipeline.history.default_episodes import default_episodes
from pipeline.history.default_status import default_status
from pipeline.history.point_in_time import in_hindsight
from pipeline.history.prepared import prepared
from pipeline.history.snapshots import customers_in_book
from pipeline.labels.default_outcome import default_outcome
from pipeline.labels.late_outcome import late_outcome
from pipeline.labels.performance_window import snapshot_dates, windows

if TYPE_CHECKING:
    from collections.abc import Callable

    import ibis.expr.types as ir

    from pipeline.history.definition import DefaultDefinition
    from pipeline.params import LabelParams
    from pipeline.tables.canonical import Ledger

OUTCOMES = ("good", "bad", "indeterminate", "immature", "left", "in_default")
"""Every outcome; only good and bad are trained on."""

_VIEW = ["customer_id", "as_of"]


def snapshot_outcomes(
    ledger: Ledger,
    settings: LabelParams,
    definition: DefaultDefinition,
    keep: Callable[[ir.Table, str], ir.Table],
) -> ir.Table:
    """One row per customer in the book of a month end: customer_id, as_of, group_key, outcome, is_bad, event_on,
    window_end.

    `group_key` is the parent group or the customer itself, as known at the extract date: rows of one key belong
    together when a book is split. `outcome` is the first that holds of

    - in_default: in default on `as_of`, as known then or in hindsight
    - immature: window, the label's days and posting lag are not over at the extract date
    - bad: the event of the label's kind lies in `as_of` < event_on <= `window_end`
    - left: (default) out of the book at the window's end; (late) no item fell due in the window
    - indeterminate: (default) ends the window with old items above the absolute threshold, yet not in default
    - good

    `is_bad` is 1, 0 or null (neither good nor bad); `event_on` is null unless bad. `keep` computes an intermediate
    once under a name that begins with label_, default_ or history_. Raises ParameterError when `settings.days` of a
    label of kind default is not the definition's, UnfitForTrainingError when there is no snapshot.
    """
    _check_days(settings, definition)
    ledger = prepared(ledger, keep)
    dates = snapshot_dates(ledger, settings)
    spans = ibis.memtable(windows(dates, ledger.extract_date, settings.days, settings))
    book = customers_in_book(ledger, dates).inner_join(spans, "as_of")
    book = keep(book.select(*_VIEW, "window_end", "end_since_12m", "is_mature"), "label_book")
    known = default_status(ledger, book, definition, keep)
    final = prepared(in_hindsight(ledger), keep)
    views = book.select("customer_id").distinct().mutate(as_of=ibis.literal(ledger.extract_date))
    episodes = keep(default_episodes(ledger, views, definition, keep), "label_episodes")
    if settings.kind == "default":
        found = default_outcome(ledger, final, book, episodes, definition)
    else:
        found = late_outcome(final, book, settings.days)
    found = keep(found, "label_found")
    return _told(final, book, _in_default(book, known, episodes), found)


def _check_days(settings: LabelParams, definition: DefaultDefinition) -> None:
    if settings.kind == "default" and settings.days != definition.days:
        raise ParameterError(
            f"label.days is {settings.days}, the default definition {definition.version} counts {definition.days}; "
            "one truth only: change policy/default_definition.yaml, or label.days to match it"
        )


def _in_default(book: ir.Table, known: ir.Table, episodes: ir.Table) -> ir.Table:
    """Snapshots in default by either view of the past."""
    by_then = known.filter(known.is_in_default).select(*_VIEW)
    in_truth = book.inner_join(
        episodes,
        (book.customer_id == episodes.customer_id)
        & (episodes.started_on <= book.as_of)
        & (episodes.ended_on.isnull() | (episodes.ended_on > book.as_of)),
    ).select(book.customer_id, book.as_of)
    return by_then.union(in_truth, distinct=True).mutate(is_out=ibis.literal(value=True))


def _told(final: Ledger, book: ir.Table, out: ir.Table, found: ir.Table) -> ir.Table:
    customers = final.tables["customers"]
    rows = book.left_join(out, _VIEW).select(book, out.is_out)
    rows = rows.left_join(found, _VIEW).select(rows, found.event_on, found.has_left, found.is_unclear)
    rows = rows.left_join(customers, "customer_id").select(rows, customers.group_id)
    outcome = ibis.cases(
        (rows.is_out, "in_default"),
        (~rows.is_mature, "immature"),
        (rows.event_on.notnull(), "bad"),
        (rows.has_left, "left"),
        (rows.is_unclear, "indeterminate"),
        else_="good",
    )
    rows = rows.mutate(outcome=outcome, group_key=ibis.coalesce(rows.group_id, rows.customer_id))
    is_bad = ibis.cases((rows.outcome == "bad", 1), (rows.outcome == "good", 0), else_=ibis.null("int8"))
    event_on = ibis.ifelse(rows.outcome == "bad", rows.event_on, ibis.null("date"))
    told = rows.mutate(is_bad=is_bad.cast("int8"), event_on=event_on)
    return told.select(*_VIEW, "group_key", "outcome", "is_bad", "event_on", "window_end")
