"""The scored book's columns in order, with type, and which status leaves which of them empty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

_MONEY = pa.decimal128(18, 2)
_TEXT, _FLOAT, _INT, _DAY, _BOOL = pa.string(), pa.float64(), pa.int64(), pa.date32(), pa.bool_()
Presence = Literal["value", "null", "any"]


def _field(name: str, kind: pa.DataType) -> pa.Field:
    return pa.field(name.removesuffix("?"), kind, nullable=name.endswith("?"))


BOOK_SCHEMA = pa.schema(
    [
        _field("as_of", _DAY),
        _field("model_version", _TEXT),
        _field("policy_version", _TEXT),
        _field("customer_id", _TEXT),
        _field("name", _TEXT),
        _field("group_id?", _TEXT),
        _field("is_natural_person?", _BOOL),
        _field("rating_status", _TEXT),
        _field("pd?", _FLOAT),
        _field("pd_12m?", _FLOAT),
        _field("score?", _INT),
        _field("grade?", _TEXT),
        _field("segment?", _TEXT),
        _field("data_depth", _TEXT),
        _field("model?", _TEXT),
        _field("open_amount", _MONEY),
        _field("overdue_amount", _MONEY),
        _field("max_days_past_due", _INT),
        _field("utilisation?", _FLOAT),
        _field("ead", _MONEY),
        _field("lgd?", _FLOAT),
        _field("expected_loss?", _MONEY),
        _field("limit_current?", _MONEY),
        _field("limit_suggested?", _MONEY),
        _field("limit_binding_cap?", _TEXT),
        _field("limit_action", _TEXT),
        _field("limit_valid_to?", _DAY),
        _field("approval_tier?", _TEXT),
        _field("terms_days_suggested?", _INT),
        _field("deposit_share_suggested?", _FLOAT),
        *(
            _field(f"reason_{slot}_{part}?", _INT if part == "points" else _TEXT)
            for part in ("code", "points", "en", "zh")
            for slot in range(1, 5)
        ),
        _field("pd_previous?", _FLOAT),
        _field("grade_previous?", _TEXT),
        _field("notches?", _INT),
        _field("change_driver", _TEXT),
        _field("alert_count", _INT),
        _field("alert_severity", _TEXT),
    ]
)

_REASONS = tuple(name for name in BOOK_SCHEMA.names if name.startswith("reason_"))
_FIRST_REASON = ("reason_1_code", "reason_1_en", "reason_1_zh")
_BY_STATUS: Mapping[str, tuple[tuple[str, ...], Presence, Presence, Presence, Presence]] = {
    # columns: rated, thin_file, in_default, not_rated
    "pd": (("pd", "grade", "segment", "lgd", "expected_loss"), "value", "value", "value", "null"),
    "score": (("score", "model"), "value", "value", "null", "null"),
    "first reason": (_FIRST_REASON, "value", "value", "null", "null"),
    "reason": (_REASONS, "any", "any", "null", "null"),
    "limit": (("limit_suggested", "limit_binding_cap"), "value", "value", "value", "null"),
    "validity": (("limit_valid_to",), "value", "value", "null", "null"),
    "offer": (("terms_days_suggested", "deposit_share_suggested"), "value", "value", "value", "null"),
    "approval": (("approval_tier",), "any", "any", "value", "null"),
    "notches": (("notches",), "any", "any", "any", "null"),
}
_STATUSES = ("rated", "thin_file", "in_default", "not_rated")
_FIXED: Mapping[str, Mapping[str, object]] = {
    "in_default": {"pd": 1.0, "grade": "D", "segment": "default", "limit_action": "hold"},
    "not_rated": {"limit_action": "keep"},
}
_VALUES: Mapping[str, tuple[str, ...]] = {
    "rating_status": _STATUSES,
    "segment": ("low", "medium", "high", "default"),
    "data_depth": ("A", "B", "C", "D"),
    "model": ("scorecard", "booster", "thin_file", "expert"),
    "limit_action": ("keep", "raise", "cut", "hold", "refer"),
    "change_driver": ("data", "model", "policy", "none", "new"),
    "alert_severity": ("none", "watch", "act", "stop"),
}


def breaches_of(book: pa.Table) -> list[str]:
    """Everything in which a book is not what its description says: columns, order, nulls by status, allowed values."""
    if book.schema.names != BOOK_SCHEMA.names:
        return [f"columns are not those of the scored book in order: {', '.join(book.schema.names)}"]
    found = [
        f"{field.name}: {field.type} where {BOOK_SCHEMA.field(field.name).type} is due"
        for field in book.schema
        if field.type != BOOK_SCHEMA.field(field.name).type
    ]
    if found:
        return found
    found += [
        f"{field.name}: {book[field.name].null_count} of {book.num_rows} values are null"
        for field in BOOK_SCHEMA
        if not field.nullable and book[field.name].null_count
    ]
    customers = book["customer_id"].combine_chunks()
    if pc.any(pc.less_equal(customers.slice(1), customers.slice(0, max(len(customers) - 1, 0)))).as_py():
        found.append("customer_id: rows are not in order, or one stands twice")
    return [*found, *_unknown_values(book), *_status_breaches(book), *_number_breaches(book)]


def _unknown_values(book: pa.Table) -> list[str]:
    found = []
    for name, allowed in _VALUES.items():
        strange = sorted(set(pc.unique(book[name]).to_pylist()) - {*allowed, None})
        if strange:
            found.append(f"{name}: {strange[0]!r} is none of {', '.join(allowed)}")
    return found


def _status_breaches(book: pa.Table) -> list[str]:
    found = []
    place = pc.fill_null(pc.index_in(book["rating_status"], value_set=pa.array(_STATUSES)), len(_STATUSES)).to_numpy()
    count = np.bincount(place, minlength=len(_STATUSES) + 1)
    nulls = {name: _nulls(book[name], place) for columns, *_ in _BY_STATUS.values() for name in columns}
    for position, status in enumerate(_STATUSES):
        rows = count[position]
        for columns, *presences in _BY_STATUS.values():
            wanted = presences[position]
            for name in columns:
                null = nulls[name][position]
                wrong = null if wanted == "value" else rows - null if wanted == "null" else 0
                if wrong:
                    told = "null" if wanted == "value" else "not null"
                    found.append(f"{name}: {wrong} of {rows} rows that are {status} are {told}")
        fixed = _FIXED.get(status, {})
        told_alike = book.select(list(fixed)).filter(pa.array(place == position)) if fixed else book
        for name, value in fixed.items():
            wrong = rows - (pc.sum(pc.equal(told_alike[name], value)).as_py() or 0)
            if wrong:
                found.append(f"{name}: {wrong} of {rows} rows that are {status} are not {value!r}")
    return found


def _nulls(column: pa.ChunkedArray, place: npt.NDArray[np.int32]) -> npt.NDArray[np.intp]:
    """Nulls of a column among the rows of each place."""
    if not column.null_count:
        return np.zeros(len(_STATUSES) + 1, dtype=np.intp)
    return np.bincount(place[column.is_null().to_numpy()], minlength=len(_STATUSES) + 1)


def _number_breaches(book: pa.Table) -> list[str]:
    found = []
    for name, least, most in (("pd", 0.0, 1.0), ("pd_12m", 0.0, 1.0), ("lgd", 0.0, 1.0), ("utilisation", None, None)):
        values = book[name].drop_null().to_numpy()
        wrong = ~np.isfinite(values)
        if least is not None:
            wrong |= (values < least) | (values > most)
        if wrong.any():
            found.append(f"{name}: {int(wrong.sum())} values lie outside their range, e.g. {values[wrong][0]!r}")
    return found
