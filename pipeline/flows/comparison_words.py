"""A comparison of two models as a text for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_VERDICT = {
    "first": "A is better",
    "second": "B is better",
    "same": "the same order",
    "undecided": "the data cannot decide",
    "too_few": "too few to say",
}
_CELLS = {
    "both_accept": "both accept",
    "only_first_accepts": "A accepts, B refuses",
    "only_second_accepts": "A refuses, B accepts",
    "both_refuse": "both refuse",
}
_PARTS = {"segment": "risk segment", "industry": "industry", "size_class": "size class", "data_depth": "data depth"}


def comparison_text(told: Mapping[str, Any]) -> str:
    """Rows, order, level, swap set and parts; each figure with its interval, or why there is none."""
    return "\n".join(_lines(told))


def _lines(told: Mapping[str, Any]) -> Iterator[str]:
    yield f"A  {told['first']['model_version']}"
    yield f"B  {told['second']['model_version']}"
    yield ""
    yield from _rows(told)
    if "gini" not in told:
        yield f"The data cannot decide: {told['why_none'] or 'no row is left that neither model was trained on'}"
        return
    yield ""
    yield from _order(told)
    yield ""
    yield from _level(told)
    yield ""
    yield from _swap(told)
    for name, groups in told["parts"].items():
        yield ""
        yield from _part(_PARTS[name], groups, told["min_bad_customers"])
    yield ""
    yield (
        f"Intervals at {told['confidence']:.0%} by customer group; of many parts one in "
        f"{1 / (1 - told['confidence']):.0f} differs by chance."
    )


def _rows(told: Mapping[str, Any]) -> Iterator[str]:
    rows = told["rows"]
    since = "" if rows["first_as_of"] is None else f", {rows['first_as_of']} and later"
    yield (
        f"Rows neither was trained on: {rows['rows']:,}, of {rows['customers']:,} customer groups{since}; "
        f"{rows['bads']:,} rows of {rows['bad_customers']:,} groups are bad"
    )
    if told.get("thin", {}).get("rows"):
        yield (
            f"PDs are those that would be served. The models rate {_bads_of(told['rated'])}; the cards of the thin pool"
        )
        yield f"rate {_bads_of(told['thin'])}, whose file is too thin; a group may stand in both"
    yield (
        f"left out: {rows['left_out']['customers']:,} rows of customers and {rows['left_out']['dates']:,} of dates "
        "that one of them has seen"
    )


def _order(told: Mapping[str, Any]) -> Iterator[str]:
    has_thin = bool(told["thin"]["rows"])
    if has_thin:
        yield "All rows, as served"
    yield from _gini(told["gini"], told)
    if told["log_loss"] is not None:
        yield f"Log-loss A less B {_interval(told['log_loss'], 4, '+')}   below 0 speaks for A"
    if has_thin:
        yield ""
        yield "The rows that the models rate, of which the gate gini_not_inferior asks"
        yield from _gini(told["gini_rated"], told)


def _gini(gini: Mapping[str, Any], told: Mapping[str, Any]) -> Iterator[str]:
    if gini["difference"] is None:
        yield (
            f"Order: the data cannot decide; {gini['bad_customers']} bad groups where {told['min_bad_customers']} are "
            "needed, and as many good ones"
        )
        return
    yield f"Gini of A         {_interval(gini['gini_first'])}"
    yield f"Gini of B         {_interval(gini['gini_second'])}"
    yield f"A less B          {_interval(gini['difference'], signed='+')}   {_VERDICT[gini['verdict']]}"
    if gini["detectable"] is not None:
        yield (
            f"                  a true difference of {gini['detectable']:.3f} would have been shown with "
            f"{told['power']:.0%} chance, a smaller one rather not"
        )


def _level(told: Mapping[str, Any]) -> Iterator[str]:
    """The level of all rows as served, the slope of those that the models rate; a model set to a long-run rate has its
    level told without the shift of that rate, too, as the gate asks for it."""
    has_thin = bool(told["thin"]["rows"])
    of_rows = {"observed_over_expected": "   all rows, as served", "slope": "   the rows that the models rate"}
    titles = {"observed_over_expected": "Observed/expected", "slope": "Calibration slope"}
    for name, title in titles.items():
        for letter, level in zip("AB", told["calibration"], strict=True):
            yield f"{title} {letter} {_interval(level[name])}{of_rows[name] if has_thin else ''}"
            if name == "observed_over_expected" and level["at_observed_rate"] is not None:
                yield f"{'':<20}{_interval(level['at_observed_rate'])}   without what the long-run rate adds"


def _bads_of(counts: Mapping[str, Any]) -> str:
    return f"{counts['rows']:,} rows of {counts['customers']:,} groups, {counts['bad_customers']:,} of them bad"


def _swap(told: Mapping[str, Any]) -> Iterator[str]:
    swap = told["swap"]
    head = f"Swap set, refused from segment {told['refuse_from']}"
    yield f"{head:<38}{'rows':>8}{'groups':>8}{'bads':>7}  {'default rate':<24}lost a date"
    for name, title in _CELLS.items():
        cell = swap["cells"][name]
        rate = "–" if cell["low"] is None else f"{cell['default_rate']:.1%} ({cell['low']:.1%} to {cell['high']:.1%})"
        loss = "–" if cell["loss"] is None else _money(cell["loss"])
        yield f"  {title:<36}{cell['rows']:>8,}{cell['customers']:>8,}{cell['bads']:>7,}  {rate:<24}{loss}"
    cost = swap["cost"]
    if cost is None:
        yield "  B instead of A: no exposure is known, so that no loss can be told"
        return
    if cost["low"] is None:
        yield (
            f"  B instead of A {cost['value']:+,.0f} a date of exposure × LGD of the bad rows   "
            f"the data cannot decide; {cost['bad_customers']} bad groups moved where {told['min_bad_customers']} are "
            "needed"
        )
        return
    verdict = "B loses more" if cost["low"] > 0 else "B loses less" if cost["high"] < 0 else "the data cannot decide"
    yield (
        f"  B instead of A {cost['value']:+,.0f} a date ({cost['low']:+,.0f} to {cost['high']:+,.0f}) of exposure × "
        f"LGD of the bad rows   {verdict}"
    )


def _money(raw: Mapping[str, Any]) -> str:
    if raw["low"] is None:
        return f"{raw['value']:,.0f} (too few bad groups for an interval)" if raw["value"] else "0"
    return f"{raw['value']:,.0f} ({raw['low']:,.0f} to {raw['high']:,.0f})"


def _part(title: str, groups: Mapping[str, Mapping[str, Any]], needed: int) -> Iterator[str]:
    if len(groups) > 1 and all(group["verdict"] == "too_few" for group in groups.values()):
        most = max(group["bad_customers"] for group in groups.values())
        yield (
            f"By {title}: too few to say in any of the {len(groups)} parts; {most} bad groups at most, or too few good "
            f"ones, where {needed} of each are needed"
        )
        return
    yield f"{'By ' + title:<24}{'rows':>8}{'bad groups':>12}  {'Gini A less B':<28}{'would show':>11}  "
    for name, group in groups.items():
        found = "–" if group["difference"] is None else _interval(group["difference"], signed="+")
        shows = "–" if group["detectable"] is None else f"{group['detectable']:.3f}"
        verdict = _VERDICT[group["verdict"]]
        yield f"  {name[:21]:<22}{group['rows']:>8,}{group['bad_customers']:>12,}  {found:<28}{shows:>11}  {verdict}"


def _interval(raw: Mapping[str, Any] | None, digits: int = 3, signed: str = "") -> str:
    if raw is None or raw["value"] is None:
        return "cannot be told"
    if raw["low"] is None:
        return f"{raw['value']:{signed}.{digits}f} (no interval)"
    return f"{raw['value']:{signed}.{digits}f} ({raw['low']:{signed}.{digits}f} to {raw['high']:{signed}.{digits}f})"
