"""What the examinations of a deployment say, in the words that a person reads."""

from collections.abc import AsyncIterator, Iterable

from shared.adapters.examination.findings import Finding


async def collected(findings: AsyncIterator[Finding]) -> list[Finding]:
    """All of them."""
    return [each async for each in findings]


def faults(findings: Iterable[Finding]) -> list[str]:
    """What is wrong, each with something to do about it."""
    wrong = [each for each in findings if not each.is_well]
    assert all(each.remedy for each in wrong)
    return [f"{each.subject}: {each.seen}" for each in wrong]
