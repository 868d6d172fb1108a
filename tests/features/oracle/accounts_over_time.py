"""Accounts against those of the year before, debt and what it costs, and an O-score after Ohlson."""

from decimal import ROUND_HALF_UP, Decimal

from .arithmetic import less, share

_FLOWS = ("revenue", "cost_of_sales", "ebit", "interest_expense", "net_income", "operating_cash_flow")
_NAMES = ("interest_rate_paid", "current_liability_share")
_CHANGES = ("asset_growth", "debt_change", "cash_change", "receivable_days_change", "gross_margin_change",
            "loss_year_count", "ohlson_o_without_size")  # fmt: skip


def accounts_over_time(view, customer):
    rows = [_of_year(r) for r in view.recent("financials", customer, 36, "period_end")]
    if not rows:
        return dict.fromkeys((*_NAMES, *_CHANGES))
    last = max(rows, key=lambda r: r["period_end"])
    near = [r for r in rows if 350 <= (last["period_end"] - r["period_end"]).days <= 380]
    near = [r for r in near if r["period_months"] == last["period_months"]]
    before = max(near, key=lambda r: r["period_end"], default=None)
    found = {
        "interest_rate_paid": share(last["interest_expense"], _debt(last)),
        "current_liability_share": share(last["current_liabilities"], last["total_liabilities"]),
    }
    return found | (_changes(last, before) if before else dict.fromkeys(_CHANGES))


def _of_year(row):
    lines = dict(row)
    for name in _FLOWS:
        if row[name] is not None and row["period_months"] not in (None, 0, 12):
            lines[name] = (row[name] * 12 / row["period_months"]).quantize(Decimal("0.01"), ROUND_HALF_UP)
        elif not row["period_months"]:
            lines[name] = None
    return lines


def _debt(row):
    short, long = row["short_term_debt"], row["long_term_debt"]
    return None if short is None or long is None else short + long


def _days(part, flow):
    return share(None if part is None else part * 365, flow)


def _changes(last, before):
    margins = [share(less(r["revenue"], r["cost_of_sales"]), r["revenue"]) for r in (last, before)]
    days = [_days(r["receivables"], r["revenue"]) for r in (last, before)]
    incomes = [r["net_income"] for r in (last, before)]
    return {
        "asset_growth": share(less(last["total_assets"], before["total_assets"]), before["total_assets"]),
        "debt_change": share(less(_debt(last), _debt(before)), before["total_assets"]),
        "cash_change": share(less(last["cash"], before["cash"]), before["total_assets"]),
        "receivable_days_change": less(*days),
        "gross_margin_change": less(*margins),
        "loss_year_count": None if None in incomes else sum(income < 0 for income in incomes),
        "ohlson_o_without_size": _ohlson(last, *incomes),
    }


def _ohlson(last, now, before):
    """Ohlson 1980, model 1: O = −1.32 [− 0.407 size] + 6.03 TL/TA − 1.43 WC/TA + 0.0757 CL/CA − 1.72 [TL > TA]
    − 2.37 NI/TA − 1.83 FU/TL + 0.285 [two losses] − 0.521 (NI − NI before) / (|NI| + |NI before|)."""
    assets, owed = last["total_assets"], last["total_liabilities"]
    if None in (assets, owed, now, before):
        return None
    ratios = (
        share(owed, assets),
        share(less(last["current_assets"], last["current_liabilities"]), assets),
        share(last["current_liabilities"], last["current_assets"]),
        share(now, assets),
        share(last["operating_cash_flow"], owed),
        share(now - before, abs(now) + abs(before)),
    )
    if None in ratios:
        return None
    weights = (6.03, -1.43, 0.0757, -2.37, -1.83, -0.521)
    score = -1.32 + sum(weight * ratio for weight, ratio in zip(weights, ratios, strict=True))
    return score - 1.72 * (owed > assets) + 0.285 * (now < 0 and before < 0)
