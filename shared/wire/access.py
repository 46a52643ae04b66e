"""Who may say and hear what on the broker, and touch what in the stores: one row an identity.

An identity is a login: the name of a service, or of a kind of person. What does not stand here is
refused. The lists that the servers read are made of this table (`shared.adapters.access_lists`).
"""

from typing import Final, Literal

from msgspec import Struct

from shared.wire import keys, topics

Role = Literal["orders", "market"]

READER: Final = "reader"
"""Whoever only looks: it reads all that is told, and writes nothing."""

ALL_KEYS: Final = f"{keys.PREFIX}:*"


class StoreRights(Struct, frozen=True, kw_only=True):
    """What an identity may do in one role of the store.

    Attributes:
        leads: Stages whose every key it reads and writes.
        reads: Patterns of keys that it only reads.
        sets: Keys that it sets and deletes by hand.
        examines: Whether it may ask the server for its settings, as `hedgestat doctor` does.
    """

    leads: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    examines: bool = False


class Identity(Struct, frozen=True, kw_only=True):
    """One login.

    Attributes:
        name: Of the user, on broker and stores alike.
        publishes: Topics, `+` for a level that varies.
        subscribes: Topics that it is given messages of.
        orders: In the store of decisions and outbox.
        market: In the store of journal and signals.
    """

    name: str
    publishes: tuple[str, ...] = ()
    subscribes: tuple[str, ...] = ()
    orders: StoreRights = StoreRights()
    market: StoreRights = StoreRights()

    def store(self, role: Role) -> StoreRights:
        """What it may do in a role of the store."""
        return self.orders if role == "orders" else self.market


TOLD: Final = (
    topics.ORDERS,
    topics.ACKS,
    topics.EXECUTIONS,
    topics.TARGETS,
    topics.EXPOSURES,
    topics.TRIGGERS,
    topics.WHIPSAWS,
    topics.WITHHELD,
    topics.SIGNALS,
    topics.ALERTS,
    topics.REJECTS,
    topics.DECISION_HEAD,
    topics.TRADING,
    topics.PROGRESS,
    topics.STATUS,
)
"""What people read: all that we say, but not what steers us."""

SELF_TEST: Final = f"{topics.status('doctor')}/self-test"
"""Where `hedgestat doctor` sends a message round; a level too deep to be taken for a status."""

BROKER_FIGURES: Final = "$SYS/broker/#"


def announcer(stage: str) -> str:
    """Name the stage that remembers how far another one's notices have been told."""
    return f"{stage}-announcer"


def _status(*services: str) -> tuple[str, ...]:
    return tuple(topics.status(service) for service in services)


IDENTITIES: Final = (
    Identity(
        name="feed",  # all that comes from outside: prices, and what others say that we hold
        publishes=(
            topics.TICKS,
            topics.TICKS_OF_A_SYMBOL,
            topics.CLOCK,
            topics.POSITIONS,
            *_status("feed"),
        ),
        subscribes=(topics.PROGRESS,),
    ),
    Identity(
        name="ingest",
        publishes=(
            topics.REJECTS,
            topics.ALERTS,
            topics.progress("ingest"),
            *_status("ingest"),
        ),
        subscribes=(
            topics.TICKS,
            topics.TICKS_OF_A_SYMBOL,
            topics.CLOCK,
            topics.EXECUTIONS,
            topics.POSITIONS,
            topics.MEASUREMENTS,
            topics.REBALANCE,
            topics.HALT,
            topics.RESUME,
            topics.GATEWAY_STATE,
        ),
        market=StoreRights(
            leads=("ingest", announcer("ingest")),
            # how far the journal was read: what all have passed is trimmed
            reads=tuple(map(keys.record, ("signals", "gateway", "auditor", "exposure"))),
        ),
    ),
    Identity(
        name="signals",
        publishes=(topics.SIGNALS, topics.ALERTS, topics.progress("signals"), *_status("signals")),
        orders=StoreRights(reads=(keys.record("hedger"),)),
        market=StoreRights(leads=("signals",), reads=(keys.journal(),)),
    ),
    Identity(
        name="hedger",
        publishes=(
            topics.ORDERS,
            topics.TARGETS,
            topics.TRIGGERS,
            topics.WHIPSAWS,
            topics.WITHHELD,
            topics.ALERTS,
            topics.DECISION_HEAD,
            topics.epochs("hedger"),
            topics.heartbeats("hedger"),
            topics.progress("hedger"),
            *_status("hedger"),
        ),
        subscribes=(topics.ACKS, topics.epoch_answers("hedger")),
        orders=StoreRights(leads=("hedger", announcer("hedger"))),
        market=StoreRights(reads=(keys.signal_log(),)),
    ),
    Identity(
        name="exposure",
        publishes=(
            topics.EXPOSURES,
            topics.MEASUREMENTS,
            topics.ALERTS,
            topics.progress("exposure"),
            *_status("exposure"),
        ),
        subscribes=(topics.PROGRESS,),
        market=StoreRights(leads=("exposure", announcer("exposure")), reads=(keys.journal(),)),
    ),
    Identity(
        name="gateway",
        publishes=(
            topics.ACKS,
            topics.EXECUTIONS,
            topics.EPOCH_ANSWERS,
            topics.GATEWAY_STATE,
            topics.TRADING,
            topics.ALERTS,
            topics.progress("gateway"),
            *_status("gateway", "gateway-control"),
        ),
        subscribes=(topics.ORDERS, topics.HALT, topics.RESUME, topics.EPOCHS, topics.HEARTBEATS),
        market=StoreRights(leads=("gateway",), reads=(keys.journal(),)),
    ),
    Identity(
        name="auditor",  # and the watch of all others
        publishes=(topics.HALT, topics.ALERTS, *_status("auditor")),
        subscribes=(
            topics.DECISION_HEAD,
            topics.PROGRESS,
            topics.STATUS,
            topics.TRADING,
            topics.TRIGGERS,
            topics.ALERTS,
        ),
        orders=StoreRights(
            reads=(
                keys.lease("hedger"),
                keys.record("hedger"),
                keys.outbox(),
                keys.decisions(),
                keys.halt(),
            )
        ),
        market=StoreRights(
            leads=("auditor",),
            reads=tuple(keys.stage_key(stage, "*") for stage in ("ingest", "signals", "exposure")),
        ),
    ),
    Identity(
        name="dashboard",  # it may stop and rebalance, never resume: that is no browser's business
        publishes=(topics.HALT, topics.REBALANCE, topics.ALERTS, *_status("dashboard")),
        subscribes=(*TOLD, topics.HEARTBEATS),
        orders=StoreRights(reads=(ALL_KEYS,)),
        market=StoreRights(leads=("dashboard",), reads=(ALL_KEYS,)),
    ),
    Identity(
        name="operator",
        publishes=(topics.HALT, topics.RESUME, topics.REBALANCE, SELF_TEST),
        subscribes=(
            topics.TRADING,
            topics.REJECTS,
            topics.TARGETS,
            topics.WITHHELD,
            topics.TRIGGERS,  # with the next two: why what it asked for waits
            topics.ALERTS,
            topics.SIGNALS,
            SELF_TEST,
        ),
        orders=StoreRights(sets=(keys.halt(),), examines=True),
        market=StoreRights(examines=True),
    ),
    Identity(
        name=READER,
        subscribes=(*TOLD, BROKER_FIGURES),
        orders=StoreRights(reads=(ALL_KEYS,)),
        market=StoreRights(reads=(ALL_KEYS,)),
    ),
)

NAMES: Final = tuple(identity.name for identity in IDENTITIES)

LOGINS: Final = {"gateway-control": "gateway"}
"""Services that log in as another: connections of one process, told apart on the broker."""


def identity_of(service: str) -> str:
    """Return the login of a service's connection.

    >>> identity_of("gateway-control")
    'gateway'
    """
    return LOGINS.get(service, service)
