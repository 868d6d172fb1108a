"""The table of customers: names that say nothing, a few shared banks, telephones and addresses, some revisions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.tables.demo.arrays import Bools, Floats, Ints, as_table, choice_of, dates, ids
from pipeline.tables.demo.economy import INDUSTRIES, PLACES, SIZES
from pipeline.tables.demo.invoices import customer_ids
from pipeline.tables.ledger import CUSTOMERS

if TYPE_CHECKING:
    from pipeline.tables.demo.firms import Firms
    from pipeline.tables.demo.timeline import Timeline
    from pipeline.tables.demo.world import World

_FIRST = (
    *("Alba", "Berg", "Cormoran", "Delta", "Erlen", "Falk", "Golden", "Hansa", "Iris", "Jura", "Kessel", "Linden"),
    *("Morgen", "Nord", "Orion", "Pirol", "Quell", "Ravenna", "Silber", "Tanne", "Ulmen", "Viola", "Weser", "Zeder"),
)
_SECOND = (
    *("Bau", "Chemie", "Druck", "Elektro", "Foods", "Garten", "Handel", "Instruments", "Kontor"),
    *("Logistik", "Maschinen", "Optik", "Papier", "Stahl", "Technik", "Textil", "Verpackung", "Werke"),
)
_FORMS = ("GmbH", "SA", "BV", "Srl", "Inc.", "有限公司", "Pty")
_SHARED_SHARE = 0.015
_SHARED_IN_GROUP = 0.30
_MOVED_SHARE = 0.08
_COLLECTORS = ("Team North", "Team South", "Team West", None)


def customer_table(world: World) -> pa.Table:
    """One row per customer, known since the relation began, and a later row for those that moved."""
    draw, firms, line = world.draw("customers"), world.firms, world.line
    firm = np.arange(world.count)
    columns = _columns(draw, firms, firm)
    known_on = np.minimum(firms.since, line.last_day)
    first = as_table(CUSTOMERS, {**columns, "known_on": dates(known_on)}, ("customer_id",))
    return (
        pa.concat_tables([first, _moved(draw, first, known_on, line)])
        .sort_by([("customer_id", "ascending"), ("known_on", "ascending")])
        .combine_chunks()
    )


def _columns(draw: np.random.Generator, firms: Firms, firm: Ints) -> dict[str, object]:
    regions = [r for p in PLACES for r in p.regions]
    offsets = np.cumsum([0, *(len(p.regions) for p in PLACES[:-1])])
    return {
        "customer_id": customer_ids(firm),
        "name": _names(draw, firms, firm),
        "tax_id": ids("0", draw.permutation(len(firm)) + 10_000, 9, draw.random(len(firm)) < 0.04),
        "founded_on": dates(firms.founded_on, draw.random(len(firm)) < 0.12),
        "customer_since": dates(firms.since),
        "industry": choice_of([i.code for i in INDUSTRIES], firms.industry),
        "region": choice_of(regions, offsets[firms.place] + firms.region),
        "country": choice_of([p.country for p in PLACES], firms.place),
        "group_id": ids("H", np.maximum(firms.group, 0), 4, firms.group < 0),
        "is_natural_person": firms.is_natural_person,
        "is_public_body": firms.is_public_body,
        "size_class": choice_of([s.name for s in SIZES], firms.size),
        "bank_account": ids("IBAN", _shared(draw, firms, 0.0) + 1_000_000, 12),
        "phone": ids("+", _shared(draw, firms, 0.1) + 490_000_000, 11),
        "address": ids("Street No. ", _shared(draw, firms, _SHARED_IN_GROUP) + 1, 1),
        "collector": choice_of(_COLLECTORS, draw.integers(0, len(_COLLECTORS), len(firm))),
    }


def _names(draw: np.random.Generator, firms: Firms, firm: Ints) -> pa.Array:
    first = choice_of(_FIRST, draw.integers(0, len(_FIRST), len(firm)))
    second = choice_of(_SECOND, draw.integers(0, len(_SECOND), len(firm)))
    form = choice_of(_FORMS, firms.place)
    company = pc.binary_join_element_wise(first, second, ids("", firm + 1, 1), form, " ")
    person = pc.binary_join_element_wise(second, first, ids("", firm + 1, 1), " ")
    body = pc.binary_join_element_wise("City of", first, ids("", firm + 1, 1), " ")
    return pc.if_else(firms.is_natural_person, person, pc.if_else(firms.is_public_body, body, company))


def _shared(draw: np.random.Generator, firms: Firms, share_in_group: float) -> Ints:
    """A number per firm: its own, the same as another firm's for a few, or its group's first firm's."""
    count = len(firms.size)
    number = np.arange(count)
    leader = np.full(int(firms.group.max(initial=0)) + 1, count)
    np.minimum.at(leader, np.maximum(firms.group, 0), np.where(firms.group >= 0, number, count))
    of_group: Bools = (firms.group >= 0) & (draw.random(count) < share_in_group)
    other = draw.integers(0, count, count)
    is_other = draw.random(count) < _SHARED_SHARE
    picked = np.where(of_group, leader[np.maximum(firms.group, 0)], np.where(is_other, other, number))
    return picked.astype(np.int64)


def _moved(draw: np.random.Generator, first: pa.Table, known_on: Ints, line: Timeline) -> pa.Table:
    """The same customers again at a new address, known from a day within the ledger."""
    day = line.first_day + (draw.random(len(known_on)) * (line.last_day - line.first_day)).astype(np.int64)
    chance: Floats = draw.random(len(known_on))
    is_moved = (chance < _MOVED_SHARE) & (day > known_on)
    address = ids("Avenue ", np.arange(1, len(known_on) + 1), 1)
    moved = first.set_column(first.schema.get_field_index("address"), "address", address)
    moved = moved.set_column(first.schema.get_field_index("known_on"), "known_on", dates(day))
    return moved.filter(pa.array(is_moved))
