"""The columns other systems read: a change of one is a change of a promise."""

from pipeline.score import columns


def test_golden_columns_of_a_published_run(golden):
    schemas = {name: getattr(columns, name) for name in sorted(vars(columns)) if name.endswith("_SCHEMA")}
    assert len(schemas) == 4
    told = [f"{title}\n" + "\n".join(f"  {f.name}: {f.type}" for f in schema) for title, schema in schemas.items()]
    golden("score/golden/columns.txt", "\n".join(told) + "\n")
