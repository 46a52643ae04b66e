"""Where broker and stores are, and how we are let in: `[mqtt]` and `[redis]`.

The environment goes before the file. What crosses a network goes encrypted: a plain URL of another
machine is a fault, for a log line that warns is read after the password has been.
"""

from collections.abc import Mapping
from typing import Final, TypedDict
from urllib.parse import urlsplit

from msgspec import Struct

from shared.adapters.configuration.table import Table
from shared.adapters.connections import MqttSettings, RedisSettings, is_exposed
from shared.domain.instants import SECOND

_ENCRYPT: Final = (
    "write {scheme}s:// and ca_file; or unencrypted = true, where that network is yours alone"
)


class StoreSettings(Struct, frozen=True, kw_only=True):
    """The two roles of the store; one server may play both.

    Attributes:
        orders: Journal of decisions and outbox: appendfsync always.
        market: Everything that can be had again: appendfsync everysec.
    """

    orders: RedisSettings = RedisSettings()
    market: RedisSettings = RedisSettings()


def read_mqtt(table: Table, environment: Mapping[str, str]) -> MqttSettings:
    """`[mqtt]`; `HEDGESTAT_MQTT_URL`, `…_USERNAME` and `…_PASSWORD_FILE` go before it."""
    default = MqttSettings()
    url = _url(table, "url", default.url, environment.get("HEDGESTAT_MQTT_URL"))
    common = _common(table, environment, "MQTT")
    keepalive_s = _seconds(table, "keepalive", default.keepalive_s)
    _refuse_exposed(table, {"url": url})
    table.refuse_unknown_keys()
    try:
        return MqttSettings(url=url, keepalive_s=round(keepalive_s), **common)
    except ValueError as reason:
        table.fault("url", str(reason), "write mqtt://127.0.0.1:1883")
        return default


def read_redis(table: Table, environment: Mapping[str, str]) -> StoreSettings:
    """`[redis]`; the environment goes before it.

    `HEDGESTAT_REDIS_URL` stands for both roles, `HEDGESTAT_REDIS_MARKET_URL` for one, and
    `HEDGESTAT_REDIS_USERNAME` and `HEDGESTAT_REDIS_PASSWORD_FILE` are for both.
    """
    default = RedisSettings()
    both = environment.get("HEDGESTAT_REDIS_URL")
    orders = _url(table, "orders", default.url, both)
    market = _url(table, "market", orders, environment.get("HEDGESTAT_REDIS_MARKET_URL", both))
    common = _common(table, environment, "REDIS")
    timeout_s = _seconds(table, "operation_timeout", default.operation_timeout_s)
    _refuse_exposed(table, {"orders": orders, "market": market})
    table.refuse_unknown_keys()
    stores = []
    for key, url in (("orders", orders), ("market", market)):
        try:
            stores.append(RedisSettings(url=url, operation_timeout_s=timeout_s, **common))
        except ValueError as reason:
            table.fault(key, str(reason), "write redis://127.0.0.1:6379/0")
            stores.append(default)
    return StoreSettings(orders=stores[0], market=stores[1])


class _Common(TypedDict):
    username: str | None
    password_file: str | None
    ca_file: str | None
    client_certificate_file: str | None
    client_key_file: str | None
    logins: str | None
    connect_timeout_s: float


def _common(table: Table, environment: Mapping[str, str], kind: str) -> _Common:
    if table.has("password"):
        remedy = "put it in a file that only we can read, and write password_file"
        table.fault("password", "a secret does not belong in this file", remedy)

    def either(key: str, *names: str) -> str | None:
        own = table.optional_text(key)
        return next((environment[name] for name in names if environment.get(name)), own)

    return _Common(
        username=either("username", f"HEDGESTAT_{kind}_USERNAME"),
        password_file=either("password_file", f"HEDGESTAT_{kind}_PASSWORD_FILE"),
        ca_file=either("ca_file", f"HEDGESTAT_{kind}_CA_FILE", "HEDGESTAT_CA_FILE"),
        client_certificate_file=either("client_certificate_file"),
        client_key_file=either("client_key_file"),
        logins=either("logins", "HEDGESTAT_LOGINS"),
        connect_timeout_s=_seconds(table, "connect_timeout", 5.0),
    )


def _refuse_exposed(table: Table, urls: Mapping[str, str]) -> None:
    if table.flag("unencrypted", default=False):
        return
    for key, url in urls.items():
        if is_exposed(url):
            where = urlsplit(url)
            problem = f"passwords and orders would cross the network to {where.hostname} in clear"
            table.fault(key, problem, _ENCRYPT.format(scheme=where.scheme))


def _url(table: Table, key: str, default: str, override: str | None) -> str:
    url = table.text(key, default)
    if table.has(key) and _has_password(url):
        remedy = "take it out and name the file that holds it in password_file"
        table.fault(key, "a password stands in the URL", remedy)
    return override or url


def _has_password(url: str) -> bool:
    try:
        return urlsplit(url).password is not None
    except ValueError:  # not a URL at all: whoever opens it will say so
        return False


def _seconds(table: Table, key: str, default_s: float) -> float:
    return table.duration(key, int(default_s * SECOND), positive=True) / SECOND
