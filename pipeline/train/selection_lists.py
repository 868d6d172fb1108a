"""The lists a committee gives to the selection: what must be in the card, and what may never be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from pipeline.params import ScorecardParams


def usable(catalogue: Sequence[Mapping[str, Any]], never_use: Sequence[str]) -> list[Mapping[str, Any]]:
    """The catalogue without the features never to be used.

    >>> usable([{"name": "a"}, {"name": "b"}], ["b"])
    [{'name': 'a'}]
    """
    return [feature for feature in catalogue if feature["name"] not in never_use]


def check_lists(settings: ScorecardParams, names: Sequence[str]) -> None:
    """Raises ParameterError naming every breach at once: an unknown feature, one on both lists, one twice, or more
    must-haves than the card has places."""
    known = set(names)
    lists = {"must_have": settings.must_have, "never_use": settings.never_use}
    breaches = [
        f"fit_scorecard.{key}: {name!r} is no feature of the catalogue"
        for key, listed in lists.items()
        for name in sorted(set(listed) - known)
    ]
    breaches += [
        f"fit_scorecard.{key}: {name!r} stands there {listed.count(name)} times"
        for key, listed in lists.items()
        for name in sorted(set(listed))
        if listed.count(name) > 1
    ]
    breaches += [
        f"fit_scorecard: {name!r} stands on must_have and on never_use"
        for name in sorted(set(settings.must_have) & set(settings.never_use))
    ]
    if len(settings.must_have) > settings.max_variables:
        breaches.append(
            f"fit_scorecard.must_have: {len(settings.must_have)} features, above max_variables {settings.max_variables}"
        )
    if breaches:
        listed_breaches = "\n".join(f"  - {breach}" for breach in breaches)
        raise ParameterError(
            f"params.yaml: {len(breaches)} breach(es):\n{listed_breaches}\nCorrect the names; docs/features.md lists "
            "those of a ledger, the catalogue those of a table of your own."
        )
