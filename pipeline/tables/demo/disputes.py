"""The table of disputes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.tables.demo.arrays import as_table, choice_of, dates, ids, money
from pipeline.tables.demo.conduct import OUTCOMES
from pipeline.tables.demo.invoices import customer_ids
from pipeline.tables.demo.timeline import NEVER
from pipeline.tables.ledger import DISPUTES

if TYPE_CHECKING:
    import pyarrow as pa

    from pipeline.tables.demo.invoices import Trade, Written
    from pipeline.tables.demo.timeline import Timeline


def dispute_table(trade: Trade, documents: Written, line: Timeline) -> pa.Table:
    """Disputes on invoices in the ledger; a dispute of a whole invoice has no amount."""
    conduct = trade.conduct
    is_known = (documents.invoice >= 0) & (conduct.disputed_on <= line.last_day) & (conduct.disputed_on < NEVER)
    item = np.flatnonzero(is_known)
    item = item[np.argsort(conduct.disputed_on[item], kind="stable")]
    share = conduct.disputed_share[item]
    is_open = conduct.resolved_on[item] > line.last_day
    cents = np.maximum(np.rint(trade.orders.document_cents[item] * share), 1).astype(np.int64)
    columns = {
        "dispute_id": ids("D", np.arange(1, len(item) + 1), 6),
        "invoice_id": documents.invoice_ids(item),
        "customer_id": customer_ids(trade.orders.firm[item]),
        "opened_on": dates(conduct.disputed_on[item]),
        "amount": money(cents, share >= 1.0),
        "resolved_on": dates(conduct.resolved_on[item], is_open),
        "outcome": choice_of((*OUTCOMES, None), np.where(is_open, len(OUTCOMES), conduct.outcome[item])),
        "known_on": dates(conduct.disputed_on[item]),
    }
    return as_table(DISPUTES, columns, ("dispute_id", "known_on"))
