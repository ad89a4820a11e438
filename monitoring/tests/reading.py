"""Prometheus' text format, read by Prometheus' own parser."""

from prometheus_client.parser import text_string_to_metric_families

Values = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Scrape:
    def __init__(self, text: str) -> None:
        self.families = list(text_string_to_metric_families(text))
        self._values: Values = {}
        for family in self.families:
            for sample in family.samples:
                key = sample.name, frozenset(sample.labels.items())
                assert key not in self._values, f"told twice: {sample.name} {sample.labels}"
                self._values[key] = sample.value

    def __len__(self) -> int:
        """Time series."""
        return len(self._values)

    def value(self, name: str, **labels: str) -> float | None:
        return self._values.get((name, frozenset(labels.items())))

    def own(self, name: str, **labels: str) -> float | None:
        return self.value(f"torrentproxy_{name}", **labels)

    def labels(self) -> dict[str, set[frozenset[str]]]:
        """Which labels each name has."""
        told: dict[str, set[frozenset[str]]] = {}
        for name, labels in self._values:
            told.setdefault(name, set()).add(frozenset(label for label, _ in labels))
        return told
