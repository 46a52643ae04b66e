from shared.runtime.health import Check, Health


def test_a_check_that_was_never_reported_is_not_ready() -> None:
    health = Health("broker", "store")
    health.passing("broker")

    assert not health.is_ready
    assert health.report()["store"] == Check(ready=False, reason="not started")


def test_ready_means_every_check_passes() -> None:
    health = Health("broker")
    health.passing("broker")
    assert health.is_ready

    health.failing("store", "connection refused")
    assert not health.is_ready


def test_a_watched_check_is_asked_every_time() -> None:
    reasons: list[str | None] = [None, "no tick for 30 s"]
    health = Health("feed")
    health.watch("feed", lambda: reasons.pop(0))

    assert health.is_ready
    assert health.report() == {"feed": Check(ready=False, reason="no tick for 30 s")}


def test_a_probe_that_raises_is_a_check_that_fails() -> None:
    def probe() -> str | None:
        raise LookupError("lease")

    health = Health()
    health.watch("lease", probe)

    assert health.report() == {"lease": Check(ready=False, reason="LookupError: lease")}
