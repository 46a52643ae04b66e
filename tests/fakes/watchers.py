"""Real Prometheus and Alertmanager on loopback, and a page of made-up metrics to ask."""

import contextlib
import json
import shutil
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from fakes.servers import Server
from prometheus_client import CollectorRegistry, start_http_server

INTERVAL: Final = "1s"
Json = Any


class HttpServer(Server):
    """One that answers at a path once it is ready."""

    scheme = "http"
    ready = "/-/ready"

    def is_ready(self) -> bool:
        with contextlib.suppress(OSError):
            return bool(self.get(self.ready)) or True
        return False

    def get(self, path: str) -> bytes:
        """What it answers.

        Raises:
            OSError: Nothing, or not 200.
        """
        with urllib.request.urlopen(self.url + path, timeout=5) as answer:  # noqa: S310 - loopback
            return bytes(answer.read())


class PrometheusServer(HttpServer):
    """Prometheus, which asks every second.

    Args:
        directory: See `Server`.
        targets: `host:port` by the name of a service.
        rules: Files of rules.
        alertmanager: Its `host:port`.
    """

    def __init__(
        self,
        directory: Path,
        targets: Mapping[str, str],
        *,
        rules: tuple[Path, ...] = (),
        alertmanager: str | None = None,
    ) -> None:
        super().__init__(directory)
        self._targets = targets
        self._rules = rules
        self._alertmanager = alertmanager

    def command(self) -> list[str]:
        told = [{"static_configs": [{"targets": [self._alertmanager]}]}]
        configuration = {
            "global": {"scrape_interval": INTERVAL, "evaluation_interval": INTERVAL},
            "rule_files": list(map(str, self._rules)),
            "alerting": {"alertmanagers": told if self._alertmanager else []},
            "scrape_configs": [
                {
                    "job_name": "hedgestat",
                    "static_configs": [
                        {"targets": [where], "labels": {"service": service}}
                        for service, where in self._targets.items()
                    ],
                }
            ],
        }
        path = self.directory / "prometheus.yml"
        path.write_text(yaml.safe_dump(configuration))
        return [
            "prometheus",
            f"--config.file={path}",
            f"--storage.tsdb.path={self.directory / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
        ]

    def query(self, expression: str) -> list[Json]:
        """Series that an expression gives now."""
        asked = urllib.parse.urlencode({"query": expression})
        answer = json.loads(self.get(f"/api/v1/query?{asked}"))
        return list(answer["data"]["result"])


class AlertmanagerServer(HttpServer):
    """Alertmanager, which tells nobody.

    Args:
        directory: See `Server`.
    """

    def command(self) -> list[str]:
        path = self.directory / "alertmanager.yml"
        path.write_text("route: { receiver: nobody }\nreceivers: [{ name: nobody }]\n")
        program = shutil.which("prometheus-alertmanager") or "alertmanager"
        return [
            program,
            f"--config.file={path}",
            f"--storage.path={self.directory / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--cluster.listen-address=",
        ]


@contextlib.contextmanager
def metrics_page(registry: CollectorRegistry) -> Iterator[str]:
    """Serve a registry for as long as the block; gives its `host:port`."""
    server, thread = start_http_server(0, addr="127.0.0.1", registry=registry)
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
