"""What the auditor counts."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from services.auditor.comparison import Finding


class AuditorMetrics:
    """Prometheus metrics of the auditor.

    Args:
        registry: Where they are registered.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._mismatches = Counter(
            "hedge_audit_mismatches",
            "What the gateway's record has, or lacks, and should not.",
            ["kind"],
            registry=registry,
        )
        self._sweeps = Counter(
            "hedge_audit_sweeps",
            "How often the whole record was compared.",
            registry=registry,
        )
        self._blind = Counter(
            "hedge_audit_blind",
            "Times that the gateway's record could not be seen.",
            registry=registry,
        )
        self._halts = Counter(
            "hedge_audit_halts",
            "Halts ordered, by the way they took.",
            ["path"],
            registry=registry,
        )
        self._heads = Counter(
            "hedge_audit_heads",
            "Signed heads of the decision log: kept, or refused for a reason.",
            ["outcome"],
            registry=registry,
        )
        self._expected = Gauge(
            "hedge_audit_expected_orders",
            "Orders that the record should have.",
            registry=registry,
        )
        self._rows = Gauge(
            "hedge_audit_record_rows",
            "Rows that the last sweep has found.",
            registry=registry,
        )
        self._behind = Gauge(
            "hedge_audit_behind_entries",
            "Entries of the journal not folded yet.",
            registry=registry,
        )
        for kind in ("forged", "missing", "altered"):
            self._mismatches.labels(kind)
        for path in ("local", "bus"):
            self._halts.labels(path)

    def found(self, finding: Finding) -> None:
        """Count what is wrong with the record."""
        self._mismatches.labels(finding.kind).inc()

    def swept(self, *, expected: int, rows: int) -> None:
        """Count a sweep that came to its end."""
        self._sweeps.inc()
        self._expected.set(expected)
        self._rows.set(rows)

    def blind(self) -> None:
        """Count a time that the gateway did not answer."""
        self._blind.inc()

    def halted(self, path: str) -> None:
        """Count a halt that was taken."""
        self._halts.labels(path).inc()

    def head(self, outcome: str) -> None:
        """Count a head of the decision log."""
        self._heads.labels(outcome).inc()

    def behind(self, entries: int) -> None:
        """Show how far the fold is behind."""
        self._behind.set(entries)
