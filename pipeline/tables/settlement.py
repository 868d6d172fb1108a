"""Payments and disputes in the currency of their invoice, and in the base currency so that what is settled nets to 0.

An invoice is converted once, at the rate of its issue date. Its payments are rounded cumulatively: after each, the sum
of their base amounts is the sum of their document amounts at the invoice's rate, rounded once. So when the document
amounts net to zero, the base amounts do, to the cent. The order is the order of knowledge (`known_on`, then `paid_on`,
then the payment's number), and a revision takes the place of the row it corrects: no row depends on one that was known
later. A payment known before its invoice has no issue date to go by; it is converted at the rate of its own day, and
the next payment of that invoice takes up the difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.tables.currency import days_of, is_foreign
from pipeline.tables.formats import one_chunk
from pipeline.tables.money import cents_of, money_of
from pipeline.tables.rate_columns import NO_RATE, RateColumn, rate_column
from pipeline.tables.running_sums import posted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.tables.currency import Rates

    Whole = NDArray[np.int64]
    Mask = NDArray[np.bool_]

_NONE = -1
# A day counts from 1970 and may lie before; an invoice's number is shifted beyond all days.
_DAYS, _SHIFT = 2**31, 33


class InvoiceRates:
    """What each invoice is converted at, by version; only those that ever stood in a foreign currency are kept.

    An invoice is called by its number, its place in `foreign_ids`.
    """

    def __init__(self, invoices: pa.Table, rates: Rates) -> None:
        self.rates = rates
        self.base_currency = rates.base_currency
        self.currencies: tuple[str, ...] = tuple(sorted(pc.unique(invoices["currency"]).to_pylist()))
        ids = one_chunk(invoices["invoice_id"])
        self.foreign_ids = ids.filter(pa.array(is_foreign(invoices["currency"], rates.base_currency))).unique()
        numbers = self.numbers(ids)
        involved = np.flatnonzero(numbers != _NONE)
        rows = invoices.select(["currency", "issued_on", "known_on"]).take(pa.array(involved))
        named = one_chunk(rows["currency"]).dictionary_encode()
        # Names of the ledger's currencies; a payment may add some of its own.
        self.names: list[str] = named.dictionary.to_pylist()
        currency = named.indices.to_numpy().astype(np.int64)
        known = days_of(rows["known_on"])
        rate = rate_column(rates, self.names, currency, days_of(rows["issued_on"]), known)
        packed = _packed(numbers[involved], known)
        order = np.argsort(packed, kind="stable")
        order = order[rate.is_known[order]]
        self._packed, self._currency, self._rate = packed[order], currency[order], rate.take(order)

    def numbers(self, ids: pa.Array) -> Whole:
        """The number of each invoice; -1 for null and for invoices that were never foreign."""
        found = pc.index_in(ids, value_set=self.foreign_ids)
        numbers: Whole = pc.fill_null(found, _NONE).to_numpy().astype(np.int64)
        return numbers

    def as_known(self, numbers: Whole, known: Whole) -> Whole:
        """The version of each invoice as known on the day; -1 when it was not known, or needs no conversion."""
        return self._of(numbers, np.searchsorted(self._packed, _packed(numbers, known), side="right") - 1)

    def first(self, numbers: Whole) -> Whole:
        """The version of each invoice that was known first; -1 when it needs no conversion."""
        return self._of(numbers, np.searchsorted(self._packed, _packed(numbers, np.full(len(numbers), -_DAYS))))

    def _of(self, numbers: Whole, at: Whole) -> Whole:
        is_there = (at >= 0) & (at < len(self._packed)) & (numbers != _NONE)
        found = np.full(len(numbers), _NONE, np.int64)
        found[is_there] = at[is_there]
        is_there[is_there] = self._packed[at[is_there]] >> _SHIFT == numbers[is_there]
        return np.where(is_there, found, _NONE)

    def currency(self, versions: Whole) -> Whole:
        """The currency of each version by its place in `names`; -1 without a version."""
        return _taken(self._currency, versions)

    def rate(self, versions: Whole) -> RateColumn:
        """The rate of each version; none without a version."""
        return RateColumn(_taken(self._rate.codes, versions), self._rate.rates)


def _packed(numbers: Whole, days: Whole) -> Whole:
    return (numbers << _SHIFT) + days + _DAYS


def _taken(values: Whole, at: Whole) -> Whole:
    """The values at those places, -1 where the place is -1."""
    found = np.full(len(at), _NONE, np.int64)
    found[at >= 0] = values[at[at >= 0]]
    return found


def payments_without_rate(payments: pa.Table, invoices: InvoiceRates) -> Mask:
    """Payments whose currency, or whose invoice's, had no rate on the day of payment where one is needed."""
    mask = np.zeros(payments.num_rows, bool)
    rows = _converted_rows(payments, invoices)
    mask[rows.positions[~rows.has_document | ~rows.rates.is_known]] = True
    return mask


def payments_without_currency(payments: pa.Table, invoices: InvoiceRates) -> Mask:
    """Unallocated payments without a currency, in a ledger with several: which is meant cannot be known."""
    if len(invoices.currencies) <= 1:
        return np.zeros(payments.num_rows, bool)
    unclear = pc.and_(pc.is_null(payments["invoice_id"]), pc.is_null(payments["currency"]))
    mask: Mask = unclear.to_numpy()
    return mask


def settle_payments(payments: pa.Table, invoices: InvoiceRates) -> pa.Table:
    """Canonical payments: `amount_document` and `currency` are the invoice's, `amount` is in the base currency."""
    named = pc.fill_null(one_chunk(payments["currency"]), invoices.base_currency)
    documents = one_chunk(payments["amount"])
    rows = _converted_rows(payments, invoices)
    if not len(rows.positions):
        return _canonical(payments, named, documents, documents)
    document_cents, base_cents = cents_of(documents), cents_of(documents)
    document_cents[rows.positions] = rows.document
    base_cents[rows.positions] = posted(
        rows.document, rows.rates, books=rows.book, payments=rows.payment, days=(rows.known, rows.paid), ids=rows.ids
    )
    touched = np.zeros(payments.num_rows, bool)
    touched[rows.positions] = True
    codes = pa.array(rows.names, pa.string()).take(pa.array(rows.currency))
    return _canonical(
        payments,
        pc.replace_with_mask(named, pa.array(touched), codes),
        money_of(base_cents, documents),
        money_of(document_cents, documents),
    )


def settle_disputes(disputes: pa.Table, invoices: InvoiceRates) -> pa.Table:
    """Canonical disputes: handed in in the invoice's currency, converted at the invoice's rate."""
    documents = one_chunk(disputes["amount"])
    cents = cents_of(documents)
    numbers = invoices.numbers(one_chunk(disputes["invoice_id"]))
    as_known = invoices.as_known(numbers, days_of(disputes["known_on"]))
    last = invoices.as_known(numbers, np.full(len(numbers), _DAYS - 1))
    amounts = money_of(invoices.rate(np.where(as_known == _NONE, last, as_known)).convert(cents), documents)
    at = disputes.column_names.index("amount")
    return disputes.set_column(at, "amount", amounts).append_column("amount_document", documents)


@dataclass(frozen=True)
class _Rows:
    """Payment rows that need a rate, in the order of their positions.

    `document`: cents in the currency of the document (`currency`, a place in `names`), 0 without `has_document`.
    `book` numbers the invoices, an unallocated row has a book of its own; `payment` numbers the payments' `ids`.
    """

    positions: Whole
    document: Whole
    has_document: Mask
    currency: Whole
    names: list[str]
    rates: RateColumn
    book: Whole
    payment: Whole
    ids: pa.Array
    known: Whole
    paid: Whole


def _converted_rows(payments: pa.Table, invoices: InvoiceRates) -> _Rows:
    """Payments of invoices in a foreign currency, in a foreign currency, or unallocated where the ledger has one."""
    positions = np.flatnonzero(_need_rates(payments, invoices))
    rows = payments.take(pa.array(positions))
    ids, bills = one_chunk(rows["payment_id"]), one_chunk(rows["invoice_id"])
    numbers, known, paid = invoices.numbers(bills), days_of(rows["known_on"]), days_of(rows["paid_on"])
    own = one_chunk(rows["currency"]).dictionary_encode()
    names = list(dict.fromkeys([invoices.base_currency, *invoices.names, *own.dictionary.to_pylist()]))
    if invoices.currencies:
        names = list(dict.fromkeys([*names, invoices.currencies[0]]))
    place = {name: at for at, name in enumerate(names)}
    paid_in = _taken(np.array([place[n] for n in own.dictionary.to_pylist()], np.int64), _indices(own))
    version = invoices.as_known(numbers, known)
    told = np.where(version == _NONE, invoices.first(numbers), version)
    wanted = _wanted(invoices, place, bills, told, paid_in)
    crossed = _Crossing(names, paid_in, wanted, (paid, known))
    document, has_document = _documents(invoices.rates, crossed, cents_of(rows["amount"]))
    of_day = rate_column(invoices.rates, names, np.where(version == _NONE, wanted, _NONE), paid, known)
    return _Rows(
        positions,
        document,
        has_document,
        wanted,
        names,
        _either(invoices.rate(version), of_day),
        _books(bills),
        _indices(pc.fill_null(ids, "").dictionary_encode()),
        ids,
        known,
        paid,
    )


def _need_rates(payments: pa.Table, invoices: InvoiceRates) -> Mask:
    bills = one_chunk(payments["invoice_id"])
    chosen: Mask = (invoices.numbers(bills) != _NONE) | is_foreign(payments["currency"], invoices.base_currency)
    if len(invoices.foreign_ids):
        chosen |= bills.is_null().to_numpy(zero_copy_only=False)
    # A row in the base currency waits for its neighbours' sums where one of its invoice's is in another.
    strangers = bills.filter(pa.array(chosen & (invoices.numbers(bills) == _NONE))).drop_null().unique()
    if len(strangers):
        chosen |= pc.is_in(bills, value_set=strangers).to_numpy(zero_copy_only=False)
    return chosen


def _wanted(invoices: InvoiceRates, place: dict[str, int], bills: pa.Array, told: Whole, paid_in: Whole) -> Whole:
    """The currency of the document: the invoice's as known on the day or first known after it (`told`, a version);
    unallocated, the payment's own, or the one the ledger has."""
    of_invoices = np.array([place[name] for name in invoices.names], np.int64)
    of_invoice = _taken(of_invoices, invoices.currency(told))
    base = place[invoices.base_currency]
    alone = place[invoices.currencies[0]] if invoices.currencies else base
    is_open = bills.is_null().to_numpy(zero_copy_only=False)
    unallocated = np.where(paid_in == _NONE, alone, paid_in)
    return np.where(is_open, unallocated, np.where(of_invoice == _NONE, base, of_invoice))


@dataclass(frozen=True)
class _Crossing:
    """Currencies of payment and of document, places in `names`, and the days of payment and of knowledge."""

    names: list[str]
    paid_in: Whole
    wanted: Whole
    days: tuple[Whole, Whole]


def _documents(rates: Rates, crossed: _Crossing, cents: Whole) -> tuple[Whole, Mask]:
    """Payments in the document's currency, crossed at the rates of the day of payment, and whether there were any."""
    document, has_document = cents.copy(), np.ones(len(cents), bool)
    at_all = (crossed.paid_in != _NONE) & (crossed.paid_in != crossed.wanted)
    crossing = np.flatnonzero(at_all)
    days = [day[crossing] for day in crossed.days]
    pair = (crossed.paid_in, crossed.wanted)
    sides = [rate_column(rates, crossed.names, side[crossing], *days) for side in pair]
    for at, first, second in zip(crossing.tolist(), sides[0].codes.tolist(), sides[1].codes.tolist(), strict=True):
        has_document[at] = NO_RATE not in {first, second}
        is_told = has_document[at]
        document[at] = sides[0].rates[first].convert_to(sides[1].rates[second], int(cents[at])) if is_told else 0
    return document, has_document


def _either(first: RateColumn, second: RateColumn) -> RateColumn:
    """The first's rate of each row, or else the second's."""
    shifted = np.where(second.is_known, second.codes + len(first.rates), NO_RATE)
    return RateColumn(np.where(first.is_known, first.codes, shifted), first.rates + second.rates)


def _books(bills: pa.Array) -> Whole:
    numbers = _indices(bills.dictionary_encode())
    alone = np.flatnonzero(numbers == _NONE)
    numbers[alone] = len(numbers) + alone
    return numbers


def _indices(encoded: pa.DictionaryArray) -> Whole:
    """The places of the values in the dictionary; -1 is null."""
    places: Whole = pc.fill_null(encoded.indices, _NONE).to_numpy().astype(np.int64)
    return places


def _canonical(payments: pa.Table, currencies: pa.Array, amounts: pa.Array, documents: pa.Array) -> pa.Table:
    told = payments.set_column(payments.column_names.index("currency"), "currency", currencies)
    told = told.set_column(told.column_names.index("amount"), "amount", amounts)
    return told.append_column("amount_document", documents)
