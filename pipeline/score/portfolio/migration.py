"""Where the grades of the run before stand now."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from pipeline.score.portfolio.amounts import share

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

NO_GRADE = "none"


def migration(book: pd.DataFrame, before: pd.DataFrame, grades: Sequence[str]) -> dict[str, Any]:
    """Customers by grade then and now, with shares of who rose, stayed, fell and defaulted.

    `grades` from best to worst, the default grade last. Both runs need customer_id and grade (null: not rated; counted
    as `none`). Who stands in one run only is counted apart. Shares are of the customers graded in both, in default in
    neither run; `to_default` of those not in default before.
    """
    both = before[["customer_id", "grade"]].merge(
        book[["customer_id", "grade"]], on="customer_id", suffixes=("_was", "_is")
    )
    was, now = both["grade_was"].fillna(NO_GRADE), both["grade_is"].fillna(NO_GRADE)
    names = [*grades, NO_GRADE]
    counts = Counter(zip(was.astype(str), now.astype(str), strict=True))
    default = grades[-1]
    place = {name: at for at, name in enumerate(grades[:-1])}
    moved = {(a, b): n for (a, b), n in counts.items() if a in place and b in place}
    graded = sum(moved.values())
    alive = sum(n for (a, _), n in counts.items() if a in place)
    defaulted = sum(n for (a, b), n in counts.items() if a in place and b == default)
    cured = sum(n for (a, b), n in counts.items() if a == default and b in place)
    up = sum(n for (a, b), n in moved.items() if place[b] < place[a])
    down = sum(n for (a, b), n in moved.items() if place[b] > place[a])
    return {
        "grades": names,
        "counts": [[counts.get((a, b), 0) for b in names] for a in names],
        "both": len(both),
        "graded": graded,
        "up": up,
        "down": down,
        "stayed": graded - up - down,
        "up_share": share(up, graded),
        "down_share": share(down, graded),
        "two_or_more": sum(n for (a, b), n in moved.items() if abs(place[a] - place[b]) > 1),
        "to_default": defaulted,
        "to_default_share": share(defaulted, alive),
        "cured": cured,
        "new": len(book) - len(both),
        "gone": len(before) - len(both),
    }
