"""A study's folder: a few Parquet files a variant, and study.json that says what made them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from services.command.endings import Failed
from services.command.study.material import Material
from services.command.study.passes import Outcome, key_of
from shared.adapters.study.columns import Columns
from shared.adapters.study.files import (
    DamagedResult,
    read_columns,
    write_columns,
    write_text,
)
from shared.adapters.study.files import key_of as written_by
from shared.adapters.study.plan import Variant

PARTS: Final = ("orders", "executions", "whipsaws", "daily")
"""Files of a variant; `daily`, the last, says that all are there."""


class StudyFolder:
    """Where a study's results are.

    Args:
        path: The folder; made when something is first written.
        parts: What is kept of a variant, see `PARTS`.
    """

    def __init__(self, path: Path, parts: Sequence[str] = PARTS) -> None:
        self.path = path
        self._parts = parts
        self._tried = path / "tried.txt"

    def has(self, material: Material, variant: Variant) -> bool:
        """Whether a variant was run already, over this history, by this code."""
        return written_by(self._file(variant.name, "daily")) == key_of(material, variant)

    def keep(self, outcome: Outcome) -> None:
        """Write down what a variant came to.

        Raises:
            Failed: The disk does not take it.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            for part in self._parts:
                write_columns(self._file(outcome.name, part), getattr(outcome, part), outcome.key)
            if outcome.digest not in self.tried():
                with self._tried.open("a", encoding="utf-8") as file:
                    file.write(f"{outcome.digest}\n")
        except OSError as reason:
            raise Failed(f"{self.path}: {reason.strerror}") from None

    def tried(self) -> frozenset[str]:
        """Return the digest of every configuration that was ever run in this folder.

        Also of those that are in no plan any more: they were tried, and count.
        """
        try:
            return frozenset(self._tried.read_text(encoding="utf-8").split())
        except FileNotFoundError:
            return frozenset()

    def daily(self, name: str) -> Columns:
        """Read a variant's sessions.

        Raises:
            Failed: They cannot be read.
        """
        return self.read(name, "daily")

    def read(self, name: str, part: str) -> Columns:
        """Read one part of a variant's results; see `PARTS`.

        Raises:
            Failed: It cannot be read.
        """
        try:
            return read_columns(self._file(name, part))
        except DamagedResult as reason:
            raise Failed(str(reason)) from None
        except OSError as reason:
            raise Failed(f"{self._file(name, part)}: {reason.strerror}") from None

    def note(self, content: Mapping[str, Any]) -> None:
        """Write study.json.

        Raises:
            Failed: The disk does not take it.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            text = json.dumps(content, indent=2, ensure_ascii=False, default=str)
            write_text(self.path / "study.json", text + "\n")
        except OSError as reason:
            raise Failed(f"{self.path}: {reason.strerror}") from None

    def _file(self, name: str, part: str) -> Path:
        return self.path / f"{name}.{part}.parquet"
