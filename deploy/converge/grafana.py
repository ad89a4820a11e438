"""Grafana, where apt knows it: nothing else depends on it."""

from pathlib import Path

from deploy.converge.answers import Answers
from deploy.converge.run import Resource, Run


def grafana(session: Run, answers: Answers, deploy: Path) -> list[Resource]:
    return []
