"""Intake: a source folder in, canonical tables, quarantine and a report out. Pure: it writes nothing."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import ContractError, CreditbookError, MissingInputError, ParameterError
from pipeline.tables.canonical import sort_canonical
from pipeline.tables.content_hash import content_hash
from pipeline.tables.currency import RATE_DAY, Rates, in_base_currency, without_rate
from pipeline.tables.extract_date import extract_date_of
from pipeline.tables.gather import Gathered, gather
from pipeline.tables.intake_report import report_of
from pipeline.tables.ledger import BY_NAME, INVOICES
from pipeline.tables.quarantine import Finding, Sifted, sift
from pipeline.tables.rules import Context
from pipeline.tables.settlement import (
    InvoiceRates,
    payments_without_currency,
    payments_without_rate,
    settle_disputes,
    settle_payments,
)

if TYPE_CHECKING:
    from collections.abc import Mapping as AbstractMapping
    from pathlib import Path

    import pyarrow as pa

    from pipeline.params import IngestParams
    from pipeline.tables.breach import Breach
    from pipeline.tables.mapping import Mapping
    from pipeline.tables.received import Received

# A table stands after those it refers to, so that a quarantined customer takes its invoices along.
_ORDER = (
    "fx_rates",
    "customers",
    "contracts",
    "orders",
    "invoices",
    "payments",
    "disputes",
    "financials",
    "obligations",
    "limits",
    "covers",
    "events",
    "overrides",
    "indicators",
)
_NO_RATE = (
    "are in a currency that had no rate by then",
    "hand in fx_rates with a rate on or before the day (known by the row's known_on), or set ingest.base_currency",
)


@dataclass(frozen=True)
class Intake:
    """What a source says, in canonical tables sorted by key and `known_on`; a table not handed in is not in `tables`.

    `quarantine` holds the source rows that broke a rule, as text, with `source_file`, `source_row` and `reason`.
    `extract_date` is null only where the source has no readable day at all.
    """

    tables: AbstractMapping[str, pa.Table]
    quarantine: AbstractMapping[str, pa.Table]
    breaches: tuple[Breach, ...]
    report: AbstractMapping[str, Any]
    extract_date: dt.date | None
    base_currency: str
    data_version: str
    assumptions: tuple[str, ...]
    source_hashes: AbstractMapping[str, str]

    @property
    def present(self) -> frozenset[str]:
        """The tables that were handed in."""
        return frozenset(self.tables)


@dataclass(frozen=True)
class Examination:
    """An intake and why it must not be used: `faults` are what keeps it from being written; none is sound."""

    intake: Intake
    faults: tuple[CreditbookError, ...]


def intake(source: Path, mapping: Mapping | None, settings: IngestParams) -> Intake:
    """Reads, maps, checks and converts the source.

    Raises MissingInputError (66) when a file or needed table is absent, ContractError (65) when one cannot be read or
    more rows are bad than its threshold allows; either tells every fault and every breach of the tables concerned.
    """
    examined = examine(source, mapping, settings)
    if examined.faults:
        raise refusal(source, examined.faults)
    return examined.intake


def refusal(source: Path, faults: tuple[CreditbookError, ...]) -> CreditbookError:
    """One error that tells every fault; 66 when an input is missing, else 65."""
    listed = "\n".join(f"  - {line}" for fault in faults for line in str(fault).splitlines())
    told = f"{source.name}: the ledger cannot be taken in; nothing was written.\n{listed}"
    is_missing = any(isinstance(fault, MissingInputError) for fault in faults)
    return MissingInputError(told) if is_missing else ContractError(told)


def examine(source: Path, mapping: Mapping | None, settings: IngestParams) -> Examination:
    """As `intake`, with the faults in hand, not raised. Raises ParameterError for a threshold of an unknown table."""
    unknown = sorted(set(settings.max_bad_share) - set(BY_NAME))
    if unknown:
        raise ParameterError(
            f"ingest.max_bad_share: {len(unknown)} unknown table(s), e.g. {unknown[0]!r}; known: {', '.join(BY_NAME)}"
        )
    gathered = gather(source, mapping)
    faults = [*gathered.faults, *_without_rows(gathered)]
    declared = settings.extract_date or (mapping.extract_date if mapping else None)
    extract_date = extract_date_of([r.values["known_on"] for r in gathered.received.values()], declared)
    if extract_date is None and gathered.received:
        faults.append(
            ContractError("no row has a readable known_on, so the ledger has no extract date; see its breaches")
        )
    # Without an extract date no day is too late; every other rule is still told.
    sifted, canonical = _sift_all(gathered, extract_date or dt.date.max, settings.base_currency)
    canonical.update({name: BY_NAME[name].empty() for name in gathered.empty if name in BY_NAME})
    faults += _over_threshold(sifted, settings)
    assumptions = mapping.assumptions if mapping else ()
    version = content_hash(canonical)
    hashes = {extract.file: extract.sha256 for extract in gathered.extracts.values()}
    result = Intake(
        canonical,
        {name: s.quarantine for name, s in sifted.items() if s.bad},
        tuple(breach for s in sifted.values() for breach in s.breaches),
        report_of(gathered, sifted, canonical, assumptions) | _facts(extract_date, settings.base_currency, version),
        extract_date,
        settings.base_currency,
        version,
        assumptions,
        dict(sorted(hashes.items())),
    )
    return Examination(result, tuple(faults))


def _facts(extract_date: dt.date | None, base_currency: str, data_version: str) -> dict[str, Any]:
    day = None if extract_date is None else extract_date.isoformat()
    return {"extract_date": day, "base_currency": base_currency, "data_version": data_version}


def _without_rows(gathered: Gathered) -> list[CreditbookError]:
    return [
        ContractError(
            f"{name}: the table has a header and no row; export it again, or declare it empty in a mapping "
            f"(`{name}: {{empty: why}}`)"
        )
        for name, received in gathered.received.items()
        if BY_NAME[name].is_needed and received.values.num_rows == 0
    ]


def _sift_all(
    gathered: Gathered, extract_date: dt.date, base_currency: str
) -> tuple[dict[str, Sifted], dict[str, pa.Table]]:
    sifted: dict[str, Sifted] = {}
    canonical: dict[str, pa.Table] = {}
    ids: dict[str, pa.Array] = {name: BY_NAME[name].empty()[BY_NAME[name].key[0]] for name in gathered.empty}
    rates = Rates(None, base_currency)
    invoice_rates = InvoiceRates(INVOICES.empty(), rates)
    for name in _ORDER:
        received = gathered.received.get(name)
        if received is None:
            continue
        context = Context(extract_date, ids, received.may_be_known_before_event)
        result = sift(received, context, _currency_findings(received, rates, invoice_rates))
        sifted[name] = result
        ids[name] = result.sound[received.table.key[0]]
        if name == "fx_rates":
            rates = Rates(result.sound, base_currency)
        if name == "invoices":
            invoice_rates = InvoiceRates(result.sound, rates)
        canonical[name] = _canonical(result, rates, invoice_rates)
    return sifted, canonical


def _currency_findings(received: Received, rates: Rates, invoices: InvoiceRates) -> tuple[Finding, ...]:
    rows = received.values
    findings: list[Finding] = []
    if received.table.name in RATE_DAY:
        findings.append(Finding("currency", *_NO_RATE, without_rate(received.table, rows, rates)))
    if received.table.name == "payments":
        findings.append(Finding("currency", *_NO_RATE, payments_without_rate(rows, invoices)))
        told = "are not allocated, name no currency, and the ledger's invoices are in several"
        unclear = payments_without_currency(rows, invoices)
        findings.append(Finding("currency", told, "fill the currency of unallocated payments", unclear))
    return tuple(finding for finding in findings if np.any(finding.mask))


def _canonical(sifted: Sifted, rates: Rates, invoices: InvoiceRates) -> pa.Table:
    table = sifted.table
    if table.name == "payments":
        rows = settle_payments(sifted.sound, invoices)
    elif table.name == "disputes":
        rows = settle_disputes(sifted.sound, invoices)
    else:
        rows = in_base_currency(table, sifted.sound, rates)
    return sort_canonical(table, rows.select(table.canonical_schema.names).cast(table.canonical_schema))


def _over_threshold(sifted: AbstractMapping[str, Sifted], settings: IngestParams) -> list[CreditbookError]:
    faults: list[CreditbookError] = []
    for name, result in sifted.items():
        allowed = settings.max_bad_share.get(name, result.table.max_bad_share)
        if result.total and result.bad / result.total > allowed:
            listed = "\n".join(f"  {breach.text}" for breach in result.breaches)
            faults.append(
                ContractError(
                    f"{name}: {result.bad:,} of {result.total:,} rows ({result.bad / result.total:.1%}) break a rule, "
                    f"more than the threshold of {allowed:.1%}:\n{listed}"
                )
            )
    return faults
