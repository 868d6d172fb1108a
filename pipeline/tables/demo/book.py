"""The demo book: the ledger of the demo economy, and the truth that is written beside it."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.engine import write_parquet
from pipeline.errors import OutputError, ParameterError
from pipeline.tables.demo.accounts import account_table
from pipeline.tables.demo.agreements import contract_table, contracts, obligation_table
from pipeline.tables.demo.conduct import conduct
from pipeline.tables.demo.covers import cover_table
from pipeline.tables.demo.credit_notes import credit_notes
from pipeline.tables.demo.customers import customer_table
from pipeline.tables.demo.disputes import dispute_table
from pipeline.tables.demo.distress import Episodes, episodes, gone_days, onset_days, trigger_days
from pipeline.tables.demo.economy import ECONOMY, Economy
from pipeline.tables.demo.firms import Firms, firms
from pipeline.tables.demo.indicators import indicator_table
from pipeline.tables.demo.invoices import Trade, Written, invoice_table, order_table, written
from pipeline.tables.demo.limits import limit_table, override_table
from pipeline.tables.demo.membership import in_book
from pipeline.tables.demo.outside import event_table
from pipeline.tables.demo.payments import payment_table
from pipeline.tables.demo.quality import Quality, quality
from pipeline.tables.demo.rates import Rates, fx_rates, rates
from pipeline.tables.demo.settlement import settlement
from pipeline.tables.demo.timeline import NEVER, Timeline, timeline
from pipeline.tables.demo.trade import orders
from pipeline.tables.demo.truth import Onsets, true_pd, truth_table
from pipeline.tables.ledger import TABLES

if TYPE_CHECKING:
    import pyarrow as pa

    from pipeline.tables.demo.arrays import Ints


@dataclass(frozen=True)
class DemoBook:
    """`tables`: the fourteen tables in source schema. `truth`: customer_id, as_of, true_pd and the latent state."""

    tables: dict[str, pa.Table]
    truth: pa.Table


@dataclass(frozen=True)
class _World:
    """The customers of the book and all that happened to them."""

    line: Timeline
    rates: Rates
    firms: Firms
    quality: Quality
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
    world = _world(customers, months, seed, ECONOMY)
    tables, documents = _tables(world, seed, ECONOMY)
    found, distressed, defaulted = true_pd(
        world.firms, world.quality, world.onsets, world.episodes, world.line, ECONOMY
    )
    is_member = in_book(tables, world.trade, documents, customers, world.line)
    is_rated = is_member & ~defaulted
    is_rated[:, : world.line.burn_in] = False
    truth = truth_table(found, distressed, is_rated, world.firms, world.quality, world.line)
    return DemoBook(tables, truth)


def _world(customers: int, months: int, seed: int, economy: Economy) -> _World:
    """Draws more firms than needed and keeps the first that are still there when the ledger begins."""
    line = timeline(months, economy.burn_in_months)
    found_rates = rates(line, seed)
    candidates = int(customers * economy.candidates_per_customer) + 40
    everyone = firms(candidates, line, economy, seed)
    state = quality(everyone, line.count, economy, seed)
    placed = orders(everyone, state, line, found_rates, economy, seed)
    settles = conduct(placed, everyone, state, line, economy, seed)
    onset = onset_days(everyone, line, seed)
    trigger = trigger_days(placed, settles, everyone, onset, line, economy)
    courses = episodes(everyone, state, onset, trigger, line, economy, seed)
    became = settlement(placed, settles, courses, economy, seed)
    chosen = _there_at_start(everyone, courses, line)[:customers]
    number = np.full(candidates, -1, dtype=np.int64)
    number[chosen] = np.arange(len(chosen))
    trade = Trade(placed, settles, became).take((number[placed.firm] >= 0) & ~became.is_dropped)
    kept = courses.take(number[courses.firm] >= 0)
    return _World(
        line=line,
        rates=found_rates,
        firms=everyone.take(chosen),
        quality=state.take(chosen),
        onsets=Onsets(onset[chosen], trigger[chosen]),
        episodes=kept.renumbered(number),
        trade=trade.renumbered(number),
    )


def _there_at_start(everyone: Firms, courses: Episodes, line: Timeline) -> Ints:
    """Firms that trade within the ledger: neither left nor failed before it begins."""
    is_final = (courses.default_on < line.first_day) & (courses.ends_on >= NEVER)
    has_failed = np.zeros(len(everyone.size), dtype=bool)
    has_failed[courses.firm[is_final]] = True
    return np.flatnonzero(~has_failed & (everyone.leaves > line.burn_in))


def _tables(world: _World, seed: int, economy: Economy) -> tuple[dict[str, pa.Table], Written]:
    line, who, state, trade = world.line, world.firms, world.quality, world.trade
    gone_on = gone_days(who, world.episodes, line)
    notes = credit_notes(trade.orders, trade.conduct, seed)
    documents = written(trade, notes, line, seed)
    signed = contracts(who, gone_on, state, line, economy, seed)
    tables = {
        "customers": customer_table(who, line, seed),
        "invoices": invoice_table(trade, notes, documents, signed, who, line, seed),
        "payments": payment_table(trade, notes, documents, who, line, economy, seed),
        "disputes": dispute_table(trade, documents, line),
        "orders": order_table(trade, documents, line),
        "financials": account_table(who, gone_on, state, line, economy, seed),
        "contracts": contract_table(signed, who),
        "obligations": obligation_table(signed, state, world.episodes, line, seed),
        "limits": limit_table(who, gone_on, state, line, economy, seed),
        "covers": cover_table(who, gone_on, state, line, economy, seed),
        "events": event_table(trade, documents, who, gone_on, state, world.episodes, line, economy, seed),
        "overrides": override_table(who, gone_on, state, line, seed),
        "indicators": indicator_table(state, line, economy, seed),
        "fx_rates": fx_rates(world.rates, line),
    }
    return {table.name: tables[table.name] for table in TABLES}, documents


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
            os.replace(folder, old / folder.name)
        os.replace(aside, folder)
        shutil.rmtree(old)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
