"""Why a message is refused."""


class Refusal(Exception):  # noqa: N818 - a verdict, not a fault
    """A message is refused: why, in a word and in a sentence."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
