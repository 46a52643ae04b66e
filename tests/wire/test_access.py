from itertools import product

import pytest

from shared.wire import keys, topics
from shared.wire.access import (
    ALL_KEYS,
    IDENTITIES,
    LOGINS,
    NAMES,
    READER,
    TOLD,
    Identity,
    StoreRights,
    announcer,
    identity_of,
)
from shared.wire.asyncapi import CHANNELS

BY_NAME = {identity.name: identity for identity in IDENTITIES}


def test_a_connection_logs_in_as_its_service_or_as_the_service_it_is_part_of() -> None:
    assert identity_of("hedger") == "hedger"
    assert identity_of("gateway-control") == "gateway"
    assert set(LOGINS.values()) <= set(NAMES)


def test_no_identity_stands_there_twice() -> None:
    assert len(set(NAMES)) == len(NAMES)


def test_rights_are_told_apart_by_the_role_of_the_store() -> None:
    identity = Identity(
        name="any", orders=StoreRights(leads=("a",)), market=StoreRights(leads=("b",))
    )
    assert identity.store("orders").leads == ("a",)
    assert identity.store("market").leads == ("b",)


def test_a_stage_is_led_by_one_identity_in_one_role() -> None:
    leads = [
        stage
        for identity in IDENTITIES
        for stage in (*identity.orders.leads, *identity.market.leads)
    ]
    assert len(set(leads)) == len(leads)
    assert announcer("hedger") in leads


@pytest.mark.parametrize("channel", CHANNELS, ids=lambda channel: channel.name)
def test_every_channel_of_the_contract_has_somebody_who_says_it_and_somebody_who_hears_it(
    channel: object,
) -> None:
    topic: str = channel.topic  # type: ignore[attr-defined]
    head = topic.partition("+")[0]
    sayers = [
        each.name for each in IDENTITIES if any(one.startswith(head) for one in each.publishes)
    ]
    hearers = [
        each.name for each in IDENTITIES if any(one.startswith(head) for one in each.subscribes)
    ]
    assert sayers
    assert hearers


def test_a_reader_writes_nothing_anywhere() -> None:
    reader = BY_NAME[READER]
    assert not reader.publishes
    for rights in (reader.orders, reader.market):
        assert rights == StoreRights(reads=(ALL_KEYS,))


def test_what_is_told_steers_nothing() -> None:
    steering = ("/control/", "/epochs/", "/heartbeats/", "/ticks", "/clock", "/measurements")
    assert not [topic for topic, part in product(TOLD, steering) if part in topic]


def test_only_an_operator_resumes_and_sets_the_halt_key() -> None:
    assert [each.name for each in IDENTITIES if topics.RESUME in each.publishes] == ["operator"]
    assert [each.name for each in IDENTITIES if each.orders.sets or each.market.sets] == [
        "operator"
    ]
    assert BY_NAME["operator"].orders.sets == (keys.halt(),)
