"""Reads nested YAML with its path in hand: unknown keys and wrong types are collected, so all are told at once."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T")
_REQUIRED: Final = object()
_SPELLED = {
    str: "a text (quote it)",
    int: "a whole number",
    bool: "true or false",
    dict: "a section of keys",
    list: "a list",
}


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like `name`; null when none is alike. Case and separators do not count."""
    plain = {_plain(k): k for k in sorted(known)}
    found = difflib.get_close_matches(_plain(name), list(plain), n=1, cutoff=0.75)
    return plain[found[0]] if found else None


def _plain(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())


class Section:
    """A section of a YAML file. Every `take` removes a key; `close` tells the keys nobody took."""

    def __init__(self, raw: object, path: str, breaches: list[str]) -> None:
        self.path = path
        self.breaches = breaches
        self._raw: dict[Any, Any] = {}
        self._known: list[str] = []
        if isinstance(raw, dict):
            self._raw = dict(raw)
        else:
            self.refuse(f"expected a section of keys, found {raw!r}")

    def refuse(self, why: str, key: str = "") -> None:
        """Notes a breach at this section, or at a key of it."""
        place = ".".join(part for part in (self.path, key) if part) or "the file"
        self.breaches.append(f"{place}: {why}")

    def names(self) -> list[str]:
        """The keys not taken yet, in the order of the file."""
        return [str(key) for key in self._raw]

    def has(self, key: str) -> bool:
        """Whether the key is there and not taken yet; the key counts as known from then on."""
        self._known.append(key)
        return key in self._raw

    def take(self, key: str, wanted: type[T], default: Any = _REQUIRED) -> T:
        """The value of the key; a wrong type is told and the default (or an empty value) stands in."""
        self._known.append(key)
        fallback: T = wanted() if default is _REQUIRED else default
        if key not in self._raw:
            if default is _REQUIRED:
                self.refuse(f"is missing; expected {_SPELLED.get(wanted, wanted.__name__)}", key)
            return fallback
        raw = self._raw.pop(key)
        if isinstance(raw, wanted) and not (isinstance(raw, bool) and wanted is not bool):
            return raw
        self.refuse(f"expected {_SPELLED.get(wanted, wanted.__name__)}, found {raw!r}", key)
        return fallback

    def raw(self, key: str) -> Any:
        """The value of the key as YAML gave it; null when absent."""
        self._known.append(key)
        return self._raw.pop(key, None)

    def texts(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """A list of texts; anything else is told."""
        listed = self.take(key, list, list(default))
        wrong = [entry for entry in listed if not isinstance(entry, str)]
        if wrong:
            self.refuse(f"expected texts only (quote them), found {wrong[0]!r}", key)
        return tuple(entry for entry in listed if isinstance(entry, str))

    def section(self, key: str) -> Section:
        """The section below the key; absent, it is told as missing."""
        return Section(self.take(key, dict), self.join(key), self.breaches)

    def join(self, key: str) -> str:
        """The path of the key."""
        return f"{self.path}.{key}" if self.path else key

    def close(self) -> None:
        """Tells every key that was not taken, with the nearest known one."""
        for key in sorted(self.names()):
            near = nearest(key, self._known)
            hint = f"; did you mean {near}?" if near else f"; known here: {', '.join(sorted(set(self._known)))}"
            self.refuse(f"unknown key{hint}", key)
