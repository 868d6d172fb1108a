"""`creditbook portfolio`: the report for the monthly meeting, from published runs, the ledger and dated policy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.durable import write_folder
from pipeline.errors import ParameterError
from pipeline.features.catalog import KINDS
from pipeline.flows import log
from pipeline.flows.definition import default_definition
from pipeline.flows.no_ledger import refuse_own_table
from pipeline.flows.policy_file import section_in
from pipeline.flows.published_runs import PublishedRun, nearest, published_runs, run_of
from pipeline.flows.run_before import run_before, warn_of_overtaken
from pipeline.flows.setting import ledger_in, open_setting
from pipeline.flows.warnings import FIGURES, FORMAT
from pipeline.history.default_episodes import default_episodes
from pipeline.history.open_items import open_items
from pipeline.history.point_in_time import customers_known, known_rows
from pipeline.history.prepared import prepared
from pipeline.history.receivables import billed, lost_items
from pipeline.history.snapshots import month_ends_back, spine
from pipeline.report.chapters.verdict_basis import level_of
from pipeline.report.portfolio_report import PortfolioReport, render
from pipeline.report.words import languages
from pipeline.score.drift import SCORE
from pipeline.score.monitored import as_known_on
from pipeline.score.policy import policy_of, read_policy
from pipeline.score.portfolio.ageing import Buckets, items_frame
from pipeline.score.portfolio.amounts import whole_cents
from pipeline.score.portfolio.left_over import days_of_lists
from pipeline.score.portfolio.portfolio import House, Receivables, Runs, book_frame, portfolio, work_of
from pipeline.score.portfolio.sections import CollectionsSection, ProvisionsSection, contradictions
from pipeline.score.portfolio.work_tables import csv_bytes, parquet_bytes, reviews_table, worklist_table
from pipeline.tables.unchanged import unchanged

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import ibis.expr.types as ir

    from pipeline.engine import Engine
    from pipeline.flows.setting import Setting
    from pipeline.tables.canonical import Ledger

BILLING_MONTHS = 3
_MASTER = ("customer_id", "group_id", "industry", "region", "country", "collector")


def report_portfolio(root: Path, as_of: dt.date | None, out: Path | None, *, with_names: bool) -> Path:
    """Writes portfolio.json, one page per language and the worklists (Parquet and CSV) into OUT/as_of=DATE; gives back
    that folder.

    Raises MissingInputError without a published run of the day (null: the latest) or without a ledger.
    """
    setting = open_setting(root)
    refuse_own_table(setting.project.ledger)
    run = run_of(setting.project.root / setting.params.score.out, as_of)
    house = _house(setting)
    runs = _runs(setting, run, house.collections.review_again_days)
    warn_of_overtaken(runs.told["as_of"], runs.told["before"])
    held, master = _from_ledger(setting, runs, house)
    told = portfolio(runs, held, master, house, _level(setting, runs))
    told["monitoring"] = _monitoring(setting, run)
    told["alerts"]["measured"] = _measured(setting, run)
    names = _names(run) if with_names else {}
    files = {"portfolio.json": _json(told), **_work(runs, held, master, house)}
    for language in languages():
        page = render(PortfolioReport(told, language, names, _sources(house, language)))
        files[f"portfolio.{language}.html"] = page.encode()
    folder = (out or setting.project.root / setting.params.portfolio.out) / f"as_of={run.as_of}"
    write_folder(folder, files, last="portfolio.json")
    message = f"portfolio of {run.as_of}: {folder} ({', '.join(sorted(files))})"
    log.say("portfolio_written", message, as_of=run.as_of.isoformat(), folder=str(folder))
    return folder


def _house(setting: Setting) -> House:
    folder = setting.project.policy
    provisions = section_in(folder / "provisions.yaml", ProvisionsSection)
    collections = section_in(folder / "collections.yaml", CollectionsSection)
    breaches = contradictions(provisions, collections)
    if breaches:
        listed = "\n".join(f"  - {breach}" for breach in breaches)
        raise ParameterError(f"{folder}: {len(breaches)} breach(es):\n{listed}\nCorrect the keys named.")
    policy = read_policy(folder, KINDS)
    lgd = policy.loss.unsecured_lgd["default"]
    rules = {name: rule.title for name, rule in policy.alerts.rules.items()}
    return House(provisions, collections, policy.scale.names_with_default, rules, lgd, setting.params.portfolio)


def _sources(house: House, language: str) -> list[tuple[str, str]]:
    told = [(one.title, one.zh if language == "zh" else one.en) for one in house.provisions.sources]
    return [(title, " ".join(says.split())) for title, says in told]


def _runs(setting: Setting, run: PublishedRun, again_days: int) -> Runs:
    """The run, the one nearest the day a month before, what all runs until the day say of alerts, and the books of the
    days on which alerts were listed before."""
    every = published_runs(setting.project.root / setting.params.score.out, run.as_of)
    before = nearest(every, month_ends_back(run.as_of, 1)[0], run.as_of)
    manifest = run.manifest
    told = {
        "as_of": run.as_of.isoformat(),
        "run_id": manifest["run_id"],
        "model_version": manifest["versions"]["model"]["version"],
        "policy_version": manifest["versions"]["policy"]["version"],
        "data_version": manifest["inputs"]["data_version"],
        "base_currency": manifest["base_currency"] or "",
        "label": manifest["label"],
        "runs": len(every),
        "first_run": every[0].as_of.isoformat(),
        "before": run_before(every),
    }
    before_on, book_before = (None, None) if before is None else (before.as_of, before.book())
    at_risk = pd.concat([_at_risk(one) for one in every], ignore_index=True)
    alerts = pd.concat([one.alerts() for one in every], ignore_index=True)
    books = {one.as_of: one for one in every}
    listed = {day: books[day].book() for day in days_of_lists(run.as_of, books, again_days)}
    return Runs(told, run.as_of, run.book(), before_on, book_before, alerts, at_risk, policy_of(manifest), listed)


def _at_risk(run: PublishedRun) -> pd.DataFrame:
    rows = run.book(["as_of", "customer_id", "rating_status"]).to_pandas()
    found: pd.DataFrame = rows.loc[rows["rating_status"].isin(("rated", "thin_file")), ["as_of", "customer_id"]]
    return found


def _from_ledger(setting: Setting, runs: Runs, house: House) -> tuple[Receivables, pd.DataFrame]:
    """Open items at the month ends looked back on, what was lost, billing, defaults and master data, as known then."""
    buckets = Buckets(house.provisions.bucket_ends)
    definition = default_definition(setting)
    with setting.engine() as engine, unchanged(setting.project.ledger):
        ledger = prepared(ledger_in(engine, setting.project.ledger), engine.keep)
        days = _days(engine, ledger, runs.as_of, house.provisions.history_months)
        starts = {day: month_ends_back(day, BILLING_MONTHS)[0] for day in days}
        views = _billed_from(_views(engine, ledger, days, "portfolio_days"), starts)
        today = _views(engine, ledger, [runs.as_of], "portfolio_day")
        items = engine.collect(open_items(ledger, views), order_by=("as_of", "customer_id", "invoice_id"))
        lost = engine.collect(lost_items(ledger, runs.as_of, buckets.ends[-1]), order_by=("invoice_id",))
        sales = billed(ledger, views)
        sums = sales.group_by("as_of").aggregate(cents=sales.billed_3m.sum())
        billing = engine.collect(sums, order_by=("as_of",))
        begun = default_episodes(ledger, today.select("customer_id", "as_of"), definition, engine.keep)
        columns = ("customer_id", "started_on", "ended_on", "default_reason")
        episodes = engine.collect(begun.select(*columns), order_by=("customer_id", "started_on"))
        who = known_rows(ledger, "customers", today).select(*_MASTER)
        master = engine.collect(who, order_by=("customer_id",))
    held = Receivables(
        items=items_frame(items, buckets),
        days=days,
        lost_on=_by_item(lost, "lost_on"),
        written_off_on=_by_item(lost, "written_off_on"),
        billed=dict(zip(billing["as_of"].to_pylist(), whole_cents(billing["cents"]).tolist(), strict=True)),
        starts=starts,
        default_days=_days_of(episodes),
        data_version=ledger.data_version,
        insolvent=_insolvent(episodes),
    )
    return held, master.to_pandas()


def _days(engine: Engine, ledger: Ledger, as_of: dt.date, months: int) -> list[dt.date]:
    """The day and the same day of the months before, from the first day of the books on."""
    invoices = ledger.tables["invoices"]
    first = engine.collect(invoices.aggregate(day=invoices.known_on.min()), order_by=("day",))["day"][0].as_py()
    return [day for day in month_ends_back(as_of, months) if day == as_of or (first is not None and day >= first)]


def _views(engine: Engine, ledger: Ledger, days: Sequence[dt.date], name: str) -> ir.Table:
    """Every customer known on the last of the days, on each of the days."""
    known = engine.collect(customers_known(ledger, days[-1]), order_by=("customer_id",))["customer_id"].to_numpy(
        zero_copy_only=False
    )
    rows = pa.table(
        {
            "customer_id": pa.array(np.tile(known, len(days)), pa.string()),
            "as_of": pa.array(np.repeat(np.array(days, dtype="datetime64[D]"), len(known)), pa.date32()),
        }
    )
    return engine.register(name, spine(rows))


def _billed_from(views: ir.Table, starts: Mapping[dt.date, dt.date]) -> ir.Table:
    """The snapshots with the billing of three months begun after a month end where the day is one: to 28 February
    from 1 December, and not from 29 November."""
    cases = [(views.as_of == day, ibis.literal(start)) for day, start in starts.items()]
    return views.mutate(since_3m=ibis.cases(*cases))


def _by_item(lost: pa.Table, column: str) -> dict[str, dt.date]:
    rows = lost.filter(lost[column].is_valid())
    return dict(zip(rows["invoice_id"].to_pylist(), rows[column].to_pylist(), strict=True))


def _days_of(episodes: pa.Table) -> dict[str, list[dt.date]]:
    found: dict[str, list[dt.date]] = {}
    for customer, day in zip(episodes["customer_id"].to_pylist(), episodes["started_on"].to_pylist(), strict=True):
        found.setdefault(customer, []).append(day)
    return found


def _insolvent(episodes: pa.Table) -> frozenset[str]:
    """Customers whose default has not ended and is an insolvency."""
    stands = episodes.filter(
        pc.and_(pc.is_null(episodes["ended_on"]), pc.equal(episodes["default_reason"], "insolvency"))
    )
    return frozenset(stands["customer_id"].to_pylist())


def _work(runs: Runs, held: Receivables, master: pd.DataFrame, house: House) -> dict[str, bytes]:
    """The worklists, whole, for other systems."""
    policy = house.collections
    cases, reviews = work_of(runs, held, book_frame(runs.book, master), policy)
    tables = {"worklist": worklist_table(cases, policy, runs.as_of), "reviews": reviews_table(reviews, runs.as_of)}
    files = {f"{name}.parquet": parquet_bytes(table) for name, table in tables.items()}
    return files | {f"{name}.csv": csv_bytes(table) for name, table in tables.items()}


def _measured(setting: Setting, run: PublishedRun) -> dict[str, Any] | None:
    """How the alert rules have done, where it was measured for the rules in force, as it is measured today, with no
    outcome after the day."""
    path = setting.project.warnings / FIGURES
    if not path.is_file():
        return None
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if told.get("format") != FORMAT:
        return None
    is_of_these = told["alerts_hash"] == read_policy(setting.project.policy).hashes["alerts"]
    return told if is_of_these and told["until"] <= run.as_of.isoformat() else None


def _level(setting: Setting, runs: Runs) -> dict[str, Any] | None:
    """Observed over expected defaults of the run's model on customers and dates it was not fitted on: of the one-year
    cohort, as on the first page of the model report, else of the test rows; null where validation told none for it."""
    path = setting.project.validation / "validation.json"
    if not path.is_file():
        return None
    validation: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return level_of(validation, runs.told["model_version"])


def _monitoring(setting: Setting, run: PublishedRun) -> dict[str, Any] | None:
    """What monitoring kept of days up to this one: drift and performance of all runs, and of this one its gates; null
    when it was never run."""
    folder, day = setting.project.monitoring, run.as_of.isoformat()
    if not (folder / "performance.parquet").is_file():
        return None
    tables = {name: pq.read_table(folder / f"{name}.parquet").to_pylist() for name in ("history", "performance")}
    newest = json.loads((folder / "monitoring.json").read_text(encoding="utf-8"))
    is_this = newest.get("run_id") == run.folder.name
    return {
        "drift": [row for row in tables["history"] if row["as_of"] <= day and row["quantity"] == SCORE],
        "performance": [as_known_on(row, day) for row in tables["performance"] if row["as_of"] <= day],
        "gates": newest["gates"] if is_this else None,
        "matured": newest.get("matured") if is_this else None,
        "fitted_until": newest.get("fitted_until"),
    }


def _names(run: PublishedRun) -> dict[str, str]:
    rows = run.book(["customer_id", "name"])
    return dict(zip(rows["customer_id"].to_pylist(), rows["name"].to_pylist(), strict=True))


def _json(told: Mapping[str, Any]) -> bytes:
    return (json.dumps(told, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()
