"""Real Prometheus and Alertmanager with the deployed configurations, and somebody who is told."""

import json
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, Self

import yaml
from fakes.servers import Server
from msgspec import Struct

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
TOKEN: Final = "a-token-for-the-webhook"  # noqa: S105 - of the test
_GET_READY: Final = b"GET /-/ready HTTP/1.0\r\n\r\n"


class Told(Struct, frozen=True):
    """An alert as it reached the webhook.

    Attributes:
        at_s: By the performance counter.
        path: Where it was posted.
        name: Of the alert.
        status: `firing` or `resolved`.
        labels: Its labels.
        annotations: Its texts.
    """

    at_s: float
    path: str
    name: str
    status: str
    labels: dict[str, str]
    annotations: dict[str, str]


class Webhook:
    """Remembers what Alertmanager posts, if it brings the token; a context manager."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        told = self.told

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                allowed = self.headers.get("Authorization") == f"Bearer {TOKEN}"
                self.send_response(200 if allowed else 401)
                self.end_headers()
                if allowed:
                    told.extend(_alerts(self.path, json.loads(body)))

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def firing(self, name: str) -> list[Told]:
        """What was told of an alert that fires."""
        return [each for each in self.told if each.name == name and each.status == "firing"]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _alerts(path: str, body: dict[str, Any]) -> list[Told]:
    now_s = time.perf_counter()
    return [
        Told(
            now_s,
            path,
            each["labels"]["alertname"],
            each["status"],
            each["labels"],
            each["annotations"],
        )
        for each in body["alerts"]
    ]


class AlertmanagerServer(Server):
    """Alertmanager under `deploy/alertmanager.yml`, posting to a webhook.

    Args:
        directory: See `Server`.
        webhook: `host:port` of who is told.
    """

    scheme = "http"

    def __init__(self, directory: Path, webhook: str) -> None:
        super().__init__(directory)
        self._webhook = webhook

    def command(self) -> list[str]:
        token = self.directory / "token"
        token.write_text(TOKEN)
        text = (DEPLOY / "alertmanager.yml").read_text()
        text = text.replace("127.0.0.1:9095", self._webhook)
        text = text.replace("/run/secrets/alerting/webhook_token", str(token))
        configuration = self.directory / "alertmanager.yml"
        configuration.write_text(text)
        return [
            "prometheus-alertmanager",
            f"--config.file={configuration}",
            f"--storage.path={self.directory / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--cluster.listen-address=",
        ]

    def is_ready(self) -> bool:
        return self._says(_GET_READY, b"HTTP/1.0 200")


class PrometheusServer(Server):
    """Prometheus under `deploy/prometheus.yml`, a second instead of five between two looks.

    Args:
        directory: See `Server`.
        targets: Ports, by service.
        alertmanager: `host:port` of it.
    """

    scheme = "http"

    def __init__(self, directory: Path, targets: Mapping[str, int], alertmanager: str) -> None:
        super().__init__(directory)
        self._targets = targets
        self._alertmanager = alertmanager

    def command(self) -> list[str]:
        document = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())
        document["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        document["rule_files"] = [str(DEPLOY / "prometheus/rules/*.yml")]
        job = next(each for each in document["scrape_configs"] if each["job_name"] == "hedgestat")
        job["static_configs"] = [
            {"targets": [f"127.0.0.1:{port}"], "labels": {"service": service}}
            for service, port in self._targets.items()
        ]
        document["scrape_configs"] = [job]
        managers = [{"static_configs": [{"targets": [self._alertmanager]}]}]
        document["alerting"]["alertmanagers"] = managers
        configuration = self.directory / "prometheus.yml"
        configuration.write_text(yaml.safe_dump(document))
        return [
            "prometheus",
            f"--config.file={configuration}",
            f"--storage.tsdb.path={self.directory / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
        ]

    def is_ready(self) -> bool:
        return self._says(_GET_READY, b"HTTP/1.0 200")
