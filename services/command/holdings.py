"""What `hedgestat check` says of opening positions and options: counts, and what has expired."""

from collections.abc import Iterator
from typing import Final

from shared.adapters.catalogue import make_catalogue
from shared.adapters.settings import Settings

_MOST_NAMED: Final = 5


def told_holdings(settings: Settings, now_ns: int) -> Iterator[str]:
    """Say, a line each, what books open with and which quotes of options are taken."""
    catalogue = make_catalogue(settings.instruments, settings.calendar)
    for book, held in settings.positions.items():
        expired = [name for name in held if catalogue.resolve(name).is_expired(now_ns)]
        if held:
            yield f"{book} opens with {len(held)} positions{_told(expired)}."
    if settings.intake.option_roots:
        roots = ", ".join(sorted(settings.intake.option_roots))
        yield f"Quotes of options are taken of {roots}."


def _told(expired: list[str]) -> str:
    if not expired:
        return ""
    more = ", …" if len(expired) > _MOST_NAMED else ""
    return f"; {len(expired)} of them have expired: {', '.join(expired[:_MOST_NAMED])}{more}"
