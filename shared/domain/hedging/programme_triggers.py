"""When a programme of spec section 10 asks for a decision: conditions like the others.

The hold is that of the book's other market triggers: one print of a spike sells nothing.
"""

from msgspec import Struct

from shared.domain.hedging.conditions import Facts
from shared.domain.hedging.rules import RULES, parameters_of
from shared.domain.hedging.triggers import Evidence
from shared.domain.instants import SECOND
from shared.domain.policies import BookPolicy, Hold


class StageReached(Struct, frozen=True, kw_only=True):
    """A staged rule stands at another stage than at the last decision.

    No margin beyond: the stages have their own hysteresis.
    """

    driver: str
    hold: Hold
    name: str = "stage"
    urgent: bool = False

    def judge(self, facts: Facts) -> Evidence:
        """Compare the stage with that of the last decision; a print of the driver observes it."""
        before, driver = facts.references.stage, facts.signals.get(self.driver)
        if facts.stage is None or driver is None or not facts.references.rebalanced_ns:
            return Evidence(None, reference=before)
        moved = facts.stage != before
        size = abs(facts.stage - before)
        return Evidence(moved, not moved, driver.observations, before, size)

    def inputs(self, facts: Facts) -> dict[str, float]:
        """Return both stages, where known."""
        figures = {"reference_stage": float(facts.references.stage)}
        return figures if facts.stage is None else {"stage": float(facts.stage)} | figures


class SleeveBeyond(Struct, frozen=True, kw_only=True):
    """The options held are worth more of NAV than the line at which they are harvested.

    What is ordered counts as held: a decision ends the condition, and so is a new reference.
    """

    driver: str
    limit: float
    margin: float
    hold: Hold
    name: str = "harvest"
    urgent: bool = False

    def judge(self, facts: Facts) -> Evidence:
        """Compare the sleeve with its line; a print of the portfolio observes it."""
        driver, since = facts.signals.get(self.driver), facts.references.rebalanced_ns / SECOND
        if facts.sleeve is None or driver is None:
            return Evidence(None, reference=since)
        clear = facts.sleeve < self.limit * (1 - self.margin)
        return Evidence(
            facts.sleeve > self.limit, clear, driver.observations, since, size=facts.sleeve
        )

    def inputs(self, facts: Facts) -> dict[str, float]:
        """Return the sleeve, where known, and its line."""
        line = {"limit": self.limit}
        return line if facts.sleeve is None else {"sleeve": facts.sleeve} | line


def programme_conditions(
    policy: BookPolicy, staged_by: str | None
) -> tuple[StageReached | SleeveBeyond, ...]:
    """Return what a book's rules ask for of their own.

    Args:
        policy: The book.
        staged_by: What a staged rule is measured on; `None` without one.
    """
    hold, nav = policy.triggers.hold, f"nav.{policy.name}"
    harvests = [
        SleeveBeyond(
            driver=nav,
            limit=parameters_of(rule)["harvest_above"],
            margin=policy.triggers.hysteresis,
            hold=hold,
        )
        for rule in policy.rules
        if "harvest_above" in {each.name for each in RULES[rule.kind].parameters}
    ]
    if staged_by is None:
        return tuple(harvests)
    driver = nav if staged_by.startswith("sleeve.") else staged_by
    return (*harvests, StageReached(driver=driver, hold=hold))
