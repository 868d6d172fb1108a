"""The reasons of a whole book: told by a value that is adverse by the points of its bin, whoever the customer is."""

import json

import pandas as pd
import pytest

from pipeline.flows.published_runs import run_of
from pipeline.flows.setting import open_setting
from pipeline.flows.statement_day import published_day
from pipeline.score.model_folder import read_role
from pipeline.score.sentences import sentences

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("main_job")]


def of_bins(card, rows, catalogue, language):
    """By idea the sentences of each row's bins with points below 0."""
    against = [{} for _ in range(len(rows))]
    for characteristic in card.characteristics:
        entry = catalogue[characteristic.feature]
        words = sentences(entry, rows[characteristic.feature], language)
        for row, at in enumerate(characteristic.bin_index(rows)):
            if characteristic.bins[at].points < 0:
                against[row].setdefault(str(entry["idea"]).upper(), set()).add(words[row])
    return against


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_reason_names_a_bin_with_points_of_0_or_more(ran, language):
    setting = open_setting(ran.root)
    found = published_day(setting, run_of(ran.root / setting.params.score.out, None))
    model = found.day.model
    cards = {"scorecard": model.predictor, "thin_file": model.thin_file.card}
    seen = 0
    for name, card in cards.items():
        mine = (found.book["model"] == name).to_numpy()
        if card is None or not mine.any():
            continue
        book, rows = (frame[mine].reset_index(drop=True) for frame in (found.book, found.day.features))
        against = of_bins(card, rows, model.catalogue_by_name, language)
        for slot in range(1, 5):
            told = book[book[f"reason_{slot}_points"].notna()]
            wrong = [
                row for row in told.index
                if told.at[row, f"reason_{slot}_{language}"]
                not in against[row].get(told.at[row, f"reason_{slot}_code"], ())
            ]  # fmt: skip
            assert wrong == []
            seen += len(told)
    assert seen > 200


def test_the_boosters_table_parts_adverse_values_from_others(ran):
    setting = open_setting(ran.root)
    model = read_role(setting.project.models, "challenger")
    raw = json.loads((setting.project.models / model.version / "adverse.json").read_text(encoding="utf-8"))
    assert list(raw["features"]) == list(model.features)
    cells = pd.DataFrame([cell for feature in raw["features"].values() for cell in feature["cells"]])
    assert set(cells["is_adverse"]) == {True, False}
    rates = cells.groupby("is_adverse")[["bads", "rows"]].sum()
    assert rates["bads"][True] / rates["rows"][True] > raw["bad_rate"] > rates["bads"][False] / rates["rows"][False]
