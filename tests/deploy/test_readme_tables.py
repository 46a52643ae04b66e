"""The tables of the README name what the code has, no more and no less."""

import re
from pathlib import Path

from prometheus_client import CollectorRegistry

from services.auditor.metrics import AuditorMetrics
from services.exposure.metrics import ExposureMetrics
from services.feed.metrics import FeedMetrics
from services.gateway.metrics import GatewayMetrics
from services.hedger.metrics import HedgerMetrics
from services.ingest.metrics import IngestMetrics
from services.signals.metrics import SignalsCollector
from shared.adapters.settings import load_settings
from shared.domain.hedging.rules import PRESETS
from shared.runtime.site import Site
from shared.wire.asyncapi import CHANNELS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_the_metrics_table_names_every_metric_and_no_other() -> None:
    site = Site(settings=load_settings(ROOT / "deploy/demo.toml", {}))
    registry = site.registry
    IngestMetrics(registry, frozenset())
    SignalsCollector(registry)
    HedgerMetrics(registry, None)
    GatewayMetrics(registry)
    FeedMetrics(registry)
    AuditorMetrics(registry)
    ExposureMetrics(registry, None, 1)
    assert set(re.findall(r"`(hedge_[a-z_]+)", README)) == _names(registry)


def test_the_topics_table_names_every_topic_and_no_other() -> None:
    table = README.split("| topic | direction |")[1].split("\n\n")[0]
    told = set(re.findall(r"`(hedge/v1/[^`]+)`", table))
    assert told == {channel.address for channel in CHANNELS}


def test_every_rule_and_preset_is_in_the_table() -> None:
    table = README.split("| rule or preset |")[1].split("\n\n")[0]
    for name in PRESETS:
        assert f"`{name}`" in table


def test_every_link_leads_somewhere() -> None:
    for readme in (ROOT / "README.md", *ROOT.glob("*/README.md")):
        for link in re.findall(r"\]\(([^)#:]+)\)", readme.read_text()):
            assert (readme.parent / link).exists(), f"{readme}: {link}"


def _names(registry: CollectorRegistry) -> set[str]:
    return {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in registry.collect()
    }
