"""After a move: what undoes it, and what is said and done where MLflow has lost the version in force."""

from __future__ import annotations

import re
import shutil

import mlflow
import pytest
from promotable import alias_of, asked, client_of, lines_of, run_stages

from pipeline.errors import MissingInputError, PartlyDoneError
from pipeline.flows.promote_version import promote
from pipeline.flows.registration import registry_of
from pipeline.flows.rollback import rollback
from pipeline.flows.setting import open_setting

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("promotion"),
    # MLflow's own store and client warn about their own future.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


def both_roles_told(capsys) -> list[str]:
    """The lines after the one that says who holds the role."""
    lines = capsys.readouterr().out.splitlines()
    moved = next(i for i, line in enumerate(lines) if re.search(r" is (champion|challenger) (again )?from ", line))
    return lines[moved + 1 :]


def test_a_model_that_takes_both_roles_is_told_with_what_to_do(project, capsys):
    promote(project.root, project.booster, asked(override="a trial"))
    assert both_roles_told(capsys) == [
        f"{project.booster} holds both roles now; creditbook promote {project.weak} --role challenger puts the other "
        "beside it",
        f"undone by creditbook rollback --role champion: {project.weak} is then champion again",
    ]


def test_what_undoes_a_move_of_the_challenger_names_its_role_and_leaves_the_champion_alone(project, capsys):
    promote(project.root, project.weak, asked(role="challenger", override="a trial"))
    assert both_roles_told(capsys) == [
        f"{project.weak} holds both roles now",
        f"undone by creditbook rollback --role challenger: {project.booster} is then challenger again",
    ]
    rollback(project.root, asked(role="challenger"))
    assert both_roles_told(capsys) == [
        f"undone by creditbook promote {project.weak} --role challenger: it asks its gates again"
    ]
    assert (project.role()["model_version"], project.role("challenger")["model_version"]) == (
        project.weak,
        project.booster,
    )
    with pytest.raises(
        MissingInputError, match="creditbook promote VERSION --role challenger puts another in its place"
    ):
        rollback(project.root, asked(role="challenger"))


def lose(project, version) -> str:
    """MLflow loses a registered version; the number it had."""
    client = client_of(project)
    found = client.search_model_versions("name = 'creditbook-pd'")
    number = next(v.version for v in found if v.tags["model_version"] == version)
    client.delete_model_version("creditbook-pd", number)
    return str(number)


def test_a_rollback_to_a_version_that_mlflow_has_lost_is_made_and_ends_with_76(project, capsys):
    promote(project.root, project.strong, asked())
    number = client_of(project).get_model_version_by_alias("creditbook-pd", "champion").version
    lose(project, project.weak)
    capsys.readouterr()
    with pytest.raises(PartlyDoneError) as part:
        rollback(project.root, asked(reason="complaints"))
    assert part.value.exit_code == 76
    assert str(part.value) == (
        f"models/champion.json and REGISTER.md say that {project.weak} is champion, but MLflow holds no version of it "
        f"and its alias champion stays at number {number} ({project.strong}); it is not of the last fit, so promote "
        "another version, or bring back data, params.yaml and policy/ of its fit and run creditbook stage "
        "fit_scorecard and creditbook stage validate, which registers it and sets the aliases"
    )
    out = capsys.readouterr().out
    assert "in step" not in out
    assert f"undone by creditbook promote {project.strong} --role champion: it asks its gates again" in out
    assert project.role()["model_version"] == project.weak
    assert lines_of(project.register)[-1][2:6] == ["rolled back", "champion", project.strong, project.weak]
    assert alias_of(project) == project.strong
    # A rerun ends alike for as long as it holds, and records nothing.
    register = project.register
    with pytest.raises(PartlyDoneError, match="stays at number"):
        promote(project.root, project.weak, asked(override="again"))
    assert project.register == register


def test_a_lost_version_of_the_last_fit_is_registered_again_by_validate_and_has_its_alias(project):
    promote(project.root, project.strong, asked())
    promote(project.root, project.booster, asked(override="a trial"))
    lose(project, project.strong)
    with pytest.raises(PartlyDoneError, match="creditbook stage validate registers it again and then sets the aliases"):
        rollback(project.root, asked())
    assert alias_of(project) == project.booster
    run_stages(project.root, "validate")
    assert alias_of(project) == project.role()["model_version"] == project.strong
    tags = client_of(project).get_model_version_by_alias("creditbook-pd", "champion").tags
    assert tags["champion.decision"] == "rolled back"


def test_an_alias_that_another_projects_version_holds_stays(project):
    promote(project.root, project.strong, asked())
    lose(project, project.weak)
    client, store = client_of(project), registry_of(open_setting(project.root))
    own = client.get_model_version_by_alias("creditbook-pd", "champion")
    with store._store():
        tags = {"model_version": "scorecard-0123456789ab"}
        theirs = mlflow.register_model(own.source, store.model_name, tags=tags).version
    client.set_registered_model_alias("creditbook-pd", "champion", theirs)
    with pytest.raises(PartlyDoneError, match=rf"stays at number {theirs} \(scorecard-0123456789ab\)"):
        rollback(project.root, asked())
    assert alias_of(project) == "scorecard-0123456789ab"
    with pytest.raises(MissingInputError, match="scorecard-0123456789ab, which is not here: it is another project's"):
        promote(project.root, str(theirs), asked())


def test_the_other_role_out_of_step_is_warned_of_and_hinders_no_promotion(project, capsys):
    lose(project, project.booster)
    promote(project.root, project.strong, asked())
    assert alias_of(project) == project.strong
    told = capsys.readouterr().err
    assert f"say that {project.booster} is challenger, but MLflow holds no version of it" in told
    assert "its alias challenger is set to nothing; creditbook stage validate registers it again" in told


def test_a_version_that_mlflow_has_lost_is_not_promoted(project):
    lose(project, project.strong)
    with pytest.raises(MissingInputError, match=r"creditbook stage validate registers it again.*Nothing was changed"):
        promote(project.root, project.strong, asked())
    assert project.role()["model_version"] == project.weak


def test_a_rollback_to_a_model_whose_folder_is_gone_changes_nothing(project):
    promote(project.root, project.strong, asked())
    shutil.rmtree(project.root / "models" / project.weak)
    register = project.register
    with pytest.raises(MissingInputError, match=f"{project.weak} was champion before, but its folder is not there"):
        rollback(project.root, asked())
    assert (project.role()["model_version"], project.register) == (project.strong, register)
