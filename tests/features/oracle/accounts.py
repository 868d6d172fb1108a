"""What the latest published accounts say."""

from decimal import ROUND_HALF_UP, Decimal

from .arithmetic import in_months, less, share, total

_FLOWS = ("revenue", "cost_of_sales", "ebit", "interest_expense", "net_income", "operating_cash_flow")


class _Lines(dict):
    """Lines of one set of accounts; what is missing makes every sum it enters missing."""

    def plus(self, *names):
        values = [self[name] for name in names]
        return None if None in values else sum(values)

    def minus(self, name, other):
        return None if self[name] is None or self[other] is None else self[name] - self[other]


def accounts(view, customer):
    """Flows are brought to a year; a ratio is null where a line is missing or the whole is not above 0."""
    rows = [_yearly(r) for r in view.recent("financials", customer, 36, "period_end")]
    if not rows:
        return dict.fromkeys(_ratios(_Lines(dict.fromkeys((*_STOCKS, *_FLOWS))), None, None) | _CHANGES | _QUALITY)
    last = max(rows, key=lambda r: r["period_end"])
    owed, billed = total(view.owed(customer), "open"), total(view.recent("invoices", customer, 12, "issued_on"))
    return _ratios(last, owed, billed) | _changes(last, rows) | _quality(last, view.day)


_STOCKS = ("total_assets", "current_assets", "cash", "inventory", "receivables", "total_liabilities", "equity",
           "current_liabilities", "short_term_debt", "long_term_debt", "retained_earnings")  # fmt: skip
_CHANGES = dict.fromkeys(("revenue_growth", "equity_change", "net_margin_change"))
_QUALITY = dict.fromkeys(("accounts_age_months", "publication_delay_months", "is_audited", "total_assets"))


def _yearly(row):
    lines = _Lines(row)
    for name in _FLOWS:
        if row[name] is None or not row["period_months"]:
            lines[name] = None
        elif row["period_months"] != 12:
            lines[name] = (row[name] * 12 / row["period_months"]).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return lines


def _ratios(last, owed, billed):
    assets, debts, duties = last["total_assets"], last["current_liabilities"], last["total_liabilities"]
    x1 = share(last.minus("current_assets", "current_liabilities"), assets)
    x2, x3, x4 = share(last["retained_earnings"], assets), share(last["ebit"], assets), share(last["equity"], duties)
    days = {name: None if last[name] is None else last[name] * 365 for name in ("receivables", "inventory")}
    altman = None if None in (x1, x2, x3, x4) else 6.56 * x1 + 3.26 * x2 + 6.72 * x3 + 1.05 * x4
    debt = last.plus("short_term_debt", "long_term_debt")
    return {
        "current_ratio": share(last["current_assets"], debts),
        "quick_ratio": share(last.minus("current_assets", "inventory"), debts),
        "cash_ratio": share(last["cash"], debts),
        "working_capital_to_assets": x1,
        "equity_ratio": share(last["equity"], assets),
        "debt_to_assets": share(debt, assets),
        "short_term_debt_share": share(last["short_term_debt"], debt),
        "retained_earnings_to_assets": x2,
        "open_to_equity": share(owed, last["equity"]),
        "interest_coverage": share(last["ebit"], last["interest_expense"]),
        "cash_flow_to_liabilities": share(last["operating_cash_flow"], duties),
        "cash_quality": share(last.minus("operating_cash_flow", "net_income"), assets),
        "return_on_assets": share(last["net_income"], assets),
        "ebit_to_assets": x3,
        "net_margin": share(last["net_income"], last["revenue"]),
        "gross_margin": share(last.minus("revenue", "cost_of_sales"), last["revenue"]),
        "asset_turnover": share(last["revenue"], assets),
        "receivable_days": share(days["receivables"], last["revenue"]),
        "inventory_days": share(days["inventory"], last["cost_of_sales"]),
        "billing_to_cost_of_sales": share(billed, last["cost_of_sales"]),
        "altman_z_double_prime": altman,
    }


def _changes(last, rows):
    """Against the accounts that end 350 to 380 days earlier and cover as many months."""
    like = [r for r in rows if r["period_months"] == last["period_months"]]
    near = [r for r in like if 350 <= (last["period_end"] - r["period_end"]).days <= 380]
    if not near:
        return _CHANGES
    before = max(near, key=lambda r: r["period_end"])
    margins = [share(r["net_income"], r["revenue"]) for r in (last, before)]
    return {
        "revenue_growth": share(less(last["revenue"], before["revenue"]), before["revenue"]),
        "equity_change": share(less(last["equity"], before["equity"]), before["total_assets"]),
        "net_margin_change": less(*margins),
    }


def _quality(last, day):
    return {
        "accounts_age_months": in_months((day - last["period_end"]).days),
        "publication_delay_months": in_months((last["known_on"] - last["period_end"]).days),
        "is_audited": None if last["audited"] is None else int(last["audited"]),
        "total_assets": last["total_assets"],
    }
