"""What the figures come to, in sentences: cautious ones, with the figure that each rests on."""

from collections.abc import Iterator, Sequence
from typing import Final

from services.command.figures import counted
from services.command.study.report.contents import Contents, VariantStudy
from services.command.study.report.wording import interval, money, percent, ratio

_MOST_NAMED: Final = 4


def summary(contents: Contents) -> list[str]:
    """Return the report's summary, a paragraph each."""
    return [
        *_subject(contents),
        *_cost(contents),
        *_protection(contents),
        *_growth(contents),
        *_trust(contents),
    ]


def _subject(contents: Contents) -> Iterator[str]:
    said, first = contents.provenance, contents.reference.figures.performance
    prints = {"closes": "one print a session, its close"}.get(
        said.prints, "open, low, high and close of each session"
    )
    alone = first.unhedged
    text = (
        f"{counted(len(contents.variants), 'hedge')} of book {said.book} over "
        f"{counted(first.sessions, 'session')} from {first.first} to {first.last}, {prints}. "
        f"The portfolio alone returned {percent(alone.annual_return)} a year and fell by "
        f"{percent(abs(alone.maximum_drawdown or 0.0))} at its worst; it had "
        f"{counted(len(first.crashes), 'fall')} by more than 5%, the crash windows of this report."
    )
    if first.sessions_skipped:
        text += f" {counted(first.sessions_skipped, 'session')} lacked a level and did not count."
    yield text
    if contents.is_uneven:
        yield (
            "Not all hedges cover the same sessions, because not all instruments do: figures of "
            "hedges over other sessions cannot be held against each other."
        )


def _cost(contents: Contents) -> Iterator[str]:
    currency = contents.provenance.currency
    priced = [
        (cost, each)
        for each in contents.variants
        if (cost := each.figures.performance.hedge.cost_per_year) is not None and _traded(each)
    ]
    if not priced:
        return
    cost, cheapest = min(priced, key=lambda pair: pair[0])
    dear, dearest = max(priced, key=lambda pair: pair[0])
    text = f"In quiet times {cheapest.name} cost least, {money(cost)} {currency} a year"
    if dearest is not cheapest:
        text += f"; {dearest.name} most, {money(dear)}"
    static = contents.reference.figures.performance.static.cost_per_year
    if static is not None:
        text += f". The base hedge held throughout, traded for nothing, cost {money(static)}"
    yield f"{text}."


def _protection(contents: Contents) -> Iterator[str]:
    rated = [
        (effect, each)
        for each in contents.variants
        if (effect := each.figures.performance.hedge.effectiveness) is not None and _traded(each)
    ]
    if not rated:
        yield "No fall beyond 5% lies in these sessions: nothing is said about protection."
        return
    effect, best = max(rated, key=lambda pair: pair[0])
    text = (
        f"In the crash windows {best.name} made up for most: {percent(effect)} of what the "
        f"portfolio lost"
    )
    if best.intervals.effectiveness is not None:
        ends = interval(best.intervals.effectiveness)
        text += f" (HER {ratio(effect)}, {_confidence(best)} interval {ends})"
    static = contents.reference.figures.performance.static.effectiveness
    yield f"{text}; the free static hedge {percent(static)}."


def _growth(contents: Contents) -> Iterator[str]:
    gained = [
        (found, each)
        for each in contents.variants
        if (found := each.intervals.sharpe_gain) is not None and _traded(each)
    ]
    if not gained:
        return
    better = [each for found, each in gained if found.low > 0]
    worse = [each for found, each in gained if found.high < 0]
    parts = []
    if better:
        parts.append(f"{_named(better)} raised it by more than chance explains")
    if worse:
        parts.append(f"{_named(worse)} lowered it by more than chance explains")
    other = len(gained) - len(better) - len(worse)
    if other:
        whose = "none of the hedges" if other == len(gained) else "none of the others"
        parts.append(f"{whose} can be told from no hedge at all by it on this history")
    alone = ratio(contents.reference.figures.performance.unhedged.sharpe, 3)
    said = "; ".join(parts)
    yield f"The portfolio’s Sharpe ratio alone is {alone}: {said}."


def _trust(contents: Contents) -> Iterator[str]:
    flagged = [each for each in contents.variants if each.flags]
    tried = contents.provenance.tried
    text = f"{counted(tried, 'configuration')} {'was' if tried == 1 else 'were'} tried in all"
    warned = [each for each in contents.variants if each.selection and each.selection.warning]
    if warned:
        text += f"; so many explain the Sharpe ratio of {_named(warned)}"
    text += ". "
    text += f"Red flags: {_named(flagged)}." if flagged else "No red flag was raised."
    yield text


def _traded(each: VariantStudy) -> bool:
    return each.figures.performance.trades > 0


def _named(variants: Sequence[VariantStudy]) -> str:
    names = [each.name for each in variants[:_MOST_NAMED]]
    more = len(variants) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def _confidence(each: VariantStudy) -> str:
    found = each.intervals.effectiveness
    return "" if found is None else percent(found.confidence, 0)
