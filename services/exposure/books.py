"""What the configuration says of the books whose exposure is computed."""

from shared.adapters.settings import Settings
from shared.domain.exposure.layout import ExposureBook
from shared.domain.strategy_policies import acts_on_greeks


def exposure_books(settings: Settings) -> tuple[ExposureBook, ...]:
    """Make of every book what the monitor is told of it."""
    return tuple(
        ExposureBook(
            name=book.name,
            opening=settings.positions.get(book.name, {}),
            legs=settings.legs.get(book.name, {}),
            is_measured=acts_on_greeks(book),
        )
        for book in settings.books
    )
