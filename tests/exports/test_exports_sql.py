"""The card inside DuckDB, PostgreSQL and Spark: the same points bit for bit, the PD to 1e-12."""

from __future__ import annotations

import math
from dataclasses import replace

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from pipeline.errors import ParameterError
from pipeline.score.exports.sql import sql_statement, sql_text


def numbered(rows):
    """As a table, the count as whole numbers where it can be: a database has such columns too."""
    return pa.Table.from_pandas(rows.assign(row_number=range(len(rows))), preserve_index=False)


def check(model, rows, found, must_equal):
    """`found` maps columns to values in the order of the rows."""
    must_equal(model, rows, found["card_points"], found["card_pd"], found["card_score"])
    points = model.predictor.points_by_characteristic(rows)
    for c in model.predictor.characteristics:
        assert np.array_equal(np.asarray(found[f"card_points_{c.feature}"], dtype=float), points[c.feature])
        difference = points[c.feature].to_numpy() - c.mean_points
        assert np.array_equal(np.asarray(found[f"card_difference_{c.feature}"], dtype=float), difference)


def test_duckdb_scores_as_the_card_does(model, exported, rows, must_equal):
    connection = duckdb.connect()
    connection.register("my table", numbered(rows))
    found = connection.execute(sql_text(exported, "duckdb", "my table")).to_arrow_table().sort_by("row_number")
    check(model, rows, found.to_pydict(), must_equal)


@pytest.fixture(scope="module")
def postgres(rows, postgres_server):
    """A connection to a server that holds the rows."""
    import psycopg

    kinds = {name: "text" if name == "industry" else "double precision" for name in rows.columns}
    columns = ", ".join(f'"{name}" {kind}' for name, kind in kinds.items())
    with psycopg.connect(host=str(postgres_server), user="judge", dbname="postgres") as connection:
        connection.execute(f"CREATE TABLE features (row_number bigint, {columns})")
        with connection.cursor().copy("COPY features FROM STDIN") as copied:
            for i, row in enumerate(rows.astype(object).where(rows.notna(), None).itertuples(index=False)):
                copied.write_row((i, *row))
        yield connection


def answers(connection, statement):
    """Columns by name, as tuples."""
    told = connection.execute(statement)
    names = [column.name for column in told.description]
    return dict(zip(names, zip(*told.fetchall(), strict=True), strict=True))


def test_postgres_scores_as_the_card_does(model, exported, rows, must_equal, postgres):
    statement = sql_text(exported, "postgres").strip().removesuffix(";")
    check(model, rows, answers(postgres, f"SELECT * FROM ({statement}) AS f ORDER BY row_number"), must_equal)


def test_postgres_takes_numbers_of_other_types_and_nan_and_tells_infinity_by_null(model, postgres):
    held = """'{}'::real AS days_late, 'NaN'::numeric AS "overdue share", 'C'::varchar AS industry,
        2::smallint AS orders_count, NULL::bigint AS debt"""
    finite = sql_statement(model.predictor, model.calibration, "postgres", "few")
    postgres.execute(f"CREATE TEMP TABLE few AS SELECT {held.format('3')}")
    found = answers(postgres, finite)
    missing = next(b.points for b in model.predictor.characteristics[1].bins if b.kind == "missing")
    assert found["card_points_overdue share"] == (missing,)
    assert found["card_pd"][0] > 0
    postgres.execute(f"DROP TABLE few; CREATE TEMP TABLE few AS SELECT {held.format('-Infinity')}")
    found = answers(postgres, finite)
    postgres.execute("DROP TABLE few")
    assert [found[name] for name in ("card_points", "card_pd", "card_score")] == [(None,)] * 3


@pytest.mark.slow
@pytest.mark.xdist_group("spark")
def test_spark_scores_as_the_card_does(model, exported, rows, must_equal, spark_engine):
    kept = spark_engine.register("rows", numbered(rows))
    statement = sql_text(exported, "spark", kept.get_name())
    told = spark_engine.session.sql(statement).orderBy("row_number").collect()
    found = {name: [row[name] for row in told] for name in told[0].asDict()}
    check(model, rows, found, must_equal)


@pytest.mark.slow
@pytest.mark.xdist_group("spark")
def test_spark_takes_nan_as_missing_and_tells_infinity_by_null(model, spark_engine):
    few = pa.table(
        {
            "days_late": [math.nan, math.inf],
            "overdue share": [0.1, 0.1],
            "industry": ["C", "C"],
            "orders_count": [2, 2],
            "debt": pa.array([None, None], pa.float64()),
            "row_number": [0, 1],
        }
    )
    name = spark_engine.register("few", few).get_name()
    statement = sql_statement(model.predictor, model.calibration, "spark", name)
    told = spark_engine.session.sql(statement).orderBy("row_number").collect()
    missing = next(b.points for b in model.predictor.characteristics[0].bins if b.kind == "missing")
    assert told[0]["card_points_days_late"] == missing
    assert [told[1][column] for column in ("card_points", "card_pd", "card_score")] == [None, None, None]


def test_names_that_postgres_would_cut_are_refused(model):
    card = model.predictor
    first = replace(card.characteristics[0], feature="x" * 60)
    with pytest.raises(ParameterError, match=r"1 feature name\(s\) are too long for postgres"):
        sql_statement(replace(card, characteristics=(first,)), model.calibration, "postgres")


def test_the_head_of_the_statement_says_which_model_and_which_probability(exported):
    head = sql_text(exported, "spark")
    assert "scorecard-0123456789ab, for spark" in head
    assert "default, 90 days, within 12 months" in head
