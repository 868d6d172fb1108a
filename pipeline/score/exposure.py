"""Exposure at default, loss given default and expected loss of every customer of the day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipeline.score.position_columns import money, number

if TYPE_CHECKING:
    import numpy.typing as npt

    from pipeline.score.limit_sections import LossSection
    from pipeline.score.rating import Rating

    Floats = npt.NDArray[np.float64]


# Half a cent is half a cent, whatever the last digit of a double says: then it goes to the even cent.
_DIGITS = 6


@dataclass(frozen=True)
class LossRates:
    """What is lost of an amount drawn, one value per position row; `secured` and `unsecured` are NaN where not rated.

    Up to the cover, `covered_share` of the amount loses the secured LGD; everything else loses the unsecured one.
    """

    cover: Floats
    covered_share: Floats
    secured: Floats
    unsecured: Floats

    def lgd(self, drawn: Floats) -> Floats:
        """Share lost of the amount drawn; of nothing drawn, the share of the next unit."""
        reach = np.where(drawn > 0, np.minimum(self.cover / np.where(drawn > 0, drawn, 1.0), 1.0), self.cover > 0)
        secured_share = self.covered_share * reach
        lgd: Floats = secured_share * self.secured + (1.0 - secured_share) * self.unsecured
        return lgd

    def loss(self, drawn: Floats) -> Floats:
        """Amount lost if the customer defaults with that much drawn."""
        lost: Floats = drawn * self.lgd(drawn)
        return lost

    def drawn(self, lost: Floats) -> Floats:
        """The inverse: the most that may be drawn for the loss to stay within an amount; infinite where none is."""
        within = self.covered_share * self.secured + (1.0 - self.covered_share) * self.unsecured
        at_cover = within * self.cover
        with np.errstate(divide="ignore", invalid="ignore"):
            inside = np.where(within > 0, lost / within, np.inf)
            beyond = np.where(self.unsecured > 0, self.cover + (lost - at_cover) / self.unsecured, np.inf)
        # Within the cover nothing may be lost at all: then the cover itself is the least that may be drawn.
        drawn: Floats = np.where(lost <= at_cover, np.minimum(inside, np.maximum(self.cover, beyond)), beyond)
        return np.where(np.isnan(self.unsecured), np.nan, drawn)


@dataclass(frozen=True)
class Exposure:
    """Amounts in the base currency, one per position row; NaN is null."""

    ead: Floats
    lgd: Floats
    expected_loss: Floats
    utilisation: Floats
    rates: LossRates


def expose(positions: pd.DataFrame, rating: Rating, loss: LossSection) -> Exposure:
    """EAD and LGD by policy/lgd_ead.yaml; EL = PD × LGD × EAD, null where not rated.

    EAD = open balance (not below 0) + orders standing open + share of what the present limit leaves unused. Orders
    standing open = share × committed orders × min(1, terms / days within which they are delivered): orders delivered
    evenly, each open for the terms. Whoever is in default is delivered nothing more, so that EAD is what is open.
    Utilisation is open balance over the present limit: null without a limit or with a limit of 0, above 1 when
    overdrawn. Formula of expected loss: CRR Article 158(5).
    """
    open_amount = money(positions["open_amount"])
    limit = money(positions["limit_current"])
    ead = _ead(positions, open_amount, limit, loss)
    ead = np.where(rating.status == "in_default", np.maximum(open_amount, 0.0), ead)
    rates = _loss_rates(positions, rating, loss)
    lgd = rates.lgd(ead)
    has_limit = limit > 0
    utilisation = np.where(has_limit, open_amount / np.where(has_limit, limit, 1.0), np.nan)
    return Exposure(ead, lgd, np.rint(rating.pd * lgd * ead * 100.0) / 100.0, utilisation, rates)


def _ead(positions: pd.DataFrame, open_amount: Floats, limit: Floats, loss: LossSection) -> Floats:
    """To the cent; nothing comes from an unused limit where there is none, or where it is used up."""
    terms = number(positions["mean_terms_days"])
    terms = np.where(np.isnan(terms), loss.default_terms_days, np.maximum(terms, 0.0))
    at_once = np.minimum(terms / loss.committed_orders_days, 1.0)
    committed = np.nan_to_num(money(positions["committed_orders_amount"]))
    drawn = np.maximum(open_amount, 0.0) + loss.committed_orders_share * at_once * committed
    unused = np.maximum(np.nan_to_num(limit) - drawn, 0.0)
    in_cents = np.round((drawn + loss.unused_limit_share * unused) * 100.0, _DIGITS)
    ead: Floats = np.rint(in_cents) / 100.0
    return ead


def _loss_rates(positions: pd.DataFrame, rating: Rating, loss: LossSection) -> LossRates:
    covered_share = number(positions["covered_share"])
    covered_share = np.where(np.isnan(covered_share), loss.covered_share_default, covered_share)
    segments = list(loss.unsecured_lgd)
    at = pd.Index(segments, dtype=object).get_indexer(pd.Index(rating.segment, dtype=object))
    # A segment that is null stands at -1: the null at the end.
    secured, unsecured = (
        np.array([*(table[s] for s in segments), np.nan])[at] for table in (loss.secured_lgd, loss.unsecured_lgd)
    )
    return LossRates(np.nan_to_num(money(positions["cover_amount"])), covered_share, secured, unsecured)
