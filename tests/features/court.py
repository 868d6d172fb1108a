"""The ledger that the laws are judged on: what each law makes of one random book, hand-made history, small ledgers.

All of them stand beside each other, so that one build of the catalogue per engine serves every law.
"""

import datetime as dt
from types import SimpleNamespace

from pipeline.features.catalog import FEATURES

DAY = dt.date(2023, 9, 30)
PANEL = (dt.date(2023, 6, 30), DAY, dt.date(2024, 2, 29))
AS_IT_IS = "as it is"
SOURCES = sorted({table for feature in FEATURES for table in feature.source})
OF_INDUSTRIES = ("customers", "indicators")


def changed_books(book, variants):
    """What the laws make of the book, by name."""
    nameless = book.copy()
    for row in nameless["customers"]:
        row["industry"] = None
    return {
        AS_IT_IS: book,
        "told later": variants.told_later(book, DAY),
        "announced": variants.announced(book, DAY),
        "four years on": variants.shifted(book),
        "times ten": variants.scaled(book, 10),
        "paid in two": variants.with_split_payments(book),
        "one more open": variants.with_one_more_invoice(book, DAY),
        "one more paid late": variants.with_one_more_invoice(book, DAY, paid_late=90),
        # Sections are few, so who is not asked about industries has none.
        **{f"odd {t}": variants.with_odd(book if t in OF_INDUSTRIES else nameless, t) for t in SOURCES},
    }


def plea(book, histories, small, variants, beside):
    """`whole`: the book of all; `pairs`: who is asked for on which days; `both` tells the variants apart.

    `histories` and `small` are pairs: the books and the days on which they are looked at.
    """
    told, days_of_histories = histories
    both = beside(changed_books(book, variants) | told, spared=("C", "G"))
    whole = both.book()
    # What is told of the whole economy moves with the variant of four years on, which alone looks that far.
    whole["indicators"] += [row for row in variants.shifted(book)["indicators"] if _is_macro(row)]
    firms, days_of_firms = small
    for table, rows in firms.items():
        whole[table] += [row for row in rows if not _is_macro(row)]
    pairs = [(day, customer) for day in days_of_firms for customer in customers_of(firms)]
    for name, variant in both.variants.items():
        days = days_of_histories if name in told else [DAY]
        days = [DAY + variants.FOUR_YEARS] if name == "four years on" else days
        days = PANEL if name == AS_IT_IS else days
        pairs += [(day, both.named(name, customer)) for day in days for customer in customers_of(variant)]
    return SimpleNamespace(whole=whole, pairs=pairs, both=both)


def customers_of(book):
    return sorted({row["customer_id"] for row in book["customers"]})


def _is_macro(row):
    return (row.get("series") or "").startswith("macro:")
