"""Payments and disputes in the currency of their invoice, and in the base currency so that what is settled nets to 0.

An invoice is converted once, at the rate of its issue date. Its payments are rounded cumulatively: after each, the sum
of their base amounts is the sum of their document amounts at the invoice's rate, rounded once. So when the document
amounts net to zero, the base amounts do, to the cent. The order is the order of knowledge (`known_on`, then `paid_on`,
then the payment's number), and a revision takes the place of the row it corrects: no row depends on one that was known
later. A payment known before its invoice has no issue date to go by; it is converted at the rate of its own day, and
the next payment of that invoice takes up the difference.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.tables.currency import ONE, Rate, Rates, days_of, is_foreign
from pipeline.tables.formats import one_chunk
from pipeline.tables.money import cents_of, money_of

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class _Version:
    """An invoice as known from a day on."""

    known_on: int
    currency: str
    rate: Rate


class InvoiceRates:
    """What each invoice is converted at, by version; only those that ever stood in a foreign currency are kept."""

    def __init__(self, invoices: pa.Table, rates: Rates) -> None:
        self.rates = rates
        self.base_currency = rates.base_currency
        self.currencies: tuple[str, ...] = tuple(sorted(pc.unique(invoices["currency"]).to_pylist()))
        self._versions: dict[str, list[_Version]] = {}
        foreign = one_chunk(invoices["invoice_id"]).filter(
            pa.array(is_foreign(invoices["currency"], rates.base_currency))
        )
        self.foreign_ids = foreign.unique()
        involved = invoices.filter(pc.is_in(invoices["invoice_id"], value_set=self.foreign_ids)).sort_by("known_on")
        columns = (involved["invoice_id"].to_pylist(), involved["currency"].to_pylist())
        for invoice, currency, issued, known in zip(
            *columns, days_of(involved["issued_on"]), days_of(involved["known_on"]), strict=True
        ):
            rate = rates.rate(currency, issued, known)
            if rate is not None:
                self._versions.setdefault(invoice, []).append(_Version(known, currency, rate))

    def version(self, invoice: str | None, known_on: int) -> _Version | None:
        """The invoice as known on the day; null when it was not known, or needs no conversion."""
        versions = self._versions.get(invoice or "", [])
        at = bisect_right(versions, known_on, key=lambda version: version.known_on)
        return versions[at - 1] if at else None

    def currency(self, invoice: str | None, known_on: int) -> str:
        """The invoice's currency as known on the day, or as first known after it."""
        versions = self._versions.get(invoice or "", [])
        if not versions:
            return self.base_currency
        return (self.version(invoice, known_on) or versions[0]).currency


def payments_without_rate(payments: pa.Table, invoices: InvoiceRates) -> NDArray[np.bool_]:
    """Payments whose currency, or whose invoice's, had no rate on the day of payment where one is needed."""
    mask = np.zeros(payments.num_rows, bool)
    for row in _converted_rows(payments, invoices):
        mask[row.position] = row.document_cents(invoices) is None or row.rate(invoices) is None
    return mask


def payments_without_currency(payments: pa.Table, invoices: InvoiceRates) -> NDArray[np.bool_]:
    """Unallocated payments without a currency, in a ledger with several: which is meant cannot be known."""
    if len(invoices.currencies) <= 1:
        return np.zeros(payments.num_rows, bool)
    unclear = pc.and_(pc.is_null(payments["invoice_id"]), pc.is_null(payments["currency"]))
    mask: NDArray[np.bool_] = unclear.to_numpy()
    return mask


def settle_payments(payments: pa.Table, invoices: InvoiceRates) -> pa.Table:
    """Canonical payments: `amount_document` and `currency` are the invoice's, `amount` is in the base currency."""
    named = pc.fill_null(one_chunk(payments["currency"]), invoices.base_currency)
    rows = sorted(_converted_rows(payments, invoices), key=lambda row: row.order)
    documents = one_chunk(payments["amount"])
    if not rows:
        return _canonical(payments, named, documents, documents)
    document_cents, base_cents, codes = cents_of(documents), cents_of(documents), named.to_pylist()
    books: dict[str, _Book] = {}
    for row in rows:
        document, rate = row.document_cents(invoices) or 0, row.rate(invoices) or ONE
        book = books.setdefault(row.invoice, _Book()) if row.invoice else _Book()
        document_cents[row.position] = document
        base_cents[row.position] = book.post(row.payment, document, rate)
        codes[row.position] = row.document_currency(invoices)
    return _canonical(
        payments, pa.array(codes, pa.string()), money_of(base_cents, documents), money_of(document_cents, documents)
    )


def settle_disputes(disputes: pa.Table, invoices: InvoiceRates) -> pa.Table:
    """Canonical disputes: handed in in the invoice's currency, converted at the invoice's rate."""
    documents = one_chunk(disputes["amount"])
    cents = cents_of(documents)
    touched = pc.is_in(one_chunk(disputes["invoice_id"]), value_set=invoices.foreign_ids)
    positions = np.flatnonzero(touched.to_numpy(zero_copy_only=False))
    rows = disputes.take(pa.array(positions))
    for at, invoice, known_on in zip(positions, rows["invoice_id"].to_pylist(), days_of(rows["known_on"]), strict=True):
        cents[at] = _dispute_rate(invoices, invoice, known_on).convert(int(cents[at]))
    amounts = money_of(cents, documents)
    at = disputes.column_names.index("amount")
    return disputes.set_column(at, "amount", amounts).append_column("amount_document", documents)


def _dispute_rate(invoices: InvoiceRates, invoice: str, known_on: int) -> Rate:
    version = invoices.version(invoice, known_on) or invoices.version(invoice, 2**31 - 1)
    return version.rate if version else ONE


@dataclass(frozen=True)
class _Row:
    """A payment row that needs a rate; days from 1970."""

    position: int
    payment: str
    invoice: str | None
    cents: int
    currency: str | None
    paid_on: int
    known_on: int

    @property
    def order(self) -> tuple[int, int, str, str, int]:
        return (self.known_on, self.paid_on, self.payment, self.invoice or "", self.position)

    def document_currency(self, invoices: InvoiceRates) -> str:
        if self.invoice is not None:
            return invoices.currency(self.invoice, self.known_on)
        return self.currency or (invoices.currencies[0] if invoices.currencies else invoices.base_currency)

    def document_cents(self, invoices: InvoiceRates) -> int | None:
        """The payment in the document's currency, crossed at the rates of the day of payment; null without a rate."""
        wanted = self.document_currency(invoices)
        if self.currency in {None, wanted}:
            return self.cents
        paid = invoices.rates.rate(self.currency or wanted, self.paid_on, self.known_on)
        document = invoices.rates.rate(wanted, self.paid_on, self.known_on)
        return None if paid is None or document is None else paid.convert_to(document, self.cents)

    def rate(self, invoices: InvoiceRates) -> Rate | None:
        """The invoice's rate as known; before it is known, and without an invoice, the rate of the day of payment."""
        version = invoices.version(self.invoice, self.known_on)
        if version is not None:
            return version.rate
        return invoices.rates.rate(self.document_currency(invoices), self.paid_on, self.known_on)


class _Book:
    """The payments of one invoice as they came to be known: valid rows and their sums, in cents."""

    def __init__(self) -> None:
        self._valid: dict[str, tuple[int, int]] = {}
        self._document = 0
        self._base = 0

    def post(self, payment: str, document: int, rate: Rate) -> int:
        """Takes a row in the place of its earlier revision and gives its base amount."""
        earlier_document, earlier_base = self._valid.get(payment, (0, 0))
        self._document += document - earlier_document
        base = rate.convert(self._document) - (self._base - earlier_base)
        self._base += base - earlier_base
        self._valid[payment] = (document, base)
        return base


def _converted_rows(payments: pa.Table, invoices: InvoiceRates) -> list[_Row]:
    """Payments of invoices in a foreign currency, in a foreign currency, or unallocated where the ledger has one."""
    touched = pc.is_in(one_chunk(payments["invoice_id"]), value_set=invoices.foreign_ids).to_numpy(zero_copy_only=False)
    is_open = one_chunk(payments["invoice_id"]).is_null().to_numpy(zero_copy_only=False)
    chosen = touched | is_foreign(payments["currency"], invoices.base_currency)
    if len(invoices.foreign_ids):
        chosen |= is_open
    involved = one_chunk(payments["invoice_id"]).filter(pa.array(chosen)).drop_null().unique()
    chosen |= pc.is_in(one_chunk(payments["invoice_id"]), value_set=involved).to_numpy(zero_copy_only=False)
    positions = np.flatnonzero(chosen)
    rows = payments.take(pa.array(positions))
    columns = zip(
        positions.tolist(),
        rows["payment_id"].to_pylist(),
        rows["invoice_id"].to_pylist(),
        cents_of(rows["amount"]).tolist(),
        rows["currency"].to_pylist(),
        days_of(rows["paid_on"]),
        days_of(rows["known_on"]),
        strict=True,
    )
    return [_Row(at, payment or "", *rest) for at, payment, *rest in columns]


def _canonical(payments: pa.Table, currencies: pa.Array, amounts: pa.Array, documents: pa.Array) -> pa.Table:
    told = payments.set_column(payments.column_names.index("currency"), "currency", currencies)
    told = told.set_column(told.column_names.index("amount"), "amount", amounts)
    return told.append_column("amount_document", documents)
