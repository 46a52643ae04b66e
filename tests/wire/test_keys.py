"""Key names are fixed: another process, or another version, must find the same things."""

import pytest

from shared.wire import keys


def test_every_key_has_the_name_it_was_shipped_with() -> None:
    assert [
        keys.record("hedger-spx"),
        keys.lease("hedger"),
        keys.halt(),
        keys.journal(),
        keys.executions(),
        keys.signal_log(),
        keys.decisions(),
        keys.expected(),
        keys.announcements("hedger"),
        keys.outbox(),
        keys.history(),
        keys.signals(),
        keys.exposure_log(),
        keys.exposure("overlay"),
    ] == [
        "hedge:v1:{hedger-spx}:record",
        "hedge:v1:{hedger}:lease",
        "hedge:v1:{hedger}:halt",
        "hedge:v1:{ingest}:journal",
        "hedge:v1:{ingest}:executions",
        "hedge:v1:{signals}:log",
        "hedge:v1:{hedger}:decisions",
        "hedge:v1:{auditor}:expected",
        "hedge:v1:{hedger}:announcements",
        "hedge:v1:{hedger}:outbox",
        "hedge:v1:{dashboard}:history",
        "hedge:v1:{signals}:signals",
        "hedge:v1:{exposure}:log",
        "hedge:v1:{exposure}:exposure:overlay",
    ]


def test_a_shard_names_its_own_keys() -> None:
    assert keys.outbox("hedger-spx") == "hedge:v1:{hedger-spx}:outbox"


@pytest.mark.parametrize("stage", ["", "a}b", "a{b", "a:b", "a b", "a\n", "a" * 65, "é"])
def test_a_name_that_could_forge_a_hash_tag_is_refused(stage: str) -> None:
    with pytest.raises(ValueError, match="a stage is named"):
        keys.record(stage)


def test_a_stage_owns_the_keys_of_its_own_hash_tag_only() -> None:
    assert keys.owns("hedger", keys.outbox("hedger"))
    assert not keys.owns("hedger", keys.outbox("hedger-spx"))
    assert not keys.owns("hedger", keys.journal())
