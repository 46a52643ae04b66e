import json
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from shared.wire import topics
from shared.wire.asyncapi import CHANNELS, document, render
from shared.wire.codec import MalformedMessage, decode_ticks
from shared.wire.examples import EXAMPLES

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "deploy" / "asyncapi.json"
GOLDEN = Path(__file__).parent / "golden"
DOCUMENT = document()
OFFICIAL: Final = "@asyncapi/specs@6.11.1"
"""The AsyncAPI initiative's own JSON schema of its documents, an npm package (Apache-2.0)."""


def resolve(reference: str) -> Any:  # noqa: ANN401 - any part of a JSON document
    found: Any = DOCUMENT
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


def references(part: Any) -> Iterator[str]:  # noqa: ANN401 - any part of a JSON document
    if isinstance(part, dict):
        for name, inner in part.items():
            if name == "$ref":
                yield inner
            yield from references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from references(inner)


def validator(payload: dict[str, Any]) -> Draft7Validator:
    """A validator of one message's payload."""
    return Draft7Validator({"allOf": [payload], "components": DOCUMENT["components"]})


def test_the_committed_document_is_the_one_that_the_types_make() -> None:
    regenerate = "run: hedgestat asyncapi > deploy/asyncapi.json"
    assert COMMITTED.read_text() == render(), regenerate


def test_every_topic_is_a_channel_and_every_channel_a_topic() -> None:
    known = {
        value
        for name, value in vars(topics).items()
        if name.isupper() and not name.startswith("_") and name != "PREFIX"
    }
    assert {channel.topic for channel in CHANNELS} == known
    assert len(CHANNELS) == len(known) == len(DOCUMENT["channels"]) == len(DOCUMENT["operations"])


@pytest.mark.parametrize("channel", CHANNELS, ids=lambda channel: channel.name)
def test_a_channel_names_the_levels_that_vary(channel: Any) -> None:  # noqa: ANN401
    described = DOCUMENT["channels"][channel.name]
    names = [part[1:-1] for part in described["address"].split("/") if part.startswith("{")]
    assert tuple(names) == channel.parameters
    assert list(described.get("parameters", {})) == names
    assert described["address"].count("{") == channel.topic.count("+")
    assert described["messages"]


def test_every_reference_leads_somewhere() -> None:
    found = set(references(DOCUMENT))
    assert len(found) > 30
    for reference in found:
        assert isinstance(resolve(reference), dict)


def test_nothing_is_described_that_no_channel_uses() -> None:
    found = set(references(DOCUMENT))
    for part in ("messages", "parameters", "schemas"):
        for name in DOCUMENT["components"][part]:
            assert f"#/components/{part}/{name}" in found


def test_an_operation_does_one_thing_with_one_channel() -> None:
    pointed = [operation["channel"]["$ref"] for operation in DOCUMENT["operations"].values()]
    assert sorted(pointed) == sorted(f"#/channels/{name}" for name in DOCUMENT["channels"])
    for name, operation in DOCUMENT["operations"].items():
        assert name.startswith(operation["action"])
        assert operation["action"] in {"send", "receive"}
        assert operation["bindings"]["mqtt"]["qos"] in {0, 1}
        messages = [reference["$ref"] for reference in operation["messages"]]
        carried = resolve(operation["channel"]["$ref"])["messages"]
        assert messages == [f"{operation['channel']['$ref']}/messages/{name}" for name in carried]


@pytest.mark.parametrize("name", DOCUMENT["components"]["schemas"])
def test_every_schema_is_one(name: str) -> None:
    Draft7Validator.check_schema(DOCUMENT["components"]["schemas"][name])


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: type(example).__name__)
def test_a_golden_payload_fits_its_schema(example: msgspec.Struct) -> None:
    name = type(example).__name__
    payload = json.loads((GOLDEN / f"{name}.json").read_text())
    schema = validator({"$ref": f"#/components/schemas/{name}"})
    schema.validate(payload)
    for needed in DOCUMENT["components"]["schemas"][name]["required"]:
        assert not schema.is_valid({key: payload[key] for key in payload if key != needed})


@pytest.mark.parametrize("name", DOCUMENT["components"]["messages"])
def test_an_example_fits_the_message_that_shows_it(name: str) -> None:
    message = DOCUMENT["components"]["messages"][name]
    assert message["summary"].endswith((".", ")"))
    for example in message.get("examples", []):
        validator(message["payload"]).validate(example["payload"])


# No 2.0: JSON Schema counts it among the integers, the wire does not.
scalars = st.none() | st.booleans() | st.integers(-2, 2**64) | st.just(0.5) | st.text(max_size=3)
nearly_ticks = st.fixed_dictionaries(
    {"symbol": st.just("VIX") | scalars, "event_time": st.just(1) | scalars},
    optional=dict.fromkeys(("price", "bid", "ask_size", "source", "sequence", "more"), scalars),
)


@given(nearly_ticks | st.lists(nearly_ticks, max_size=2))
def test_the_schema_of_ticks_takes_what_the_decoder_takes(tree: object) -> None:
    schema = validator(DOCUMENT["components"]["messages"]["Ticks"]["payload"])
    try:
        decode_ticks(msgspec.json.encode(tree))
    except MalformedMessage:
        assert not schema.is_valid(tree)
    else:
        schema.validate(tree)


@pytest.fixture(scope="session")
def official_schema(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """The official schema, fetched once and kept in pytest's cache; a skip without npm."""
    cache = getattr(request.config, "cache", None)
    directory = cache.mkdir("asyncapi") if cache else tmp_path_factory.mktemp("asyncapi")
    kept = directory / "asyncapi-specs-6.11.1.tgz"
    if not kept.exists():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("no npm to fetch the official schema with")
        command = [npm, "pack", "--silent", OFFICIAL, "--pack-destination", str(directory)]
        fetched = subprocess.run(command, capture_output=True, timeout=60, check=False)
        if fetched.returncode:
            pytest.skip(f"npm could not fetch {OFFICIAL}")
    with tarfile.open(kept) as archive:
        member = archive.extractfile("package/schemas/3.0.0.json")
        assert member is not None
        schema: dict[str, Any] = json.load(member)
    return schema


def test_the_document_is_asyncapi_3_by_the_official_schema(
    official_schema: dict[str, Any],
) -> None:
    schema = Draft7Validator(official_schema)
    assert [error.message for error in schema.iter_errors(DOCUMENT)] == []
    assert not schema.is_valid(DOCUMENT | {"channels": {"ticks": {"address": 5}}})
