"""How to write a mapping, as a page of documentation; its example is parsed by a test."""

from __future__ import annotations

EXAMPLE = """\
about: open-item list of the ERP, one line per document
extract_date: 2024-12-31          # optional; else the largest known_on
formats:                          # for all files; a file or a single column may say otherwise
  dates: "%d.%m.%Y"
  decimal_point: ","
  thousands: "."
files:
  items:
    path: OPOS.csv                # a file in the source folder: .csv, .csv.gz or .parquet
    encoding: cp1252
    delimiter: ";"
    null_texts: ["", "-"]
tables:
  customers:
    from: items
    one_row_per: [Debitor]        # the first line of each group makes the row
    columns:
      customer_id: Debitor        # a text is the name of a source column
      name: Name
      customer_since: {earliest: [Buchung]}
      known_on: {earliest: [Buchung]}
  invoices:
    from: items
    where: [{column: Belegart, is_in: [RE, RV]}]
    columns:
      invoice_id: {concatenate: [Firma, Beleg], separator: "/"}
      customer_id: Debitor
      kind: {constant: "invoice"}
      issued_on: {column: Faellig, minus_days: 30}
      due_on: Faellig
      amount: Betrag
      currency: {column: Waehrung, texts: {"Euro": "EUR", "US-Dollar": "USD"}}
      known_on: Buchung
  payments:
    from: items
    where: [{column: Ausgleich, is_not_null: true}]
    columns:
      payment_id: {row_number: true, prefix: "Z-"}
      invoice_id: {concatenate: [Firma, Beleg], separator: "/"}
      customer_id: Debitor
      paid_on: Ausgleich
      amount: Betrag
      known_on: Ausgleich
assumptions:
  - Terms are 30 days, so the day of issue is the due date less 30 days.
  - A payment is known on the day it clears.
"""

GUIDE = f"""# Mappings

A mapping is a YAML file that says how an extract becomes the ledger; `ingest.mapping` names it and `ingest.source`
the folder of its files. Nothing is guessed: a value that does not fit the declared format is told, an unknown key
is refused, and every error is told at once. A file in the folder that has a table's own name (`fx_rates.csv`) and
is not mapped is read as it stands. The mappings in `data/mappings/` are for real extracts.

```yaml
{EXAMPLE}```

**Formats**: `encoding`, `delimiter` (of a file); `dates` (a strptime format), `decimal_point`, `thousands`, `minus`
(`leading` or `trailing`), `null_texts`, `true_texts`, `false_texts` (of a file, or of one column beside `column:`).

**A table** is one part or a list of parts, each with `from`, `where`, `one_row_per`, `columns` and, where a row may
be known before its event, `may_be_known_before_event: true`. A table the source cannot fill is declared: `payments:
{{empty: why}}`.

**Conditions** compare texts: `equals`, `differs`, `is_in`, `not_in`, `is_null: true`, `is_not_null: true`. All must
hold. The rows they leave out are counted in the report.

**Columns** are one of
- the name of a source column, or `column:` with, in this order, `extract` (a pattern with one group), `texts` (a
  translation), formats, `negate: true`, `plus_days` or `minus_days`, `no_earlier_than`, `no_later_than`;
- `constant:` (texts and ids in quotes);
- `concatenate: [columns]` with `separator`; `row_number: true` with `prefix`; `hash_of: [columns]` with `prefix`:
  ids. Lines that look alike can be different documents: then only a row number keeps both;
- `first_of: [...]`: the first that is not null; `earliest: [...]`, `latest: [...]`: over all lines of the group.

**Assumptions** are texts. They are demanded as soon as a column is derived, and stand in `check`, the manifest and
the report. Never derive what was known early from what happened later: an issue date taken from a clearing date
tells the future.
"""


def guide() -> str:
    """The page, in Markdown."""
    return GUIDE
