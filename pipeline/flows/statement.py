"""`creditbook statement`: one customer's own page, from a published run."""

from __future__ import annotations

import difflib
import hashlib
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

import pandas as pd

from pipeline.durable import write_folder
from pipeline.errors import MissingInputError, ParameterError
from pipeline.features.catalog import FEATURES
from pipeline.flows import log
from pipeline.flows.no_ledger import refuse_own_table
from pipeline.flows.policy_file import section_in
from pipeline.flows.published_runs import run_of
from pipeline.flows.setting import open_setting
from pipeline.flows.statement_day import published_day, require_as_published
from pipeline.report.page import html_page
from pipeline.report.paper import pdf
from pipeline.report.statement.document import statement_document
from pipeline.report.statement.sections import StatementSection, gaps
from pipeline.report.statement.told import CustomerStatement, Grading, LimitTold, Standing, Who, shown
from pipeline.score.comparables import comparables
from pipeline.score.statement.prospects import Seat, prospects
from pipeline.score.statement.what_counts import what_counts
from pipeline.tables.ledger import TABLES

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    from pipeline.flows.published_runs import PublishedRun
    from pipeline.flows.setting import Setting
    from pipeline.flows.statement_day import PublishedDay
    from pipeline.night_params import StatementParams
    from pipeline.report.document import Document

_SOURCES = {feature.name: feature.source for feature in FEATURES}
_LONGEST_FILE_NAME = 120


def write_statement(
    root: Path, customer_id: str, as_of: dt.date | None, out: Path | None, language: Literal["en", "zh"] | None
) -> Path:
    """Writes the page and its PDF into OUT/as_of=DATE/CUSTOMER.LANGUAGE; gives back that folder.

    `as_of` null is the latest published day, `language` null the first of report.language. Raises MissingInputError
    without the run, the customer, the model or a ledger, DamagedRunError, ContractError when the customer no longer
    comes out as it was published, ParameterError when policy/statement.yaml says too little.
    """
    setting = open_setting(root)
    refuse_own_table(setting.project.ledger)
    house = _house(setting)
    run = run_of(setting.project.root / setting.params.score.out, as_of)
    _require_customer(run, customer_id)
    found = published_day(setting, run)
    seat = Seat.of(found.day, found.row_of(customer_id))
    require_as_published(found, seat)
    told = _told(found, seat, house, setting.params.statement)
    spoken = language or setting.params.report.language[0]
    document = statement_document(told, spoken, setting.params.statement.reached_by)
    folder = (out or setting.project.root / setting.params.statement.out) / f"as_of={run.as_of}"
    folder /= f"{file_name(customer_id)}.{spoken}"
    files = _files(document)
    write_folder(folder, files, last="statement.html")
    message = f"statement of {run.as_of} for customer {customer_id}: {folder} ({', '.join(sorted(files))})"
    log.say("statement_written", message, as_of=run.as_of.isoformat(), customer_id=customer_id, folder=str(folder))
    return folder


def file_name(customer_id: str) -> str:
    """The customer's number as the name of a folder: nothing in it leads elsewhere, two numbers never share one.

    >>> file_name("C-17"), file_name("../x"), file_name("")
    ('C-17', '%2E%2E%2Fx', '%')
    """
    quoted = quote(customer_id, safe="").replace(".", "%2E") or "%"
    if len(quoted) <= _LONGEST_FILE_NAME:
        return quoted
    return f"{quoted[: _LONGEST_FILE_NAME - 17]}~{hashlib.sha256(customer_id.encode()).hexdigest()[:16]}"


def _house(setting: Setting) -> StatementSection:
    path = setting.project.statement_policy
    house = section_in(path, StatementSection)
    breaches = gaps(house)
    if breaches:
        raise ParameterError(f"{path}: {len(breaches)} breach(es): " + "; ".join(breaches))
    return house


def _require_customer(run: PublishedRun, customer_id: str) -> None:
    ids = run.book(["customer_id"])["customer_id"].to_pylist()
    if customer_id in ids:
        return
    near = difflib.get_close_matches(customer_id, ids, n=3, cutoff=0.0)
    told = f"nearest: {', '.join(near)}" if near else "the run has no customer at all"
    raise MissingInputError(f"no customer {customer_id!r} among {len(ids):,} in the run of {run.as_of}; {told}")


def _files(document: Document) -> dict[str, bytes]:
    """The page, and the PDF unless this machine has no font for it: empty boxes help nobody."""
    files = {"statement.html": html_page(document).encode()}
    try:
        files["statement.pdf"] = pdf(document)
    except MissingInputError as error:
        log.warn("report_left_out", f"warning: statement.pdf is not written: {error}")
    return files


def _told(found: PublishedDay, seat: Seat, house: StatementSection, params: StatementParams) -> CustomerStatement:
    at, day = seat.at, found.day
    row = found.book.iloc[at]
    customer_id, standing = str(row["customer_id"]), _standing(row)
    against, in_favour = what_counts(day.model, dict(day.features.iloc[at]), dict(found.points.iloc[at]))
    peers = prospect = None
    if standing in {"rated", "thin_file"}:
        peers = comparables(found.book, day.features, at, day.policy.scale, params.fewest_comparable)
        prospect = None if peers is None else prospects(seat, peers.at, params.reached_by)
    reads = day.model.thin_file.features if standing == "thin_file" else day.model.features
    counted = {source for name in reads for source in _SOURCES.get(name, ())} | {"customers", "invoices", "payments"}
    person = row["is_natural_person"]
    return CustomerStatement(
        who=Who(shown(customer_id), shown(str(row["name"])), None if pd.isna(person) else bool(person)),
        as_of=day.as_of,
        grading=_grading(found, at, standing),
        limit=_limit(found, at),
        against=against,
        in_favour=in_favour,
        prospects=prospect,
        width=None if peers is None else peers.width,
        lacks_accounts=_lacks_accounts(found, customer_id, counted),
        sources=tuple(one.name for one in TABLES if one.name in counted and found.has_rows_of(customer_id, one.name)),
        house=house,
        reference=" · ".join((found.manifest["run_id"], day.model.version, day.policy.version)),
    )


def _standing(row: pd.Series) -> Standing:
    if row["rating_status"] in {"rated", "thin_file"} and row["model"] == "expert":
        return "expert"
    standing: Standing = row["rating_status"]
    return standing


def _grading(found: PublishedDay, at: int, standing: Standing) -> Grading:
    row, position, scale = found.book.iloc[at], found.day.positions.iloc[at], found.day.policy.scale
    grade = _or_none(row["grade"])
    since = position["default_on"] if standing == "in_default" else None
    return Grading(
        standing=standing,
        grade=grade,
        place=scale.names.index(grade) + 1 if grade in scale.names else None,
        grades=len(scale.names),
        score=None if pd.isna(row["score"]) else int(row["score"]),
        label=found.manifest["label"],
        invoices_due=_whole(position["invoices_due_12m_count"]),
        history_months=_whole(position["history_months"]),
        needs=found.day.policy.thin_file.thin,
        default_on=None if since is None or pd.isna(since) else pd.Timestamp(since).date(),
    )


def _limit(found: PublishedDay, at: int) -> LimitTold:
    """What may be said of the limit: an amount that a person must still approve is not."""
    row, position, rules = found.book.iloc[at], found.day.positions.iloc[at], found.day.policy.limits
    tiers = rules.approval
    needs_nobody = row["limit_action"] in {"keep", "raise", "cut"} and _or_none(row["approval_tier"]) in {
        None,
        tiers[0].tier,
    }
    is_graded = row["rating_status"] in {"rated", "thin_file"}
    strategy = found.day.policy.strategy_of(_or_none(row["grade"]))
    overdue_held = row["limit_action"] == "hold" and is_graded
    return LimitTold(
        currency=found.manifest["base_currency"] or "",
        current=_amount(row["limit_current"]),
        open_amount=_amount(position["open_amount"]) or 0.0,
        overdue_amount=_amount(position["overdue_amount"]) or 0.0,
        reckoned=_amount(row["limit_suggested"]) if needs_nobody and is_graded else None,
        cap=_or_none(row["limit_binding_cap"]),
        is_held=overdue_held,
        up_to=tiers[0].up_to,
        strategy=None if strategy is None else strategy.customer,
    )


def _lacks_accounts(found: PublishedDay, customer_id: str, counted: set[str]) -> bool:
    """Accounts count in this rating, others hand some in, and of this customer there are none."""
    has_none = not found.has_rows_of(customer_id, "financials")
    return has_none and "financials" in counted & found.present


def _or_none(value: Any) -> str | None:
    return None if pd.isna(value) else str(value)


def _whole(value: Any) -> int:
    """A number of invoices or months; what is not known counts as none, as the rule of thin files has it."""
    return 0 if pd.isna(value) else int(value)


def _amount(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)
