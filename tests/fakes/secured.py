"""Broker and stores as `deploy/` configures them: TLS, a login for each service, access lists.

The very files of `deploy/`; only paths of the container become paths of the test, and ports free
ones of loopback.
"""

import os
import shutil
import signal
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal, Self

from fakes.servers import Server

from shared.adapters.access_lists import broker_passwords
from shared.adapters.certificates import make_certificates
from shared.adapters.clock import SystemClock
from shared.adapters.connections import MqttSettings, RedisSettings
from shared.adapters.logins import make_logins
from shared.wire.access import NAMES

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
SERVERS: Final = ("mosquitto", "redis-orders", "redis-market")
Role = Literal["orders", "market"]


class SecuredServer(Server):
    """One server, with TLS on its port.

    Args:
        directory: Of this server; its papers are in `run/`.
        source: Its configuration in `deploy/`.
        program: And the command before it.
        adaptation: Text of the configuration to replace; `{port}` and `{directory}` are filled in.
    """

    def __init__(
        self, directory: Path, source: str, program: str, adaptation: Mapping[str, str]
    ) -> None:
        super().__init__(directory)
        self.run = directory / "run"
        self.run.mkdir(exist_ok=True)
        self._source = source
        self._program = program
        self._adaptation = {"/run/server/": "{directory}/run/", **adaptation}

    def command(self) -> list[str]:
        text = (DEPLOY / self._source).read_text()
        for old, new in self._adaptation.items():
            assert old in text, old
            text = text.replace(old, new.format(port=self.port, directory=self.directory))
        configuration = self.directory / self._source
        configuration.write_text(text)
        words = ["-c"] if self._program == "mosquitto" else []
        program = shutil.which(self._program) or f"/usr/sbin/{self._program}"
        return [program, *words, str(configuration)]

    def is_ready(self) -> bool:
        """Whether it shakes hands."""
        context = ssl.create_default_context(cafile=str(self.run / "ca.pem"))
        address = ("127.0.0.1", self.port)
        with (
            socket.create_connection(address, timeout=1.0) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1"),
        ):
            return True

    def serial_number(self) -> str:
        """Of the certificate that it shows."""
        context = ssl.create_default_context(cafile=str(self.run / "ca.pem"))
        address = ("127.0.0.1", self.port)
        with (
            socket.create_connection(address, timeout=1.0) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
        ):
            shown = connection.getpeercert()
            return str(shown["serialNumber"] if shown else "")

    def listens(self) -> bool:
        """Whether anybody is there, whatever it can show."""
        return self._says(b"", b"")


class SecuredBroker(SecuredServer):
    """Mosquitto as deployed, without its listener in clear."""

    scheme = "mqtts"

    def __init__(self, directory: Path) -> None:
        as_root = "user root\n" if os.geteuid() == 0 else ""
        super().__init__(
            directory,
            "mosquitto.conf",
            "mosquitto",
            {
                "listener 8883\n": "listener {port} 127.0.0.1\n",
                "listener 1883 127.0.0.1\n": as_root,
                "/mosquitto/data/": "{directory}/",
            },
        )

    def hang_up(self) -> None:
        """Have it read its password file, access list and certificate again."""
        os.kill(self.pid, signal.SIGHUP)

    def require_certificate(self) -> None:
        """Let in only clients with a certificate of our authority."""
        self._adaptation["require_certificate false"] = "require_certificate true"


class SecuredStore(SecuredServer):
    """Redis as deployed, in one of its roles."""

    scheme = "rediss"

    def __init__(self, directory: Path, role: Role) -> None:
        options = "tls-port {port}\nbind 127.0.0.1\ndir {directory}\n"
        super().__init__(
            directory, f"redis-{role}.conf", "redis-server", {"tls-port 6379\n": options}
        )


class SecuredServers:
    """Broker and both stores, with fresh papers; a context manager.

    Attributes:
        directory: `logins/` and `certificates/` are there.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.logins = directory / "logins"
        self.certificates = directory / "certificates"
        self.broker = SecuredBroker(directory / "mosquitto")
        self.orders = SecuredStore(directory / "redis-orders", "orders")
        self.market = SecuredStore(directory / "redis-market", "market")
        make_logins(self.logins)
        make_certificates(self.certificates, SERVERS, (), SystemClock().now_ns())
        self.deal_out()

    def deal_out(self) -> None:
        """Give the servers their papers, as `deploy/passwords` and `deploy/certificates` do."""
        for server in (self.broker, self.orders, self.market):
            for directory in (self.logins / "servers", self.certificates):
                shutil.copytree(directory / server.directory.name, server.run, dirs_exist_ok=True)
            shutil.copy(self.certificates / "ca.pem", server.run)

    def play_both_roles(self) -> None:
        """Have the store of orders be that of the market too."""
        shutil.copy(self.logins / "servers/redis/users.acl", self.orders.run)

    def admit(self, name: str) -> None:
        """Let somebody in who may do everything everywhere: the test, not anybody of ours."""
        salt = bytes(12)
        with (self.broker.run / "acl").open("a") as acl:
            acl.write(f"\nuser {name}\ntopic readwrite #\ntopic readwrite $SYS/#\n")
        with (self.broker.run / "passwords").open("a") as passwords:
            passwords.write(broker_passwords({name: name}, {name: salt}))
        for server in (self.orders, self.market):
            with (server.run / "users.acl").open("a") as users:
                users.write(f"user {name} on >{name} ~* &* +@all\n")
        for kind in ("mqtt", "redis"):
            (self.logins / name).mkdir(exist_ok=True)
            (self.logins / name / kind).write_text(name)

    @property
    def ca_file(self) -> str:
        """Whom clients believe."""
        return str(self.certificates / "ca.pem")

    def mqtt(self, identity: str) -> MqttSettings:
        """How an identity reaches the broker."""
        settings = MqttSettings(
            url=self.broker.url, ca_file=self.ca_file, logins=str(self.logins), connect_timeout_s=2
        )
        return settings.of(identity)

    def redis(self, role: Role, identity: str) -> RedisSettings:
        """How an identity reaches a store."""
        server = self.orders if role == "orders" else self.market
        settings = RedisSettings(
            url=f"{server.url}/0",
            ca_file=self.ca_file,
            logins=str(self.logins),
            connect_timeout_s=2,
        )
        return settings.of(identity)

    def environment(self, *identities: str) -> dict[str, str]:
        """Variables for a program that has the logins of some identities, and no others."""
        own = self.directory / "-".join(["logins of", *identities]).replace(" ", "_")
        for identity in identities:
            shutil.copytree(self.logins / identity, own / identity, dirs_exist_ok=True)
        return {
            "HEDGESTAT_MQTT_URL": self.broker.url,
            "HEDGESTAT_REDIS_URL": f"{self.orders.url}/0",
            "HEDGESTAT_REDIS_MARKET_URL": f"{self.market.url}/0",
            "HEDGESTAT_CA_FILE": self.ca_file,
            "HEDGESTAT_LOGINS": str(own),
        }

    def password(self, identity: str, kind: str) -> str:
        """What an identity logs in with."""
        return (self.logins / identity / kind).read_text().strip()

    def passwords(self) -> list[str]:
        """Every password there is."""
        return [self.password(name, kind) for name in NAMES for kind in ("mqtt", "redis")]

    def __enter__(self) -> Self:
        for server in (self.broker, self.orders, self.market):
            server.start()
        return self

    def __exit__(self, *_: object) -> None:
        for server in (self.broker, self.orders, self.market):
            server.kill()


@contextmanager
def secured_servers(directory: Path) -> Iterator[SecuredServers]:
    """Servers that run for as long as the block."""
    with SecuredServers(directory) as servers:
        yield servers
