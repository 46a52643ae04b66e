"""The tables of the README name what the code has, no more and no less."""

import re
from pathlib import Path

from fakes.registry import full_registry, names

from shared.domain.hedging.rules import PRESETS
from shared.wire.asyncapi import CHANNELS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_the_metrics_table_names_every_metric_and_no_other() -> None:
    assert set(re.findall(r"`(hedge_[a-z_]+)", README)) == names(full_registry())


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
