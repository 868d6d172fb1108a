"""The command `creditbook`."""

from __future__ import annotations

import datetime as dt
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Literal

import typer

from pipeline.flows import log
from pipeline.flows.exits import exit_code

STAGES = (
    "ingest",
    "label",
    "build_features",
    "fit_scorecard",
    "fit_booster",
    "validate",
    "report",
    "score",
    "monitor",
)

_INTERRUPTED = 130

app = typer.Typer(
    help="Default prediction and credit limits for B2B trade credit.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
ProjectOption = Annotated[Path, typer.Option("--project", help="The folder with params.yaml and dvc.yaml.")]


def _reason(text: str | None) -> str | None:
    """A reason says something and fits a line of the register."""
    if text is not None and not text.strip():
        raise typer.BadParameter("give it in words")
    if text is not None and len(text) > 1000:
        raise typer.BadParameter(f"{len(text)} characters; 1000 at most, put the rest in the minutes")
    return text


def _table_name(text: str) -> str:
    """The name of a table of the user's; a blank one would give SQL that no database runs."""
    if not text.strip():
        raise typer.BadParameter("name the table that holds the features")
    return text


RoleOption = Annotated[Literal["champion", "challenger"], typer.Option(help="The role.")]
ByOption = Annotated[
    str | None, typer.Option(callback=_reason, help="Who decides; by default the user of the machine.")
]
ReasonOption = Annotated[str | None, typer.Option(callback=_reason, help="Why, for the register.")]
OnOption = Annotated[
    dt.datetime | None,
    typer.Option("--on", formats=["%Y-%m-%d"], help="The day; by default today in promotion.time_zone."),
]


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,  # noqa: FBT002
    log_format: Annotated[
        Literal["text", "json"] | None, typer.Option(help="Lines for people (text), or one JSON object a line.")
    ] = None,
) -> None:
    if debug:
        os.environ["CREDITBOOK_DEBUG"] = "1"
    if log_format is not None:
        os.environ[log.FORMAT] = log_format
        log.listen_to_libraries()


@app.command()
def run(project: ProjectOption = Path()) -> None:
    """Run every stage that is out of date (dvc repro), then say what came out."""
    from pipeline.flows.reproduce import reproduce

    reproduce(project)


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(help="The folder of a ledger or an extract.")],
    mapping: Annotated[Path | None, typer.Option(help="A mapping YAML.")] = None,
    base_currency: Annotated[str | None, typer.Option(help="By default the project's ingest.base_currency.")] = None,
    project: ProjectOption = Path(),
) -> None:
    """Report on a ledger without writing anything: what is there, what is missing, which rules are broken."""
    from pipeline.flows.check import check_folder

    check_folder(folder, mapping, base_currency, project)


@app.command("demo-book")
def demo_book(
    folder: Annotated[Path, typer.Argument(help="Where the ledger goes; the true PD goes beside it.")],
    customers: Annotated[int, typer.Option(min=2)] = 2000,
    months: Annotated[int, typer.Option(min=18)] = 72,
    seed: Annotated[int, typer.Option(min=0)] = 1,
) -> None:
    """Write the ledger of a demo economy whose true PD is known."""
    from pipeline.flows.demo import write_demo_book

    write_demo_book(folder, customers, months, seed)


@app.command()
def score(  # noqa: PLR0917 - options, given by name
    as_of: Annotated[
        dt.datetime | None, typer.Option("--as-of", formats=["%Y-%m-%d"], help="The day; knowledge ends here.")
    ] = None,
    first: Annotated[
        dt.datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="Back-fill the month ends from here.")
    ] = None,
    last: Annotated[dt.datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="To here.")] = None,
    tables: Annotated[Path | None, typer.Option(help="A canonical ledger; by default the project's.")] = None,
    models: Annotated[Path | None, typer.Option(help="The models in force; by default the project's.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where runs are published; by default score.out.")] = None,
    accept: Annotated[
        str | None, typer.Option(callback=_reason, help="Publish in spite of the circuit breakers, for this reason.")
    ] = None,
    by: ByOption = None,
    project: ProjectOption = Path(),
) -> None:
    """Score the whole book of a day, or of every month end between two, and publish it."""
    from pipeline.flows.score_day import score_as_of, score_days

    if (as_of is None) == (first is None) or (first is None) != (last is None):
        raise typer.BadParameter("give --as-of, or --from and --to")
    if by is not None and accept is None:
        raise typer.BadParameter("--by tells who accepts; it goes with --accept")
    if as_of is not None:
        score_as_of(project, as_of.date(), tables, models, out, accept=accept, by=by)
    elif accept is not None:
        raise typer.BadParameter("--accept goes with --as-of: each day is decided on its own")
    elif first is not None and last is not None:
        score_days(project, (first.date(), last.date()), tables, models, out)


@app.command()
def deliver(
    as_of: Annotated[
        dt.datetime | None,
        typer.Option("--as-of", formats=["%Y-%m-%d"], help="A published day, read back too; by default all that lack."),
    ] = None,
    project: ProjectOption = Path(),
) -> None:
    """Hand on published runs to the targets of params.yaml that lack them; say what each target holds."""
    from pipeline.flows.deliver import deliver_published

    deliver_published(project, as_of.date() if as_of else None)


@app.command()
def explain(  # noqa: PLR0917 - options, given by name
    customer_id: Annotated[
        str | None, typer.Argument(help="The supplier's number for the customer.", show_default=False)
    ] = None,
    whole: Annotated[  # noqa: FBT002
        bool, typer.Option("--all", help="Also the base and what every feature adds to the score, down to the sum.")
    ] = False,
    parquet: Annotated[
        Path | None, typer.Option(help="In place of a customer: write what every feature adds for the whole book here.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where runs are published; by default score.out.")] = None,
    as_of: Annotated[
        dt.datetime | None,
        typer.Option("--as-of", formats=["%Y-%m-%d"], help="A published day; by default the latest."),
    ] = None,
    tables: Annotated[
        Path | None, typer.Option(help="The ledger for features no longer kept; by default the project's.")
    ] = None,
    models: Annotated[Path | None, typer.Option(help="Where the run's model lies; by default the project's.")] = None,
    project: ProjectOption = Path(),
) -> None:
    """Print one customer's card from a published run; or explain the scores of one or of all in full."""
    from pipeline.flows.explain import explain_customer, explain_customer_whole
    from pipeline.flows.explain_book import explain_book
    from pipeline.flows.explained_run import Sources

    day, sources = as_of.date() if as_of else None, Sources(tables, models, out)
    if (customer_id is None) == (parquet is None):
        raise typer.BadParameter("give a customer's number, or --parquet FILE for the whole book")
    if parquet is not None:
        explain_book(project, parquet, sources, day)
    elif customer_id is not None and whole:
        explain_customer_whole(project, customer_id, sources, day)
    elif customer_id is not None:
        explain_customer(project, customer_id, out, day)


@app.command("export-card")
def export_card(  # noqa: PLR0917 - options, given by name
    out: Annotated[Path, typer.Option(help="The file to write.")],
    form: Annotated[Literal["json", "sql", "pmml", "xlsx", "md"], typer.Option("--format", help="What reads it.")],
    model: Annotated[str, typer.Option(help="A role or a model version.")] = "champion",
    dialect: Annotated[Literal["duckdb", "postgres", "spark"], typer.Option(help="Of sql.")] = "duckdb",
    table: Annotated[
        str, typer.Option(callback=_table_name, help="Of sql: the table that holds the features.")
    ] = "features",
    project: ProjectOption = Path(),
) -> None:
    """Write a scorecard for another system, or for a person to sign."""
    from pipeline.flows.export_card import export_card as write_card

    write_card(project, model, form, out, dialect=dialect, table=table)


@app.command()
def portfolio(
    as_of: Annotated[
        dt.datetime | None,
        typer.Option("--as-of", formats=["%Y-%m-%d"], help="A published day; by default the latest."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where the report goes; by default portfolio.out.")] = None,
    names: Annotated[bool, typer.Option("--names", help="Tell customers by name as well.")] = False,  # noqa: FBT002
    project: ProjectOption = Path(),
) -> None:
    """Write the portfolio report of a published day, a page per language and the figures as JSON."""
    from pipeline.flows.portfolio import report_portfolio

    report_portfolio(project, as_of.date() if as_of else None, out, with_names=names)


@app.command()
def backtest(
    first: Annotated[dt.datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="The first month end.")],
    last: Annotated[dt.datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="The last.")],
    policy: Annotated[
        list[Path] | None,
        typer.Option(help="A YAML file, or a folder of files, that replaces sections of policy/; may be repeated."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where the report goes; by default backtest.out.")] = None,
    project: ProjectOption = Path(),
) -> None:
    """Replay policies over the past, month by month, with only what was known then; a page per language and JSON."""
    from pipeline.flows.backtest import backtest as replay

    replay(project, policy or [], first.date(), last.date(), out)


@app.command()
def warnings(
    first: Annotated[
        dt.datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="From the month end here; by default the first there is."),
    ] = None,
    last: Annotated[
        dt.datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="To here; by default the last.")
    ] = None,
    project: ProjectOption = Path(),
) -> None:
    """Measure every alert rule on the past: how often a default followed, how long before, how much work."""
    from pipeline.flows.warnings import measure_warnings

    measure_warnings(project, first.date() if first else None, last.date() if last else None)


@app.command()
def statement(
    customer_id: Annotated[str, typer.Argument(help="The supplier's number for the customer.")],
    as_of: Annotated[
        dt.datetime | None,
        typer.Option("--as-of", formats=["%Y-%m-%d"], help="A published day; by default the latest."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where pages go; by default statement.out.")] = None,
    language: Annotated[
        Literal["en", "zh"] | None, typer.Option(help="Of the page; by default the first of report.language.")
    ] = None,
    project: ProjectOption = Path(),
) -> None:
    """Write one customer's own page: grade, what counts, and what would improve it; as HTML and PDF."""
    from pipeline.flows.statement import write_statement

    write_statement(project, customer_id, as_of.date() if as_of else None, out, language)


@app.command()
def verify(folder: Annotated[Path, typer.Argument(help="A published run, such as data/scored/latest.")]) -> None:
    """Check a published run against its manifest."""
    from pipeline.flows.verify import verify_run

    verify_run(folder)


@app.command()
def promote(  # noqa: PLR0917 - options, given by name
    version: Annotated[str, typer.Argument(help="A model version, or MLflow's number of it.")],
    role: RoleOption = "champion",
    by: ByOption = None,
    reason: ReasonOption = None,
    override: Annotated[
        str | None, typer.Option(callback=_reason, help="Promote in spite of refused gates, and why; stays visible.")
    ] = None,
    on: OnOption = None,
    project: ProjectOption = Path(),
) -> None:
    """Put a registered model in force if the gates of params.yaml pass; 80 when one refuses."""
    from pipeline.flows.promote_version import Asked, promote

    promote(project, version, Asked(role, by, reason, override, on.date() if on else None))


@app.command()
def rollback(
    role: RoleOption = "champion",
    by: ByOption = None,
    reason: ReasonOption = None,
    on: OnOption = None,
    project: ProjectOption = Path(),
) -> None:
    """Put the version in force again that held the role before."""
    from pipeline.flows.promote_version import Asked
    from pipeline.flows.rollback import rollback

    rollback(project, Asked(role, by, reason, None, on.date() if on else None))


@app.command()
def compare(
    first: Annotated[str, typer.Argument(help="A model version, MLflow's number of it, or a role.")],
    second: Annotated[str, typer.Argument(help="The other one.")],
    json_file: Annotated[Path | None, typer.Option("--json", help="Write all of it as JSON.")] = None,
    project: ProjectOption = Path(),
) -> None:
    """Compare two models on rows neither was trained on: order, level, who moves, for whom; with intervals."""
    from pipeline.flows.compare import compare

    compare(project, first, second, json_file)


@app.command()
def docs(
    check: Annotated[bool, typer.Option("--check", help="Only say whether they are in step.")] = False,  # noqa: FBT002
    project: ProjectOption = Path(),
) -> None:
    """Write the documents that are generated from the definitions."""
    from pipeline.flows.documents import check_documents, write_documents

    (check_documents if check else write_documents)(project)


@app.command()
def stage(name: Annotated[str, typer.Argument(help="One of: " + ", ".join(STAGES))]) -> None:
    """Run one stage in the current folder, without DVC."""
    if name not in STAGES:
        raise typer.BadParameter(f"{name!r} is no stage; choose one of {', '.join(STAGES)}")
    import_module(f"pipeline.stages.{name}").main()


def main() -> None:
    """Runs the command and leaves with its exit code (BSD sysexits; 2 is a usage error)."""
    sys.exit(_run(sys.argv[1:]))


def _run(arguments: list[str]) -> int:
    usage = 0

    def invoke() -> None:
        nonlocal usage
        try:
            result = app(arguments, standalone_mode=False)
            usage = result if isinstance(result, int) else 0
        except typer.Exit as ended:
            usage = ended.exit_code
        except (typer.Abort, KeyboardInterrupt) as stopped:
            raise KeyboardInterrupt from stopped
        except Exception as error:
            if not hasattr(error, "format_message"):
                raise
            log.fail("usage", f"usage: {error.format_message()} (see creditbook --help)", exit_code=2)
            usage = 2

        if usage == _INTERRUPTED:
            # Typer gives back this number and says nothing.
            raise KeyboardInterrupt

    return exit_code(invoke) or usage


if __name__ == "__main__":
    main()
