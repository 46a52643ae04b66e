"""Texts that would be more than texts on a page that lets them."""

from typing import Any, Final

HOSTILE: Final = (
    '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>\'"&{{7*7}}'
    "</title><svg onload=window.hacked=1>"
)

_KEPT: Final = frozenset(("state", "quality", "status", "kind", "side", "clock", "severity"))


def hostile(value: Any, field: str = "") -> Any:  # noqa: ANN401 - JSON
    """Put markup into every text that is neither a time nor one of few words, and in every key."""
    match value:
        case dict():
            named = field in {"figures", "inputs", "peak", "checks", "parts"}
            return {
                (key + HOSTILE if named else key): hostile(each, key) for key, each in value.items()
            }
        case list():
            return [hostile(each, field) for each in value]
        case str() if field in _KEPT or field.endswith(("time", "since", "until", "as_of")):
            return value
        case str():
            return value + HOSTILE
        case _:
            return value
