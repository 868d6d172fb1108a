"""Exposure at default, loss given default and expected loss of every customer of the day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.score.position_columns import cents, money, number

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from pipeline.score.policy_sections import LossSection
    from pipeline.score.rating import Rating


@dataclass(frozen=True)
class Exposure:
    """Amounts in the base currency, one per position row; NaN is null."""

    ead: npt.NDArray[np.float64]
    lgd: npt.NDArray[np.float64]
    expected_loss: npt.NDArray[np.float64]
    utilisation: npt.NDArray[np.float64]

    @property
    def total_ead(self) -> float:
        """EAD of the whole book, added in cents."""
        return int(cents(self.ead).sum()) / 100.0


def expose(positions: pd.DataFrame, rating: Rating, loss: LossSection) -> Exposure:
    """EAD = open balance (not below 0) + share of committed orders; EL = PD × LGD × EAD; null where not rated.

    Utilisation is open balance over the present limit: null without a limit or with a limit of 0, above 1 when
    overdrawn. Formula of expected loss: CRR Article 158(5).
    """
    open_amount = money(positions["open_amount"])
    committed = np.nan_to_num(money(positions["committed_orders_amount"]))
    ead = np.rint((np.maximum(open_amount, 0.0) + loss.committed_orders_share * committed) * 100.0) / 100.0
    lgd = _lgd(positions, rating.segment, ead, loss)
    limit = money(positions["limit_current"])
    has_limit = limit > 0
    utilisation = np.where(has_limit, open_amount / np.where(has_limit, limit, 1.0), np.nan)
    return Exposure(ead, lgd, np.rint(rating.pd * lgd * ead * 100.0) / 100.0, utilisation)


def _lgd(
    positions: pd.DataFrame, segment: npt.NDArray[np.object_], ead: npt.NDArray[np.float64], loss: LossSection
) -> npt.NDArray[np.float64]:
    cover = np.nan_to_num(money(positions["cover_amount"]))
    covered_share = number(positions["covered_share"])
    covered_share = np.where(np.isnan(covered_share), loss.covered_share_default, covered_share)
    # Without exposure the next unit of it is meant: fully within the cover, if there is one.
    reach = np.where(ead > 0, np.minimum(cover / np.where(ead > 0, ead, 1.0), 1.0), cover > 0)
    secured_share = covered_share * reach
    secured = np.array([loss.secured_lgd.get(s, np.nan) for s in segment])
    unsecured = np.array([loss.unsecured_lgd.get(s, np.nan) for s in segment])
    lgd: npt.NDArray[np.float64] = secured_share * secured + (1.0 - secured_share) * unsecured
    return lgd
