"""The gateway's own door: open to its owner, and to nobody else."""

import asyncio
import stat
from pathlib import Path

import pytest

from shared.adapters.control_socket import (
    Answer,
    CommandGiven,
    GatewayRefused,
    GatewayStatus,
    GatewayUnreachable,
    HaltAsked,
    NotDone,
    OrdersAsked,
    OrdersTold,
    Request,
    StatusAsked,
    ask_gateway,
    command_locally,
    gateway_orders,
    gateway_status,
    halt_locally,
    serve_control,
)
from shared.adapters.record import RecordedOrder
from shared.domain.trading import TradingState

STATUS = GatewayStatus(
    scopes={"all": TradingState.HALTED}, orders=(), epoch=3, answered=4, heard_s=None
)


def recorded(number: int) -> RecordedOrder:
    return RecordedOrder(
        number=number,
        order_id=f"overlay-{number:08d}-swap",
        epoch=1,
        received_ns=5,
        status="accepted",
        reason="",
        payload=b'{"a":"\xc3\xa9"}\nsignature',
    )


class Gateway:
    """Answers by the kind of question, and notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.answer: Answer = STATUS

    async def __call__(self, request: Request) -> Answer:
        self.asked.append(request)
        if isinstance(request, OrdersAsked):
            following = range(request.after + 1, min(request.after + 3, 6))
            return OrdersTold(tuple(map(recorded, following)))
        return self.answer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gateway.sock"


async def test_its_owner_alone_may_open_it(path: Path) -> None:
    async with serve_control(path, Gateway()):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600  # noqa: ASYNC240 - a test
    assert not path.exists()  # noqa: ASYNC240 - a test


async def test_one_that_a_killed_gateway_left_is_replaced(path: Path) -> None:
    path.touch()  # noqa: ASYNC240 - a test
    async with serve_control(path, Gateway()):
        assert await gateway_status(path) == STATUS


async def test_every_order_after_a_number_is_told_in_as_many_answers_as_it_takes(
    path: Path,
) -> None:
    gateway = Gateway()
    async with serve_control(path, gateway):
        assert await gateway_orders(path, 1) == [recorded(number) for number in range(2, 6)]
    assert gateway.asked == [OrdersAsked(1), OrdersAsked(3), OrdersAsked(5)]


async def test_a_halt_and_a_sealed_command_arrive_as_they_were_given(path: Path) -> None:
    gateway = Gateway()
    async with serve_control(path, gateway):
        assert await halt_locally(path, "all", "reducing", "desk-1", "drill") == STATUS
        assert await command_locally(path, "control/resume", b"\x00sealed") == STATUS
    assert gateway.asked == [
        HaltAsked(scope="all", state="reducing", operator="desk-1", reason="drill"),
        CommandGiven("control/resume", b"\x00sealed"),
    ]


async def test_what_the_gateway_does_not_do_is_said_in_its_words(path: Path) -> None:
    gateway = Gateway()
    gateway.answer = NotDone("no such book")
    async with serve_control(path, gateway):
        with pytest.raises(GatewayRefused, match="no such book"):
            await halt_locally(path, "nowhere", "halted", "desk-1", "drill")
        gateway.answer = OrdersTold(())
        with pytest.raises(GatewayRefused, match="unexpected"):
            await gateway_status(path)


@pytest.mark.parametrize("line", [b"{", b"\xff", b'{"type":"resume"}', b"[" * 50_000])
async def test_what_is_no_request_is_answered_so_and_the_next_one_is_heard(
    path: Path, line: bytes
) -> None:
    async with serve_control(path, Gateway()):
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(line + b"\n" + b'{"type":"status"}\n')
        assert b"not a request" in await reader.readline()
        assert b"halted" in await reader.readline()
        writer.close()


async def test_where_nobody_listens_that_is_said(path: Path) -> None:
    with pytest.raises(GatewayUnreachable, match="No such file"):
        await gateway_status(path)


async def test_one_that_does_not_answer_in_time_is_unreachable(path: Path) -> None:
    async def never(_: Request) -> Answer:
        await asyncio.Event().wait()
        return STATUS

    async with serve_control(path, never):
        with pytest.raises(GatewayUnreachable, match=r"no answer in 0\.05 s"):
            await ask_gateway(path, StatusAsked(), timeout_s=0.05)


async def test_one_that_dies_in_mid_answer_is_unreachable(path: Path) -> None:
    async def die(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b'{"type":"gate')
        writer.close()

    async with await asyncio.start_unix_server(die, path):
        with pytest.raises(GatewayUnreachable, match="cut off"):
            await gateway_status(path)
