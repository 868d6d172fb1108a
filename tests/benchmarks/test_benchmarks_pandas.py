"""The ten columns by hand in pandas are those of the catalogue: no straw man, and no other question."""

import datetime as dt
import json

import pandas as pd
import pytest

from benchmarks.pandas_features import NAMES, ten_features
from benchmarks.pandas_peer import TOLERANCE, largest_difference
from pipeline.engine import write_parquet
from pipeline.tables.canonical import FORMAT_VERSION, MANIFEST, conform, file_hash
from pipeline.tables.ledger import BY_NAME
from pipeline.tables.revisions import with_revisions

DAYS = [dt.date(2022, 8, 31), dt.date(2023, 2, 28), dt.date(2023, 11, 17), dt.date(2024, 5, 31)]


@pytest.fixture(scope="module", params=[1, 2, 3])
def book(request, books, tmp_path_factory):
    """A random book with revisions, late knowledge, clearings and bounces, in a canonical folder."""
    folder = tmp_path_factory.mktemp("book")
    files = {}
    for name, rows in books.random_book(request.param).arrow().items():
        path = folder / f"{name}.parquet"
        write_parquet(with_revisions(BY_NAME[name], conform(name, rows)), path)
        files[name] = {"sha256": file_hash(path), "rows": rows.num_rows}
    told = {"format_version": FORMAT_VERSION, "files": files, "present": list(files), "data_version": "0" * 64}
    told |= {"extract_date": "2024-06-30", "base_currency": "EUR"}
    (folder / MANIFEST).write_text(json.dumps(told), encoding="utf-8")
    return folder


def test_pandas_by_hand_finds_what_the_catalogue_finds(book, by_the_engine):
    theirs = ten_features(book, DAYS)
    ours = by_the_engine(book, sorted(set(theirs["customer_id"])), DAYS, NAMES)
    assert list(ours.columns) == ["customer_id", "as_of", *_in_catalogue_order()]
    assert largest_difference(ours, theirs) <= TOLERANCE
    for name in NAMES:
        assert theirs[name].nunique() > 2, f"{name} says nothing here"


def test_a_value_that_differs_is_measured_and_a_null_on_one_side_is_told():
    ours = pd.DataFrame({"customer_id": ["a", "b"], "as_of": DAYS[0], **{name: [1.0, 20.0] for name in NAMES}})
    assert largest_difference(ours, ours) == 0.0
    apart = ours.assign(dso_12m=[1.0, 20.2])
    assert largest_difference(ours, apart) == pytest.approx(0.01)
    with pytest.raises(SystemExit, match=r"paydex_12m: 1 of 2 rows are null on one side only.*'b'"):
        largest_difference(ours, ours.assign(paydex_12m=[1.0, None]))
    with pytest.raises(SystemExit, match="not of the same customers"):
        largest_difference(ours, ours.assign(customer_id=["b", "a"]))


def _in_catalogue_order():
    from pipeline.features.catalog import FEATURES

    return [feature.name for feature in FEATURES if feature.name in NAMES]
