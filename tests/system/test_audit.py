"""What a run leaves can be audited: by the auditor beside it, and by the commands after it."""

import json
import signal
import subprocess
from pathlib import Path

import pytest
from fakes.command import hedgestat
from fakes.installation import SERVICES, Installation
from fakes.outcome import Run

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]


@pytest.mark.campaign
def test_killed_services_are_no_mismatch_and_the_run_can_be_verified_and_decided_again(
    history: Path, undisturbed: Run, tmp_path: Path
) -> None:
    services = [*SERVICES, "auditor"]
    with Installation(tmp_path, history, services) as installation:
        installation.replay(
            *(
                (undisturbed.next_order_after(share), lambda name=name: installation.kill(name))
                for share, name in (
                    (0.2, "auditor"),
                    (0.4, "gateway"),
                    (0.6, "hedger"),
                    (0.8, "auditor"),
                )
            )
        )

        def command(*words: str) -> subprocess.CompletedProcess[str]:
            configuration = str(tmp_path / "hedgestat.toml")
            variables = {
                "HEDGESTAT_MQTT_URL": installation.mosquitto.url,
                "HEDGESTAT_REDIS_URL": f"{installation.redis.url}/0",
                "COLUMNS": "200",
            }
            return hedgestat(*words, "-c", configuration, directory=tmp_path, variables=variables)

        order = undisturbed.outcome.orders[-3]
        why = command("why", order.order_id, "--json")
        assert why.returncode == 0, why.stderr
        told = json.loads(why.stdout)
        assert told["answer"]["status"] == "accepted"
        assert told["executions"]
        installation.services["hedger"].send(signal.SIGINT)
        installation.services["hedger"].ended()
        verified = command("audit", "verify")
        assert verified.returncode == 0, verified.stderr
        assert "nobody has signed yet" in verified.stdout
        exported = command("journal", "export", "run.parquet")
        assert exported.returncode == 0, exported.stderr
        replayed = command("journal", "replay", "run.parquet", "--compare")
        assert replayed.returncode == 0, replayed.stderr
        assert "byte for byte as they were recorded" in replayed.stdout
        auditor = installation.services["auditor"].log
        assert "audit_mismatch" not in auditor
        assert installation.outcome() == undisturbed.outcome
