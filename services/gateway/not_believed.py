"""What is said to the gateway and not believed."""

from shared.domain.gatekeeping.refusal import Refusal


class NotBelieved(Exception):  # noqa: N818 - an answer, not a fault of ours
    """A command is not carried out: why, in a word and in a sentence."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(str(refusal))
        self.reason = refusal.reason
