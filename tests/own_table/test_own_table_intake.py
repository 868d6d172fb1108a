"""What a table may hold, and how it is refused: where, what, how many, one example, what to do, all at once."""

from __future__ import annotations

import datetime as dt
import gzip
import zipfile

import numpy as np
import pandas as pd
import pytest
import yaml
from own_tables import CATALOGUE, catalogue, made_rows, taken

from pipeline.errors import ContractError, MissingInputError
from pipeline.tables.own_table import take_in
from pipeline.tables.own_table_reading import read_own_table
from pipeline.tables.own_table_writing import holds_own_table, open_own_table, write_own_table

TARGET = yaml.safe_load(CATALOGUE)["target"]
YEARLY = {"key": None, "entity": "id", "date": {"column": "year", "format": "year"}, "window": {"months": 12}}


@pytest.fixture
def rows():
    return made_rows(40).astype(object)


def refused(frame, folder, **changes):
    with pytest.raises(ContractError) as found:
        taken(frame, catalogue(**changes), folder)
    assert found.value.exit_code == 65
    return str(found.value)


def test_a_table_is_taken_in_typed_and_sorted_with_null_days(rows, tmp_path):
    own = taken(rows.iloc[::-1], catalogue(), tmp_path)
    frame = own.rows.to_pandas()
    assert own.rows.column_names[:5] == ["customer_id", "as_of", "group_key", "outcome", "is_bad"]
    assert frame["customer_id"].tolist() == sorted(rows["id"])
    assert frame["as_of"].isna().all()
    assert frame["group_key"].tolist() == frame["customer_id"].tolist()
    assert frame["is_bad"].tolist() == rows["failed"].tolist()
    assert frame["late"].tolist() == rows["late"].astype(float).tolist()
    assert "clerk" not in frame


def test_without_a_key_rows_are_numbered_and_kept_rows_that_are_alike_stand_together(rows, tmp_path):
    without = rows.drop(columns="id")
    twice = pd.concat([without, without.iloc[[3]]])
    told = refused(twice, tmp_path, key=None)
    assert "1 of 41 rows repeat an earlier one in every column, e.g. row 41 is row 4 again" in told
    kept = taken(twice, catalogue(key=None, identical_rows="keep"), tmp_path).rows.to_pandas()
    assert kept["customer_id"].tolist()[:2] == ["row-01", "row-02"]
    assert kept.set_index("customer_id").loc["row-41", "group_key"] == "row-04"
    dropped = taken(twice, catalogue(key=None, identical_rows="drop"), tmp_path)
    assert dropped.rows.num_rows == 40
    assert dropped.remarks[0] == "1 of 41 rows repeat an earlier one in every column and were left out"


def test_a_missing_and_an_unnamed_column_are_told_together(rows, tmp_path):
    told = refused(rows.rename(columns={"cash": "Cash"}), tmp_path)
    assert "2 breach(es)" in told
    assert "names the column 'cash' as a feature, the file has none of that name" in told
    assert "1 column(s) stand in the file and not in the catalogue, e.g. 'Cash'" in told


def test_every_kind_of_bad_cell_is_told_at_once_with_count_row_and_value(rows, tmp_path):
    rows.loc[[4, 7], "failed"] = "maybe"
    rows.loc[9, "late"] = "ten"
    rows.loc[5, "id"] = rows.loc[2, "id"]
    told = refused(rows, tmp_path)
    assert "column 'failed': 2 of 40 rows hold a value of the target that is not declared, e.g. row 5: 'maybe'" in told
    assert "the catalogue knows '0', '1'" in told
    assert "column 'late': 1 of 40 rows hold no number, e.g. row 10: 'ten'; set holds: category" in told
    assert "1 of 40 rows repeat the key of another, e.g. 'C00002' in rows 3 and 6; name a finer key" in told
    assert told.endswith("Nothing was taken in.")


def test_an_empty_key_and_an_undocumented_level_are_told(rows, tmp_path):
    rows.loc[1, "id"] = ""
    entry = {"column": "trade", "levels": {"metal": "Metal", "food": "Food"}}
    told = refused(rows, tmp_path, features=[{"column": c} for c in ("late", "cash", "noise")] + [entry])
    assert "column 'id': 1 of 40 rows have no key, e.g. row 2: ''" in told
    assert "rows hold a code that is not among the levels, e.g. row" in told
    assert "'wood'; the catalogue knows 'metal', 'food'" in told


def test_levels_give_a_category_its_words(rows, tmp_path):
    entry = {"column": "trade", "levels": {"metal": "Metal works", "food": "Food", "wood": "Wood", "glass": "Glass"}}
    own = taken(rows, catalogue(features=[{"column": c} for c in ("late", "cash", "noise")] + [entry]), tmp_path)
    assert set(own.rows["trade"].to_pylist()) == {"Metal works", "Food", "Wood"}
    assert own.remarks == ("1 declared code(s) stand in no row, e.g. trade 'Glass'",)


@pytest.mark.parametrize("outcome", ["bad", "good"])
def test_a_target_of_one_outcome_is_told(rows, tmp_path, outcome):
    rows["failed"] = "0" if outcome == "bad" else "1"
    assert f"none of 40 rows is {outcome}" in refused(rows, tmp_path)


def test_indeterminate_rows_are_kept_and_not_trained_on(rows, tmp_path):
    rows.loc[3, "failed"] = "2"
    frame = taken(rows, catalogue(target={**TARGET, "indeterminate": ["2"]}), tmp_path).rows.to_pandas()
    assert frame.loc[3, ["outcome", "is_bad"]].isna().tolist() == [False, True]
    assert frame.loc[3, "outcome"] == "indeterminate"


def test_a_day_that_does_not_exist_and_a_repeated_entity_and_date_are_told(rows, tmp_path):
    rows["day"] = "2020-06-30"
    rows.loc[2, "day"] = "2020-06-31"
    rows.loc[6, "id"] = rows.loc[5, "id"]
    told = refused(rows, tmp_path, key=None, entity="id", date={"column": "day"})
    assert "column 'day': 1 of 40 rows hold no date in the format %Y-%m-%d, e.g. row 3: '2020-06-31'" in told
    assert "repeat the entity and date of another, e.g. 'C00005' on 2020-06-30 in rows 6 and 7" in told


def test_a_year_is_its_last_day_and_the_entity_is_the_customer(tmp_path):
    frame = taken(made_rows(60, years=6), catalogue(**YEARLY), tmp_path).rows.to_pandas()
    assert frame["as_of"].iloc[0] == dt.date(2010, 12, 31)
    assert frame["customer_id"].nunique() == 10
    assert (frame["group_key"] == frame["customer_id"]).all()


def test_a_group_binds_rows_and_an_entity_without_a_date_does_so_too(rows, tmp_path):
    rows["owner"] = ["A", "B"] * 20
    grouped = taken(rows, catalogue(group="owner"), tmp_path).rows.to_pandas()
    assert grouped["group_key"].tolist() == ["A", "B"] * 20
    rows = rows.rename(columns={"owner": "firm"})
    bound = taken(rows, catalogue(entity="firm"), tmp_path).rows.to_pandas()
    assert bound["group_key"].tolist() == ["A", "B"] * 20
    assert bound["customer_id"].is_unique


def test_a_label_on_every_row_of_a_failed_entity_counts_on_its_last_row_only(tmp_path):
    # A fails after 2011, B goes on, C's rows end with the table: whether it failed within the window nobody saw.
    rows = made_rows(9, years=3).assign(
        id=list("AAABBBCCC"), year=[2009, 2010, 2011] + [2011, 2012, 2013] * 2, failed=[1, 1, 1, 0, 0, 0, 1, 1, 1]
    )
    own = taken(rows, catalogue(**YEARLY, target={**TARGET, "rule": "last_row_of_entity"}), tmp_path)
    told = {(r["customer_id"], r["as_of"].year): r["outcome"] for r in own.rows.to_pylist()}
    assert [told["A", year] for year in (2009, 2010, 2011)] == ["good", "good", "bad"]
    assert [told["B", year] for year in (2011, 2012, 2013)] == ["good", "good", "immature"]
    assert [told["C", year] for year in (2011, 2012, 2013)] == ["good", "good", "immature"]


def test_an_entity_that_was_bad_and_ends_good_contradicts_the_rule(tmp_path):
    rows = made_rows(6, years=3).assign(id=list("AAABBB"), failed=[1, 0, 0, 0, 0, 1])
    told = refused(rows, tmp_path, **YEARLY, target={**TARGET, "rule": "last_row_of_entity"})
    assert "1 of 6 rows are bad while the last row of their entity is not" in told


def test_the_same_rows_are_read_from_csv_gzip_zip_parquet_and_arff(rows, tmp_path):
    plain = made_rows(40)
    text = plain.to_csv(index=False).encode()
    (tmp_path / "t.csv").write_bytes(text)
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(text))
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("inside/t.csv", text)
    plain.to_parquet(tmp_path / "t.parquet")
    head = "% made\n@relation t\n" + "".join(f"@attribute '{name}' numeric\n" for name in plain) + "@data\n"
    (tmp_path / "t.arff").write_bytes(head.encode() + text.split(b"\n", 1)[1])
    found = [take_in(read_own_table(tmp_path / f"t.{end}", catalogue().file), catalogue()).rows for end in ENDS]
    assert all(other.equals(found[0]) for other in found[1:])


ENDS = ("csv", "csv.gz", "zip", "parquet", "arff")


def test_a_file_without_header_takes_the_names_of_the_catalogue(tmp_path):
    rows = made_rows(40)
    rows.to_csv(tmp_path / "t.data", index=False, header=False, sep=" ")
    told = catalogue(file={"delimiter": " ", "header": list(rows.columns)})
    own = take_in(read_own_table(tmp_path / "t.data", told.file), told)
    assert own.rows["cash"].to_pylist() == rows["cash"].tolist()


def test_decimal_commas_and_texts_that_mean_null_are_declared(tmp_path):
    rows = made_rows(40).astype(object)
    rows.loc[0, "cash"] = "n/a"
    for name in ("cash", "noise"):
        rows[name] = [str(value).replace(".", ",") for value in rows[name]]
    rows.to_csv(tmp_path / "t.csv", index=False, sep=";")
    told = catalogue(file={"delimiter": ";", "decimal_point": ",", "null_texts": ["", "n/a"]})
    own = take_in(read_own_table(tmp_path / "t.csv", told.file), told)
    assert own.rows["cash"].null_count == 1


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("t.csv", b"", "t.csv is empty"),
        ("t.csv.gz", b"no gzip", "truncated or no gzip file"),
        ("t.zip", b"no zip", "truncated or no zip archive"),
        ("t.parquet", b"PAR1", "truncated or damaged"),
        ("t.arff", b"@relation x\n1,2\n", "is no ARFF file"),
        ("t.arff", b"@attribute a numeric\n@data\n{0 1}\n", "a sparse ARFF file"),
        ("t.csv", "id,été\n".encode("cp1252"), "is not utf-8"),
        ("t.csv", b"id,failed\n1,0,9\n", "1 row(s) have another count of cells than the header, e.g. row 1: '1,0,9'"),
        ("t.csv", b"id,failed\n", "no rows below the header"),
        ("t.csv", b"id,id\n1,1\n", "stand more than once in the header"),
    ],
)
def test_a_damaged_file_is_told(tmp_path, name, content, part):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ContractError) as found:
        take_in(read_own_table(tmp_path / name, catalogue().file), catalogue())
    assert part in str(found.value)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(MissingInputError, match="no such file") as found:
        read_own_table(tmp_path / "nowhere.csv", catalogue().file)
    assert found.value.exit_code == 66


def test_a_table_written_twice_gives_equal_bytes_and_a_changed_one_is_refused(rows, tmp_path):
    own = taken(rows, catalogue(), tmp_path)
    for folder in ("a", "b"):
        write_own_table(own, tmp_path / folder)
    files = [{p.name: p.read_bytes() for p in (tmp_path / folder).iterdir()} for folder in ("a", "b")]
    assert files[0] == files[1]
    assert holds_own_table(tmp_path / "a")
    assert open_own_table(tmp_path / "a").rows.equals(own.rows)
    path = tmp_path / "a" / "table.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(Exception, match="damaged or edited"):
        open_own_table(tmp_path / "a")


def test_a_special_code_stays_as_it_is_written(rows, tmp_path):
    values = taken(rows, catalogue(), tmp_path).rows["late"].to_numpy()
    assert np.isin([-7.0, -9.0], values).all()
