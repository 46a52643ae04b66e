"""The outcome of a check, and how one is made."""

from msgspec import Struct


class Finding(Struct, frozen=True):
    """The outcome of one check.

    Attributes:
        subject: What was looked at.
        is_well: Whether it is as it should be.
        seen: What was seen.
        remedy: What to do when it is not well; empty otherwise.
    """

    subject: str
    is_well: bool
    seen: str
    remedy: str = ""


def well(subject: str, seen: str) -> Finding:
    """It is as it should be."""
    return Finding(subject, is_well=True, seen=seen)


def wrong(subject: str, seen: str, remedy: str) -> Finding:
    """It is not, and this is what to do."""
    return Finding(subject, is_well=False, seen=seen, remedy=remedy)
