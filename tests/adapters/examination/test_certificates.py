"""Certificates that servers show, looked at over real handshakes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.clock import ManualClock
from fakes.command import DEPLOY
from fakes.findings import collected, faults
from fakes.secured import SecuredServers
from fakes.servers import free_port

from shared.adapters.certificates import SERVER_DAYS
from shared.adapters.clock import SystemClock
from shared.adapters.examination.certificates import examine_certificates
from shared.adapters.settings import Settings, load_settings
from shared.domain.instants import DAY

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredServers]:
    with SecuredServers(tmp_path_factory.mktemp("servers")) as running:
        yield running


def settings(servers: SecuredServers, **others: str) -> Settings:
    environment = servers.environment("operator") | others
    return load_settings(DEPLOY / "hedges.toml", environment)


async def test_each_server_says_until_when_it_is_good(servers: SecuredServers) -> None:
    findings = await collected(examine_certificates(settings(servers), SystemClock()))
    assert faults(findings) == []
    assert [each.subject.partition(" ")[0] for each in findings] == ["broker", "store", "store"]
    assert all("good until 20" in each.seen for each in findings)


@pytest.mark.parametrize(("days", "is_well"), [(14, True), (13, False), (-1, False)])
async def test_one_that_ends_soon_is_to_be_renewed(
    servers: SecuredServers, days: int, *, is_well: bool
) -> None:
    clock = ManualClock(SystemClock().now_ns() + (SERVER_DAYS - days) * DAY - DAY // 2)
    findings = await collected(examine_certificates(settings(servers), clock))
    assert {each.is_well for each in findings} == {is_well}
    assert is_well or "hedgestat certificates make" in findings[0].remedy


async def test_one_that_is_not_believed_is_named_with_whom_to_believe(
    servers: SecuredServers, tmp_path: Path
) -> None:
    with SecuredServers(tmp_path / "others") as others:
        stranger = settings(servers, HEDGESTAT_CA_FILE=others.ca_file)
        findings = await collected(examine_certificates(stranger, SystemClock()))
    assert len(faults(findings)) == 3
    assert "ca_file" in findings[0].remedy


async def test_a_server_that_does_not_answer_is_a_fault_and_one_in_clear_is_passed_over(
    servers: SecuredServers,
) -> None:
    silent = settings(
        servers,
        HEDGESTAT_MQTT_URL=f"mqtts://127.0.0.1:{free_port()}",
        HEDGESTAT_REDIS_URL="redis://127.0.0.1:6379/0",
        HEDGESTAT_REDIS_MARKET_URL="redis://127.0.0.1:6379/0",
    )
    (finding,) = await collected(examine_certificates(silent, SystemClock()))
    assert faults([finding])
    assert finding.remedy == "start the server; correct its URL"
