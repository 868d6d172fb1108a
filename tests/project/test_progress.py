"""Long computations say how far they are, short ones say nothing."""

import pyarrow as pa

from pipeline.engine import connect_duckdb
from pipeline.flows import progress
from pipeline.flows.progress import Progress, steps_of


def computed(engine):
    rows = engine.register("rows", pa.table({"n": [1, 2, 3]}))

    def compute(keep):
        doubled = keep(rows.mutate(n=rows.n * 2), "doubled")
        return keep(doubled.aggregate(total=doubled.n.sum()), "total")

    return compute


def test_the_steps_are_counted_without_computing_anything(tmp_path):
    engine = connect_duckdb(1, "200MB", tmp_path)
    assert steps_of(computed(engine)) == 2
    told = engine.backend.raw_sql("SELECT table_name FROM information_schema.tables").fetchall()
    assert [name for (name,) in told if "doubled" in name or "total" in name] == []
    engine.close()


def test_a_line_tells_steps_done_of_all_and_a_quick_run_tells_nothing(tmp_path, capsys, monkeypatch):
    engine = connect_duckdb(1, "200MB", tmp_path)
    compute = computed(engine)
    assert compute(Progress("label", engine.keep, compute).keep).to_pyarrow()["total"].to_pylist() == [12]
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(progress, "_SECONDS_BETWEEN", 0.0)
    compute(Progress("label", engine.keep, compute).keep).to_pyarrow()
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(" steps")[0] for line in lines] == ["label: 1 of 2", "label: 2 of 2"]
    assert lines[1].endswith("(total)")
    engine.close()
