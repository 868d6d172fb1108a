"""Candidate policies from files: known by their keys, refused with every breach."""

import shutil

import pytest

from pipeline.errors import MissingInputError, ParameterError
from pipeline.flows.candidate_policies import read_candidates


@pytest.fixture
def folder(repository):
    """The policy in force."""
    return repository / "policy"


@pytest.fixture
def written(repository, tmp_path):
    """Writes a copy of a policy file with a text in it replaced."""

    def write(section, old, new, name="candidate.yaml"):
        text = (repository / "policy" / f"{section}.yaml").read_text(encoding="utf-8")
        assert old in text
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text.replace(old, new), encoding="utf-8")
        return path

    return write


def test_a_file_is_known_by_its_keys_and_tells_what_it_changes(written, policy, folder):
    (found,) = read_candidates([written("limits", "headroom: 2.5", "headroom: 4.0")], policy, folder)
    assert found.name == "candidate"
    assert found.policy.limits.need.headroom == 4.0
    assert found.policy.loss == policy.loss
    assert found.changes == (("limits.need.headroom", "2.5", "4.0"),)
    assert found.policy.version != policy.version


def test_a_folder_replaces_several_sections_and_an_equal_copy_is_the_policy_itself(written, policy, folder, tmp_path):
    written("limits", "headroom: 2.5", "headroom: 4.0", "both/one.yaml")
    written("lgd_ead", "low: 0.40", "low: 0.42", "both/two.yaml")
    copy = written("limits", "headroom: 2.5", "headroom: 2.5", "copy.yaml")
    both, same = read_candidates([tmp_path / "both", copy], policy, folder)
    assert {path for path, _, _ in both.changes} == {"limits.need.headroom", "lgd_ead.unsecured_lgd.low"}
    assert (same.changes, same.policy.version) == ((), policy.version)


def test_a_copy_of_the_whole_policy_folder_with_one_change_is_a_candidate(written, policy, folder, tmp_path):
    shutil.copytree(folder, tmp_path / "whole")
    (same,) = read_candidates([tmp_path / "whole"], policy, folder)
    assert same.changes == ()
    written("terms", "owner: ", "owner: other ", "whole/terms.yaml")
    (found,) = read_candidates([tmp_path / "whole"], policy, folder)
    assert [path for path, _, _ in found.changes] == ["terms.owner"]
    # What no replay reads may not be changed in silence.
    written("collections", "amount_from: 100", "amount_from: 200", "whole/collections.yaml")
    with pytest.raises(ParameterError, match=r"collections\.yaml: its keys"):
        read_candidates([tmp_path / "whole"], policy, folder)


def test_sections_may_stand_under_their_names_in_one_file(policy, folder, tmp_path):
    path = tmp_path / "named.yaml"
    path.write_text("lgd_ead:\n" + "".join(f"  {line}\n" for line in policy.texts["lgd_ead"].splitlines()))
    (found,) = read_candidates([path], policy, folder)
    assert found.changes == ()


def test_every_breach_of_every_file_is_told_at_once(written, policy, folder, tmp_path):
    unknown = written("limits", "need: {headroom: 2.5, ", "need: {headrom: 2.5, ", "typo.yaml")
    stranger = tmp_path / "stranger.yaml"
    stranger.write_text("colour: red\n")
    with pytest.raises(ParameterError) as told:
        read_candidates([unknown, stranger], policy, folder)
    text = str(told.value)
    assert "limits.need.headrom: unknown key" in text
    assert "limits.need.headroom: missing" in text
    assert "stranger.yaml" in text
    assert "colour" in text
    assert "lgd_ead" in text


@pytest.mark.parametrize("text", ["", "[1, 2]", "just words", "valid_from: 2024-01-01\nowner: me\n", "a: [1"])
def test_nonsense_is_refused_with_the_name_of_the_file(text, policy, folder, tmp_path):
    path = tmp_path / "nonsense.yaml"
    path.write_text(text)
    with pytest.raises(ParameterError, match=r"nonsense\.yaml"):
        read_candidates([path], policy, folder)


def test_files_that_are_not_there_an_empty_folder_and_a_section_twice_are_refused(written, policy, folder, tmp_path):
    with pytest.raises(MissingInputError, match="2 candidate"):
        read_candidates([tmp_path / "one.yaml", tmp_path / "two.yaml"], policy, folder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ParameterError, match="empty: no YAML file"):
        read_candidates([tmp_path / "empty"], policy, folder)
    written("limits", "headroom: 2.5", "headroom: 3.0", "twice/a.yaml")
    written("limits", "headroom: 2.5", "headroom: 4.0", "twice/b.yaml")
    with pytest.raises(ParameterError, match="the section limits a second time"):
        read_candidates([tmp_path / "twice"], policy, folder)


def test_candidates_of_one_name_are_told_apart(written, policy, folder):
    first = written("limits", "headroom: 2.5", "headroom: 3.0", "x/current.yaml")
    second = written("limits", "headroom: 2.5", "headroom: 4.0", "y/current.yaml")
    assert [one.name for one in read_candidates([first, second], policy, folder)] == ["current-2", "current-3"]
