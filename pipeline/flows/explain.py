"""`creditbook explain CUSTOMER`: its card from a published run, and with --all what each feature adds to its score."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.errors import MissingInputError
from pipeline.flows import log
from pipeline.flows.explained_run import Sources, explained_run, is_explained, require_as_published, scratch_folder
from pipeline.flows.features_of_run import features_of_run
from pipeline.flows.setting import open_setting
from pipeline.score.card import customer_card
from pipeline.score.explanation.book import EXPLAINED, OF_BOOK
from pipeline.score.explanation.text import explanation_text, nothing_text
from pipeline.score.ranges import KEY
from pipeline.tables.unchanged import unchanged

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    import pyarrow as pa

    from pipeline.flows.explained_run import ExplainedRun
    from pipeline.flows.setting import Setting


def explain_customer(root: Path, customer_id: str, out: Path | None, as_of: dt.date | None) -> None:
    """Prints the card. Raises MissingInputError when no such run or no such customer is there, DamagedRunError."""
    setting = open_setting(root)
    folder = (out or setting.project.root / setting.params.score.out) / (f"as_of={as_of}" if as_of else "latest")
    if not folder.is_dir():
        raise MissingInputError(f"{folder}: no published run here; run creditbook score --as-of DATE first")
    log.answer("customer_explained", customer_card(folder, customer_id))


def explain_customer_whole(root: Path, customer_id: str, sources: Sources, as_of: dt.date | None) -> None:
    """Prints the card, then base, every feature's value, bin and contribution, their sum, and how it becomes the score.

    Raises MissingInputError without the run, the customer, the model or its features, DamagedRunError,
    DamagedModelError, ContractError when the customer no longer comes out as it was published.
    """
    setting = open_setting(root)
    found = explained_run(setting, sources, as_of)
    card = customer_card(found.run.folder, customer_id)
    book = found.run.book(OF_BOOK)
    one = book.filter(pc.equal(book[KEY], customer_id))
    told = _told(setting, found, one) if is_explained(one)[0].as_py() else nothing_text(one.to_pylist()[0])
    log.answer("customer_explained", card + told)


def _told(setting: Setting, found: ExplainedRun, one: pa.Table) -> str:
    model, customers = found.model(), one[KEY].combine_chunks()
    with scratch_folder(setting) as folder:
        features = features_of_run(setting, found, model, customers, folder)
        path = features.rows.path
        with unchanged(path.parent, [path.name]):
            rows = pq.read_table(
                path, columns=[KEY, *model.reads], filters=pc.field(KEY) == customers[0],
                page_checksum_verification=True,
            )  # fmt: skip
    done = found.job(model)({"book": one, "features": rows})
    require_as_published(done.told, found.run)
    return explanation_text(done.tables[EXPLAINED].to_pylist()[0], model, features.source)
