"""What a cluster would make of network policies, as their specification says it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

Json = Mapping[str, Any]
OURS = {"kubernetes.io/metadata.name": "hedgestat"}


@dataclass(frozen=True)
class Pod:
    """A pod, as far as policies look at it.

    Attributes:
        labels: Its own.
        namespace: Labels of its namespace.
        ports: Of all its containers.
    """

    labels: Mapping[str, str]
    namespace: Mapping[str, str]
    ports: tuple[Json, ...] = ()

    @classmethod
    def of(cls, workload: Json) -> Self:
        """A pod of a StatefulSet or a Deployment of ours."""
        template = workload["spec"]["template"]
        ports = (port for each in template["spec"]["containers"] for port in each["ports"])
        return cls(template["metadata"]["labels"], OURS, tuple(ports))

    def has(self, labels: Mapping[str, str]) -> bool:
        """Whether it carries all these labels."""
        return labels.items() <= self.labels.items()


def selects(selector: Json, pod: Pod) -> bool:
    """Whether a label selector means a pod; an empty one means all."""
    return _matches(selector, pod.labels)


def may_speak(
    policies: Iterable[Json],
    caller: Pod,
    target: Pod,
    port: tuple[str, int],
    *,
    protocol: str = "TCP",
) -> bool:
    """Whether policies, all of them of our namespace, let one pod call another.

    Args:
        policies: Their `spec`.
        caller: Who calls.
        target: Who is called.
        port: Name and number.
        protocol: TCP or UDP.
    """
    policies = list(policies)
    leaves = _allowed(policies, "Egress", caller, target, port, protocol)
    return leaves and _allowed(policies, "Ingress", target, caller, port, protocol)


def _allowed(  # noqa: PLR0913, PLR0917 - a question of so many words
    policies: Sequence[Json],
    direction: str,
    subject: Pod,
    other: Pod,
    port: tuple[str, int],
    protocol: str,
) -> bool:
    """A pod that no policy means may do all; one that some mean, what one of them allows."""
    meant = [
        policy
        for policy in policies
        if subject.namespace == OURS
        and direction in policy["policyTypes"]
        and selects(policy["podSelector"], subject)
    ]
    peers = "to" if direction == "Egress" else "from"
    return not meant or any(
        _has_port(rule, port, protocol) and _has_peer(rule[peers], other)
        for policy in meant
        for rule in policy.get(direction.lower(), [])
    )


def _has_port(rule: Json, port: tuple[str, int], protocol: str) -> bool:
    return any(each["protocol"] == protocol and each["port"] in port for each in rule["ports"])


def _has_peer(peers: Sequence[Json], pod: Pod) -> bool:
    return any(
        (
            _matches(peer["namespaceSelector"], pod.namespace)
            if "namespaceSelector" in peer
            else pod.namespace == OURS
        )
        and _matches(peer.get("podSelector", {}), pod.labels)
        for peer in peers
    )


def _matches(selector: Json, labels: Mapping[str, str]) -> bool:
    wanted = selector.get("matchLabels", {})
    return wanted.items() <= labels.items() and all(
        labels.get(each["key"]) in each["values"]
        for each in selector.get("matchExpressions", [])
        if each["operator"] == "In"
    )
