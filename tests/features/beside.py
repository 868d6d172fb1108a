"""Many books beside each other in one ledger, each with customers, groups, industries and keys of its own.

Compiling the catalogue costs seconds and a row nothing, so every variant of a book that a law compares stands in one
ledger, as a firm of its own. Series such as `macro:pmi` are the same for all and are told by the first book.
"""

import string

_IDS = ("customer_id", "invoice_id", "payment_id", "order_id", "dispute_id", "contract_id", "obligation_id", "cover_id",
        "event_id", "override_id", "group_id")  # fmt: skip
_MARKS = ("tax_id", "bank_account", "phone", "address")


class Beside:
    """Variants by name; no two of them share an industry section, nor one of those `spared` for other books.

    A code keeps its digits and takes another letter. Who has no letter in its industries needs none.
    """

    def __init__(self, variants, spared=()):
        free = iter(letter for letter in string.ascii_uppercase if letter not in spared)
        self.variants = variants
        self._letters = {n: {old: next(free) for old in sorted(_letters(b))} for n, b in variants.items()}
        self._numbers = {name: f" {place:03d}" for place, name in enumerate(variants)}
        self._first = next(iter(variants))

    def book(self):
        """One book of all variants."""
        whole = self.variants[self._first].copy()
        for table in whole:
            told = [self._renamed(name, row) for name, book in self.variants.items() for row in book[table]]
            whole[table] = [row for row in told if row is not None]
        return whole

    def named(self, name, customer):
        return f"{name}/{customer}"

    def of(self, name, rows):
        """The variant's rows as if it had been alone: its customers and industries by their own names."""
        back = {new: old for old, new in self._letters[name].items()}
        found = []
        for row in rows:
            owner, _, customer = row["customer_id"].partition("/")
            if owner == name:
                section = row["industry_section"]
                found.append(row | {"customer_id": customer, "industry_section": back.get(section, section)})
        return found

    def _renamed(self, name, row):
        """The row under its variant's names; null for what the first book tells for all."""
        series = row.get("series") or ""
        is_of_industry = series.startswith("industry:") and series[9] in self._letters[name]
        if ("rate_on" in row or series) and name != self._first and not is_of_industry:
            return None
        told = dict(row) | _apart(row, f"{name}/", self._numbers[name])
        if told.get("industry"):
            told["industry"] = self._code(name, told["industry"])
        if is_of_industry:
            told["series"] = f"industry:{self._code(name, series.removeprefix('industry:'))}"
        return told

    def _code(self, name, code):
        return self._letters[name].get(code[0], code[0]) + code[1:]


def in_one(books):
    """Books of which no law compares two: they may share industries. Every tenth brings its indicators."""
    whole = books[0].copy()
    for table in whole:
        whole[table] = [
            row | _apart(row, f"{place:03d}-", f" 9{place:03d}")
            for place, book in enumerate(books)
            for row in book[table]
            if ("rate_on" not in row or not place) and ("series" not in row or place % 10 == 7)
        ]
    keys = {"indicators": ("series", "period_on", "known_on")}
    for table, key in keys.items():
        whole[table] = list({tuple(row[name] for name in key): row for row in whole[table]}.values())
    return whole


def _apart(row, prefix, number):
    """Keys and names that no other book has; what is written in two ways stays the same in both."""
    marks = {name: f"{row[name]}{number}" for name in _MARKS if row.get(name)}
    return marks | {name: f"{prefix}{row[name]}" for name in _IDS if row.get(name) is not None}


def _letters(book):
    codes = [row["industry"].strip()[:1] for row in book["customers"] if row["industry"]]
    return {code for code in codes if code in string.ascii_uppercase and code}
