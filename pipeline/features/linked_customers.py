"""Other customers behind the same bank account, telephone or address: one hand with several names, or a straw man."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.features.absence import NO_MARK
from pipeline.features.feature import FeatureFamily, Risk, Unit, feature
from pipeline.features.links import LINKS

if TYPE_CHECKING:
    import ibis.expr.types as ir


def _shared(mark: str, english: str, chinese: str) -> FeatureFamily:
    def count(links: ir.Table) -> ir.Value:
        return links[f"{mark}_count"]

    count.__doc__ = f"Number of other customers with the same {english}, compared as hashes; 0 when nobody has it too."
    return feature(
        source=LINKS,
        idea=f"shared_{mark}_count",
        unit=Unit.COUNT,
        risk=Risk.RISES,
        null_means=NO_MARK,
        title_en=f"Other customers with the same {english}",
        title_zh=f"使用相同{chinese}的其他客户数",
        en=f"{{value:.0f}} other customer{{s}} with the same {english}",
        zh=f"另有{{value:.0f}}家客户使用相同的{chinese}",
    )(count)


shared_bank_account_count = _shared("bank_account", "bank account", "银行账户")
shared_phone_count = _shared("phone", "telephone", "电话")
shared_address_count = _shared("address", "address", "地址")


@feature(
    source=LINKS,
    tables=("invoices", "payments", "events"),
    unit=Unit.COUNT,
    risk=Risk.RISES,
    null_means=NO_MARK,
    title_en="Defaults behind a shared account, telephone or address",
    title_zh="共用账户、电话或地址的违约客户数",
    en="{value:.0f} customer{s} with the same account, telephone or address defaulted",
    zh="有{value:.0f}家使用相同账户、电话或地址的客户违约",
)
def linked_default_count(links: ir.Table) -> ir.Value:
    """Other customers with the same account, telephone or address that have defaulted, one for each mark they share.

    A default is an insolvency of 24 months, a write-off of 12 or an item more than 90 days past due.
    """
    return links.defaulted_count
