"""What a group of exceptions comes down to."""


def only(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The one exception of a group, however deep."""
    (error,) = group.exceptions
    return only(error) if isinstance(error, BaseExceptionGroup) else error
