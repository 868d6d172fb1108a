"""creditbook export-card: any model by role or version, exit codes, and a file that is whole or not there."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from pipeline.cli import _run
from pipeline.errors import ParameterError
from pipeline.score.booster import Booster
from pipeline.score.exports.forms import FORMS, export
from pipeline.score.model_folder import read_model, write_model, write_role


@pytest.fixture
def project(model, rows, tmp_path):
    """A project whose champion is the card."""
    (tmp_path / "params.yaml").write_text("", encoding="utf-8")
    version = write_model(tmp_path / "models", model, rows.head(20))
    write_role(tmp_path / "models", "champion", {"model_version": version, "since": "2025-06-30"})
    return tmp_path


def command(project, *arguments):
    return _run(["export-card", "--project", str(project), *arguments])


@pytest.mark.parametrize("form", FORMS)
def test_the_champion_is_written_in_every_form(project, form, capsys):
    champion = next(path for path in (project / "models").glob("scorecard-*") if path.is_dir())
    out = project / "exported" / f"card.{form}"
    assert command(project, "--format", form, "--out", str(out)) == 0
    assert out.read_bytes() == export(read_model(champion), form)
    assert f"{champion.name} as {form}" in capsys.readouterr().out


def test_a_candidate_is_found_by_its_version_and_an_unknown_one_is_told_with_those_there_are(project, capsys):
    champion = next((project / "models").glob("scorecard-*"))
    place = project / "models" / "candidates" / "scorecard"
    shutil.copytree(champion, place / champion.name)
    shutil.rmtree(champion)
    assert command(project, "--model", champion.name, "--format", "json", "--out", str(project / "card.json")) == 0
    assert command(project, "--model", "scorecard-none", "--format", "json", "--out", str(project / "x.json")) == 66
    assert f"no model 'scorecard-none'; there are {champion.name}" in capsys.readouterr().err
    assert not (project / "x.json").exists()


def test_a_place_that_cannot_be_written_is_told(project, capsys):
    (project / "file").write_text("", encoding="utf-8")
    assert command(project, "--format", "md", "--out", str(project / "file" / "card.md")) == 73
    assert "cannot be created" in capsys.readouterr().err


def test_an_unknown_form_or_dialect_is_a_usage_error(project, capsys):
    assert command(project, "--format", "docx", "--out", "x") == 2
    assert command(project, "--format", "sql", "--dialect", "oracle", "--out", "x") == 2
    assert "oracle" in capsys.readouterr().err


@pytest.mark.parametrize("table", ["", " \t"])
def test_a_blank_table_is_a_usage_error_and_writes_nothing(project, table, capsys):
    out = project / "card.sql"
    assert command(project, "--format", "sql", "--table", table, "--out", str(out)) == 2
    assert "name the table that holds the features" in capsys.readouterr().err
    assert not out.exists()


def test_a_booster_has_no_card_to_export(model):
    booster = replace(model, kind="booster", predictor=Booster("", model.features, {}))
    with pytest.raises(ParameterError, match="is a booster, which has no table of points"):
        export(booster, "json")
