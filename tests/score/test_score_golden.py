"""The columns other systems read: a change of one is a change of a promise."""

from pipeline.score.alerts import ALERT_SCHEMA
from pipeline.score.change import CHANGES_SCHEMA
from pipeline.score.columns import BOOK_SCHEMA
from pipeline.score.limit_trace import TRACE_SCHEMA

FILES = {"scored_book": BOOK_SCHEMA, "alerts": ALERT_SCHEMA, "limit_trace": TRACE_SCHEMA, "changes": CHANGES_SCHEMA}


def test_golden_columns_of_a_published_run(golden):
    told = [f"{name}\n" + "\n".join(f"  {f.name}: {f.type}" for f in schema) for name, schema in FILES.items()]
    golden("score/golden/columns.txt", "\n".join(told) + "\n")
