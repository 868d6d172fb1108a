"""The policy file of the default definition is read strictly."""

import pytest

from pipeline.errors import ParameterError
from pipeline.history.definition import parse_definition


@pytest.fixture(scope="module")
def text(repository):
    return (repository / "policy" / "default_definition.yaml").read_text(encoding="utf-8")


def test_the_file_in_force_reads_and_tells_its_sources_apart(text):
    definition = parse_definition(text)
    assert (definition.days, definition.relative_basis_points, definition.probation_days) == (90, 100, 90)
    assert (definition.threshold("EUR").company, definition.threshold("EUR").natural_person) == (500, 100)
    assert [source.name for source in definition.sources] == [
        "EBA/GL/2016/07",
        "Delegated Regulation (EU) 2018/171",
        "D&B delinquency",
        "Creditsafe",
    ]


def test_every_breach_is_told_at_once(text):
    wrong = text.replace("  days: 90", "  days: ninety\n  foo: 1").replace("write_off_days: 365", "write_off_days: 0")
    wrong = wrong.replace("  relapse:", "  relapsing:").replace("probation_days: 90", "probation_days:")
    with pytest.raises(ParameterError) as raised:
        parse_definition(wrong)
    told = str(raised.value)
    assert "6 breach(es)" in told
    for breach in ("choice.days: expected a whole number", "choice.foo: unknown", "choice.write_off_days: expected"):
        assert breach in told
    for breach in ("readings.relapsing: unknown", "readings.relapse: missing", "choice.probation_days: missing"):
        assert breach in told
    assert raised.value.exit_code == 78


@pytest.mark.parametrize("broken", ["", "[1, 2]", "choice: [", "choice:\nreadings:\n"])
def test_a_file_that_is_no_definition_is_refused(broken):
    with pytest.raises(ParameterError, match=r"default_definition\.yaml"):
        parse_definition(broken)


def test_a_currency_without_thresholds_stops_the_run(text):
    with pytest.raises(ParameterError, match="no line for the base currency 'JPY'"):
        parse_definition(text).threshold("JPY")


def test_the_hash_follows_what_the_file_says_and_not_how_it_is_laid_out(text):
    told = parse_definition(text).hash()
    assert parse_definition("# another comment\n" + text).hash() == told
    for changed in (text.replace("  days: 90", "  days: 91"), text.replace("company: 500", "company: 501")):
        assert changed != text
        assert parse_definition(changed).hash() != told
