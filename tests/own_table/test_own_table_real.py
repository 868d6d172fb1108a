"""The real tables beside the repository, by their catalogues: both models reach what plain settings reached."""

from __future__ import annotations

import pytest
from own_tables import REPOSITORY, fitted

from pipeline.tables.own_table import OwnTable, take_in
from pipeline.tables.own_table_catalogue import parse_catalogue
from pipeline.tables.own_table_reading import read_own_table

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("own_table_real")]

# AUC of a logistic regression on weights of evidence, and of LightGBM, both with plain settings, five folds (American:
# trained up to 2011, validated 2012-14); every nth row is taken of the large ones.
REACHED = {
    "american_bankruptcy": ("american_bankruptcy/firm_years_1999_2014.csv.gz", 1, 0.889, 0.909),
    "german_credit": ("german_credit/german.data.gz", 1, 0.79, 0.79),
    "give_me_some_credit": ("give_me_some_credit/cs-training.csv.zip", 5, 0.856, 0.866),
    "polish_bankruptcy_3year": ("polish_bankruptcy/3year.csv.gz", 1, 0.855, 0.928),
    "sba_case": ("sba_case/SBAcase.csv.gz", 1, 0.783, 0.796),
    "uci_credit_card": ("uci_credit_card/UCI_Credit_Card.csv.gz", 3, 0.767, 0.783),
}


def real_table(real_data, name, nth=1):
    path = REPOSITORY / "data" / "catalogues" / f"{name}.yaml"
    told = parse_catalogue(path.read_text(encoding="utf-8"), path.name)
    own = take_in(read_own_table(real_data / REACHED[name][0], told.file), told)
    return OwnTable(own.rows.take(list(range(0, own.rows.num_rows, nth))), told, own.source_sha256, own.remarks)


@pytest.mark.parametrize("name", REACHED)
def test_both_models_of_a_real_table_reach_what_plain_settings_reached(real_data, tmp_path, name):
    _, nth, *reached = REACHED[name]
    found = fitted(real_table(real_data, name, nth), tmp_path)
    for role, wanted in zip(("champion", "challenger"), reached, strict=True):
        low, auc, high = found.auc(role)
        print(f"{name}, {role}: AUC {auc:.3f} ({low:.3f} to {high:.3f}), plain settings {wanted:.3f}")
        assert auc >= wanted - 0.04 or low <= wanted <= high


def test_the_label_of_every_year_of_a_failed_firm_counts_once(real_data):
    rows = real_table(real_data, "american_bankruptcy").rows.to_pandas()
    bad = rows[rows["is_bad"] == 1]
    assert bad["customer_id"].is_unique
    assert 0.007 < rows["is_bad"].mean() < 0.009
    assert set(rows.loc[rows["outcome"] == "immature", "as_of"].astype(str)) == {"2014-12-31"}


def test_copies_among_the_rows_are_left_out_and_told(real_data):
    assert real_table(real_data, "give_me_some_credit").remarks[0].startswith("609 of 150,000 rows repeat")
    assert real_table(real_data, "polish_bankruptcy_3year").remarks[0].startswith("87 of 10,503 rows repeat")


def test_the_other_file_of_a_source_is_read_by_the_same_catalogue_from_arff(real_data):
    path = REPOSITORY / "data" / "catalogues" / "polish_bankruptcy_3year.yaml"
    told = parse_catalogue(path.read_text(encoding="utf-8"), path.name)
    own = take_in(read_own_table(real_data / "polish_bankruptcy" / "5year.arff.gz", told.file), told)
    left_out = int(own.remarks[0].split(" ", 1)[0])
    assert own.rows.num_rows + left_out == 5910
    assert 0.06 < own.rows["is_bad"].to_pandas().mean() < 0.08


def test_the_codes_96_and_98_have_bins_of_their_own_in_the_card(real_data, tmp_path):
    card = fitted(real_table(real_data, "give_me_some_credit", 5), tmp_path).models["champion"].predictor
    counts = [c for c in card.characteristics if c.feature.startswith("times_")]
    assert counts
    for characteristic in counts:
        assert set(characteristic.special) == {96.0, 98.0}
        assert max(characteristic.splits) < 96
