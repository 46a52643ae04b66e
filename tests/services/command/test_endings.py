"""What ends a command is told in a line a reason; a fault of ours keeps its traceback."""

import asyncio
from pathlib import Path

import pytest

from services.command.endings import Failed, Refused, named_reasons, refusing
from shared.adapters.record import RecordInUse
from shared.runtime.ledger import LeaseLost


async def lose(reason: Exception) -> None:
    raise reason


async def lose_all(*reasons: Exception) -> None:
    async with asyncio.TaskGroup() as tasks:
        inner = tasks.create_task(lose(ExceptionGroup("", [*reasons])))
        await inner


def test_every_reason_is_named_once() -> None:
    with pytest.raises(Failed) as failed, named_reasons():
        asyncio.run(lose_all(LeaseLost("another runs"), OSError("port"), OSError("port")))
    assert failed.value.args == ("another runs", "port")
    assert str(failed.value) == "another runs\nport"


def test_a_reason_without_words_is_named_by_its_kind() -> None:
    with pytest.raises(Failed, match="TimeoutError"), named_reasons():
        raise TimeoutError


def test_a_reason_that_comes_alone_is_one_too() -> None:
    with pytest.raises(Failed, match="in use"), named_reasons():
        raise RecordInUse("in use")


def test_an_answer_passes_as_it_is() -> None:
    with pytest.raises(Refused, match="no"), named_reasons():
        raise Refused("no")


def test_a_fault_of_ours_is_not_hidden() -> None:
    with pytest.raises(ExceptionGroup) as group, named_reasons():
        asyncio.run(lose_all(ZeroDivisionError()))
    assert group.group_contains(ZeroDivisionError)


def test_what_is_expected_and_trouble_with_a_file_is_refused_in_words() -> None:
    with pytest.raises(Refused, match="no such role"), refusing(KeyError, ValueError):
        raise ValueError("no such role")
    with pytest.raises(Refused, match="/nowhere: No such file"), refusing():
        Path("/nowhere").read_bytes()
    with pytest.raises(ZeroDivisionError), refusing(ValueError):
        raise ZeroDivisionError
