"""The rows of a night in files, one per table and day, each with every customer known on the day once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.errors import CreditbookError
from pipeline.history.point_in_time import customers_known
from pipeline.history.snapshots import snapshots_on
from pipeline.score.conservation import require_every_row_once
from pipeline.score.ranges import ParquetRows

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from pathlib import Path

    import ibis.expr.types as ir

    from pipeline.engine import Engine
    from pipeline.tables.canonical import Ledger


@dataclass(frozen=True)
class KnownRows:
    """Whoever is known on a day, and where the rows told of them go."""

    engine: Engine
    customers: ir.Table
    listed: ParquetRows
    folder: Path

    @classmethod
    def of(cls, engine: Engine, ledger: Ledger, as_of: dt.date, folder: Path) -> KnownRows:
        """The customers known on the day; files go to `folder`."""
        customers = engine.keep(customers_known(ledger, as_of), "customers_known")
        path = folder / "customers.parquet"
        engine.write(customers, path, order_by=["customer_id"])
        return cls(engine, customers, ParquetRows(path), folder)

    def on(self, dates: Sequence[dt.date]) -> ir.Table:
        """Every customer on each of the dates, with window starts."""
        return self.engine.keep(snapshots_on(self.customers, dates), "days")

    def require_no_other_day(self, what: str, rows: ir.Table, dates: Sequence[dt.date]) -> None:
        """Raises CreditbookError (70) when there are rows of a day that was not asked for."""
        others = rows.filter(~rows.as_of.isin(list(dates)))
        count = self.engine.collect(others.aggregate(rows=others.count()), order_by=["rows"])["rows"][0].as_py()
        if count:
            raise CreditbookError(
                f"internal error: {what}: {count:,} rows came back of days that were not asked for; nothing was "
                "published, run the day again"
            )

    def written(self, what: str, rows: ir.Table, day: dt.date) -> ParquetRows:
        """The rows of one day in the order of customer_id, in a file. Raises CreditbookError (70) when a customer is
        missing, there more than once, or none of those known."""
        file = ParquetRows(self.folder / f"{what}_{day}.parquet")
        self.engine.write(rows.filter(rows.as_of == day), file.path, order_by=["customer_id"])
        require_every_row_once(what, day, self.listed, file)
        return file
