"""What came out, for someone who waits at a terminal."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipeline.datasets import read_json
from pipeline.flows.no_ledger import NO_LEDGER
from pipeline.flows.role_history import ROLES, record_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline.flows.setting import Setting


def summary(setting: Setting) -> str:
    """Gini of both models, with intervals where enough turned bad; the book by grade, money at risk, the files."""
    project = setting.project
    metrics = read_json(project.validation / "metrics.json", made_by="validate")
    receipt = read_json(project.receipt, made_by="score")
    if receipt.get("status") == NO_LEDGER:
        return _of_table(setting, metrics, receipt)
    out = project.root / receipt["out"]
    lines = [
        "Models, on other customers at later dates",
        *_models(setting, metrics),
        *_in_force(setting),
        "",
        f"The book on {receipt['as_of']}",
        *_grades(receipt["counts"]),
        *_money(receipt["totals"]),
        "",
        f"report  {project.report}",
        f"scores  {out / 'latest'}",
    ]
    return "\n".join(lines)


def _of_table(setting: Setting, metrics: Mapping[str, float], receipt: Mapping[str, Any]) -> str:
    """A table has models and a report; why there is no book of a day is told in its place."""
    project = setting.project
    told = read_json(project.validation / "validation.json", made_by="validate")
    is_undated = told["timetable"]["purge"] == "undated"
    lines = [
        f"Models, on other customers {'(the rows have no dates)' if is_undated else 'at later dates'}",
        *_models(setting, metrics),
        *_in_force(setting),
        "",
        f"No book: {receipt['why']}",
        "",
        f"report  {project.report}",
        f"models  {project.models}",
    ]
    return "\n".join(lines)


def _in_force(setting: Setting) -> Iterator[str]:
    """Who holds each role; the figures above are of the last fit, which is a candidate until it is promoted."""
    records = {role: record_of(setting.project.models, role) for role in ROLES}
    held = [f"{role} {record['model_version']}" for role, record in records.items() if record]
    yield f"  in force   {', '.join(held) or 'nobody'}"


def _models(setting: Setting, metrics: Mapping[str, float]) -> Iterator[str]:
    """What the last fit measured of each model; the champion's place is the candidate's until it is promoted."""
    fitted = read_json(setting.project.validation / "validation.json", made_by="validate")["models"]
    for role in ROLES:
        if _is_told(metrics, role):
            record = record_of(setting.project.models, role) or {}
            is_candidate = role == "champion" and record.get("model_version") != fitted[role]["version"]
            yield model_line(metrics, role, "candidate" if is_candidate else role)


def _is_told(metrics: Mapping[str, float], role: str) -> bool:
    """An expert card may stand without a challenger."""
    return any(name.startswith(f"{role}.") for name in metrics)


def model_line(metrics: Mapping[str, float], role: str, title: str) -> str:
    """Gini and level of a role on the test set; an interval where validation told one, else that too few turned bad."""
    gini = metrics.get(f"{role}.test.gini")
    if gini is None:
        return f"  {title:<11}Gini cannot be told: the test set holds no bad or no good customer"
    low, high = (metrics.get(f"{role}.test.gini_{end}") for end in ("low", "high"))
    bads = int(metrics[f"{role}.test.bad_customers"])
    counted = f"{bads} bad customer{'' if bads == 1 else 's'}"
    rate = metrics.get(f"{role}.test.observed_over_expected")
    level = "" if rate is None else f", observed / expected defaults {rate:.2f}"
    if low is None or high is None:
        return f"  {title:<11}Gini {gini:.2f}{level}: too few bad customers to tell ({counted})"
    return f"  {title:<11}Gini {gini:.2f} ({low:.2f} to {high:.2f}; {counted}){level}"


def _grades(counts: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    grades = {grade: n for grade, n in counts["by_grade"].items() if grade != "none"}
    most = max(grades.values(), default=1)
    for grade, n in grades.items():
        yield f"  {grade:<5}{n:>7,}  {'#' * round(40 * n / most)}"
    unrated = counts["by_grade"].get("none", 0)
    if unrated:
        yield f"  {unrated:,} customers are not in the book of that day and have no grade"


def _money(totals: Mapping[str, Any]) -> Iterator[str]:
    titles = {
        "open_amount": "open",
        "overdue_amount": "overdue",
        "ead": "exposure at default",
        "expected_loss": "expected loss",
    }
    for name, title in titles.items():
        yield f"  {title:<20}{Decimal(totals[name]):>18,.2f}"
