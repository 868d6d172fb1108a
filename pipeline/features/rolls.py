"""One row per snapshot: what stood in an ageing bucket a month or a quarter ago, and what of it has moved on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.features import sources
from pipeline.features.balances import join_parts
from pipeline.features.ledger_rows import STANDING
from pipeline.features.relation import SNAPSHOT, Read, Relation

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from pipeline.features.sight import Sight

_BUCKETS = ("not_due", "to_30", "not_due_3m")


def _rolls(sight: Sight) -> ir.Table:
    """`<bucket>_amount` as known then and `<bucket>_rolled_amount` as known now; null where no item stood open then."""
    month, quarter = (_followed(sight, months) for months in (1, 3))
    to_30 = (month.days_then > 0) & (month.days_then <= 30)
    of_month = {
        **_rolled(month, "not_due", month.days_then == 0, month.days_now > 0),
        **_rolled(month, "to_30", to_30, month.days_now > 30),
    }
    of_quarter = _rolled(quarter, "not_due_3m", quarter.days_then == 0, quarter.days_now > 0)
    parts = (month.group_by(SNAPSHOT).aggregate(**of_month), quarter.group_by(SNAPSHOT).aggregate(**of_quarter))
    return sight.keep(join_parts(sight.snapshots.select(*SNAPSHOT), parts), "features_rolls")


def _followed(sight: Sight, months: int) -> ir.Table:
    """Items open so many months ago with their days past due and amount then, and now (null when no longer open)."""
    items = sight.rows(STANDING)
    owed = items.filter(items.open_amount > 0).select(*SNAPSHOT, "invoice_id", "open_amount", "days_past_due")
    then = owed.rename(day="as_of", amount_then="open_amount", days_then="days_past_due")
    days = sight.snapshots.select(*SNAPSHOT, day=f"since_{months}m")
    asked = days.inner_join(then, ["customer_id", "day"])
    asked = asked.select(*SNAPSHOT, "invoice_id", "amount_then", "days_then")
    now = owed.rename(amount_now="open_amount", days_now="days_past_due")
    return asked.left_join(now, [*SNAPSHOT, "invoice_id"]).select(*asked.columns, "amount_now", "days_now")


def _rolled(rows: ir.Table, bucket: str, was_in: ir.Value, is_beyond: ir.Value) -> dict[str, ir.Value]:
    """Of a bucket, the amount then and the part of it that has moved on; a bounced payment makes it no larger."""
    grown = (rows.amount_now > rows.amount_then).ifelse(rows.amount_then, rows.amount_now)
    return {
        f"{bucket}_amount": rows.amount_then.sum(where=was_in),
        f"{bucket}_rolled_amount": grown.sum(where=was_in & is_beyond).fill_null(0),
    }


ROLLS = Relation(
    "rolls",
    ("invoices", "payments"),
    _rolls,
    has_one_row=True,
    columns={
        f"{bucket}{part}": sources.OVERDUE_AMOUNT for bucket in _BUCKETS for part in ("_amount", "_rolled_amount")
    },
    reads=(Read(STANDING, columns=("invoice_id", "open_amount", "days_past_due"), days_before=(1, 3), often=True),),
)
