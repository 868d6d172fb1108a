"""The demo book: the ledger of the demo economy, and the truth that is written beside it."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.engine import write_parquet
from pipeline.errors import OutputError, ParameterError
from pipeline.tables.demo.accounts import account_table
from pipeline.tables.demo.agreements import contract_table, contracts, obligation_table
from pipeline.tables.demo.chances import Onsets
from pipeline.tables.demo.conduct import conduct
from pipeline.tables.demo.covers import cover_table
from pipeline.tables.demo.credit_notes import credit_notes
from pipeline.tables.demo.customers import customer_table
from pipeline.tables.demo.disputes import dispute_table
from pipeline.tables.demo.distress import Episodes, episodes, gone_days, onset_days, trigger_days
from pipeline.tables.demo.economy import ECONOMY, Economy
from pipeline.tables.demo.indicators import indicator_table
from pipeline.tables.demo.invoices import Trade, Written, invoice_table, order_table, written
from pipeline.tables.demo.limits import limit_table, override_table
from pipeline.tables.demo.membership import in_book
from pipeline.tables.demo.outside import event_table
from pipeline.tables.demo.payments import payment_table
from pipeline.tables.demo.rates import Rates, fx_rates, rates
from pipeline.tables.demo.settlement import settlement
from pipeline.tables.demo.timeline import NEVER
from pipeline.tables.demo.trade import orders
from pipeline.tables.demo.truth import standing, truth_table
from pipeline.tables.demo.world import World, world
from pipeline.tables.ledger import TABLES

if TYPE_CHECKING:
    from pipeline.tables.demo.arrays import Ints


@dataclass(frozen=True)
class DemoBook:
    """`tables`: the fourteen tables in source schema. `truth`: customer_id, as_of, true_pd and the latent state."""

    tables: dict[str, pa.Table]
    truth: pa.Table


_CARRIED = ("invoices", "payments", "disputes", "orders")


@dataclass(frozen=True)
class _History:
    """All that happened to the customers of the book."""

    world: World
    rates: Rates
    onsets: Onsets
    episodes: Episodes
    trade: Trade


def demo_book(customers: int, months: int, seed: int) -> DemoBook:
    """The ledger of `customers` firms over `months` months that end on 2025-12-31, and each one's true PD.

    The same arguments give the same book. Raises ParameterError unless customers ≥ 10, months ≥ 1 and seed ≥ 0.
    """
    if customers < 10 or months < 1 or seed < 0:
        raise ParameterError(
            f"demo book: customers={customers}, months={months}, seed={seed}; "
            "ask for at least 10 customers, 1 month and a seed of 0 or more"
        )
    history = _history(customers, months, seed, ECONOMY)
    tables, documents = _tables(history)
    at = standing(history.world, history.onsets, history.episodes)
    is_member = in_book(tables, history.trade, documents, history.world)
    return DemoBook(tables, truth_table(history.world, at, is_member & ~at.is_in_default))


def _history(customers: int, months: int, seed: int, economy: Economy) -> _History:
    """Draws more firms than needed and keeps the first that are still there when the ledger begins."""
    everyone = world(int(customers * economy.candidates_per_customer) + 40, months, economy, seed)
    found_rates = rates(everyone.line, seed)
    placed = orders(everyone, found_rates)
    settles = conduct(placed, everyone)
    onset = onset_days(everyone)
    trigger = trigger_days(placed, settles, onset, everyone)
    courses = episodes(onset, trigger, everyone)
    became = settlement(placed, settles, courses, everyone)
    chosen = _there_at_start(everyone, courses)[:customers]
    number = np.full(everyone.count, -1, dtype=np.int64)
    number[chosen] = np.arange(len(chosen))
    trade = Trade(placed, settles, became).take((number[placed.firm] >= 0) & ~became.is_dropped)
    return _History(
        world=everyone.take(chosen),
        rates=found_rates,
        onsets=Onsets(onset[chosen], trigger[chosen]),
        episodes=courses.take(number[courses.firm] >= 0).renumbered(number),
        trade=trade.renumbered(number),
    )


def _there_at_start(everyone: World, courses: Episodes) -> Ints:
    """Firms that trade within the ledger: neither left nor failed before it begins."""
    is_final = (courses.default_on < everyone.line.first_day) & (courses.ends_on >= NEVER)
    has_failed = np.zeros(everyone.count, dtype=bool)
    has_failed[courses.firm[is_final]] = True
    return np.flatnonzero(~has_failed & (everyone.firms.leaves > everyone.line.burn_in))


def _tables(history: _History) -> tuple[dict[str, pa.Table], Written]:
    who, trade, courses = history.world, history.trade, history.episodes
    gone_on = gone_days(courses, who)
    notes = credit_notes(trade.orders, trade.conduct, who)
    documents = written(trade, notes, who)
    signed = contracts(who, gone_on)
    tables = {
        "customers": customer_table(who),
        "invoices": invoice_table(trade, notes, documents, signed, who),
        "payments": payment_table(trade, notes, documents, who),
        "disputes": dispute_table(trade, documents, who.line),
        "orders": order_table(trade, documents, who.line),
        "financials": account_table(who, gone_on),
        "contracts": contract_table(signed, who.firms),
        "obligations": obligation_table(signed, courses, who),
        "limits": limit_table(who, gone_on),
        "covers": cover_table(who, gone_on),
        "events": event_table(trade, documents, gone_on, courses, who),
        "overrides": override_table(who, gone_on),
        "indicators": indicator_table(who),
        "fx_rates": fx_rates(history.rates, who.line),
    }
    carried = {name: _carried_forward(tables[name], who.line.first_day) for name in _CARRIED}
    return {table.name: {**tables, **carried}[table.name] for table in TABLES}, documents


def _carried_forward(rows: pa.Table, first_day: int) -> pa.Table:
    """What was carried over from before the ledger is known from its first day: nothing was kept before."""
    known_on = pc.max_element_wise(rows["known_on"], pa.scalar(first_day, pa.int32()).cast(pa.date32()))
    return rows.set_column(rows.schema.get_field_index("known_on"), "known_on", known_on)


def write_demo(book: DemoBook, folder: Path) -> None:
    """Writes the ledger into `folder` and the truth into its sibling `<folder>-truth/true_pd.parquet`, each aside first
    and then renamed. Raises OutputError when a place cannot be written."""
    beside = folder.parent / f"{folder.name}-truth"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _replace(beside, {"true_pd": book.truth})
        _replace(folder, book.tables)
    except OSError as error:
        raise OutputError(f"{folder}: the demo book cannot be written: {error}; choose another folder") from error


def _replace(folder: Path, tables: dict[str, pa.Table]) -> None:
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        for name, rows in tables.items():
            write_parquet(rows, aside / f"{name}.parquet")
        aside.chmod(0o755)
        old = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        if folder.exists():
            folder.rename(old / folder.name)
        aside.rename(folder)
        shutil.rmtree(old)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
