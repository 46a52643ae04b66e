"""Real Prometheus and Alertmanager with the deployed configurations, and somebody who is told."""

import json
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, Self

from fakes.watchers import HttpServer, PrometheusServer
from msgspec import Struct

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
TOKEN: Final = "a-token-for-the-webhook"  # noqa: S105 - of the test


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


class DeployedAlertmanager(HttpServer):
    """Alertmanager under `deploy/alertmanager.yml`, posting to a webhook.

    Args:
        directory: See `Server`.
        webhook: `host:port` of who is told.
    """

    def __init__(self, directory: Path, webhook: str) -> None:
        super().__init__(directory)
        self._webhook = webhook

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

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
            f"--web.listen-address={self.address}",
            "--cluster.listen-address=",
        ]


class RulingPrometheus(PrometheusServer):
    """Prometheus with the deployed rules.

    Args:
        directory: See `Server`.
        ports: Of the services, by name.
        alertmanager: Whom it tells.
    """

    def __init__(
        self, directory: Path, ports: Mapping[str, int], alertmanager: DeployedAlertmanager
    ) -> None:
        targets = {service: f"127.0.0.1:{port}" for service, port in ports.items()}
        rules = (DEPLOY / "prometheus/rules/*.yml",)
        super().__init__(directory, targets, rules=rules, alertmanager=alertmanager.address)

    def command(self) -> list[str]:
        # What it sends before it knows to whom is lost, and sent again after this.
        return [*super().command(), "--rules.alert.resend-delay=5s"]
