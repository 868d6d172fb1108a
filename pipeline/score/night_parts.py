"""The parts of a night: of every table the rows of the same customers, with the columns that are looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.errors import ContractError
from pipeline.score.applied import PD, PREVIOUS_PD, PREVIOUS_THIN_PD, THIN_PD, points_columns
from pipeline.score.position_columns import NEEDED
from pipeline.score.ranges import KEY, Ranges

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    import pyarrow as pa

    from pipeline.score.model import Model
    from pipeline.score.policy import Policy
    from pipeline.score.previous import EarlierRun, PreviousFolder
    from pipeline.score.ranges import Rows

ANSWERS = (PD, THIN_PD, PREVIOUS_PD, PREVIOUS_THIN_PD)


@dataclass(frozen=True)
class NightRows:
    """The tables of a night on disk, each in the order of customer_id; see `scored_book.Part` for what they hold.

    `previous` is the run before with its rows, `looked_back` the run that alert rules compare with. What is null is not
    there for anyone.
    """

    positions: Rows
    features: Rows
    positions_before: Rows | None = None
    points_before: Rows | None = None
    previous: PreviousFolder | None = None
    month_before: dt.date | None = None
    features_before: Rows | None = None
    looked_back: EarlierRun | None = None


def rated_parts(rows: NightRows, rows_at_once: int) -> Iterator[dict[str, pa.Table]]:
    """What it takes to rate so many customers at a time: positions, features."""
    return _parts(
        {
            "positions": Ranges("positions", rows.positions, NEEDED),
            "features": _chosen("features", rows.features, {*ANSWERS}),
        },
        rows_at_once,
    )


def scored_parts(rows: NightRows, model: Model, policy: Policy, rows_at_once: int) -> Iterator[dict[str, pa.Table]]:
    """All that is looked at of so many customers at a time: a table for every one that `rows` has."""
    rules, thin = policy.alerts, model.thin_file.features
    read = {*ANSWERS, *model.reads, *points_columns(model), *model.development.get("features", ()), *rules.features}
    tables = {
        "positions": _chosen("positions", rows.positions, {*NEEDED, "as_of", *rules.below("position.")}),
        "features": _chosen("features", rows.features, read),
    }
    if rows.positions_before is not None:
        wanted = {*rules.below("month_before.position.")}
        tables["positions_before"] = _chosen("positions a month before", rows.positions_before, wanted)
    if rows.points_before is not None:
        tables["points_before"] = _chosen(
            "points of the day of the previous run", rows.points_before, {*points_columns(model), *thin}
        )
    if rows.previous is not None:
        tables |= {"previous_book": rows.previous.book(), "previous_alerts": rows.previous.alerts()}
    if rows.features_before is not None:
        wanted = {*rules.features_before}
        tables["features_before"] = _chosen("features a month before", rows.features_before, wanted)
    if rows.looked_back is not None:
        tables["looked_back"] = rows.looked_back.ratings()
    return _parts(tables, rows_at_once)


def _chosen(what: str, rows: Rows, wanted: set[str]) -> Ranges:
    """The customers with those of the columns wanted that there are; whoever reads them tells what it lacks."""
    return Ranges(what, rows, [name for name in rows.schema.names if name == KEY or name in wanted])


def _parts(tables: dict[str, Ranges], rows_at_once: int) -> Iterator[dict[str, pa.Table]]:
    """The positions of so many customers, and the rows of the same customers from the other tables.

    The last of them take all that is left; without any customer there is one part without a position.
    """
    positions = tables.pop("positions")
    found = positions.some(rows_at_once)
    while (following := positions.some(rows_at_once)).num_rows:
        last = found[KEY][-1].as_py()
        if following[KEY][0].as_py() == last:
            raise ContractError(
                f"positions.customer_id: {last!r} has two rows; hand in one row per customer for the day"
            )
        yield {"positions": found, **{name: rows.upto(last) for name, rows in tables.items()}}
        found = following
    yield {"positions": found, **{name: rows.rest() for name, rows in tables.items()}}
