"""Whatever the schema lets people send, and what is near it: the API answers as the schema says, to each about their
own things only.
"""

import random
from typing import Any, TypeAlias

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks

from proxy_site.environment import PROJECT_DIR
from tests.fuzz.duration import TEST_TIMEOUT, rounds
from tests.fuzz.strategies import magnets, urls_of_this_machine
from tests.fuzz.target import PATIENCE, Target

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True), pytest.mark.timeout(TEST_TIMEOUT)]

Case: TypeAlias = schemathesis.Case[Any]
SCHEMA: Any = schemathesis.openapi.from_path(PROJECT_DIR / "docs" / "openapi.yaml")
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations()]
EXAMPLES = 4  # of one endpoint and mode in a round
URI_TOO_LONG = 414  # gunicorn says so, before anything of ours is asked
CHECKS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
UNHURRIED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)


@st.composite
def cases(draw: st.DrawFn, operation: Any, mode: GenerationMode, target: Target) -> Case:
    """A request as the schema describes it, or one that breaks a rule of it; the ids in its path are often real."""
    case: Case = draw(operation.as_strategy(generation_mode=mode))
    for name in case.path_parameters:
        known = target.known(name)
        mostly = draw(st.integers(0, 4)) > 0
        if known and mostly:
            case.path_parameters[name] = draw(st.sampled_from(known))
    if operation.label == "POST /api/v1/torrents/" and isinstance(case.body, dict) and draw(st.booleans()):
        kept: dict[str, Any] = {name: case.body[name] for name in ("label", "paused") if name in case.body}
        source = draw(magnets() | urls_of_this_machine(target.canary.port))
        case.body = {"source": source, **kept}
    return case


def search(target: Target, operation: Any, mode: GenerationMode, number: int) -> None:
    @seed(number)
    @UNHURRIED
    @given(cases(operation, mode, target))
    def ask(case: Case) -> None:
        response = case.call(base_url=target.url, headers=target.headers(), timeout=PATIENCE)
        sent = f"{case.method} {response.request.url} {response.request.body!r}"
        target.judge(
            response.status_code,
            asked_for=operation.label,
            sent=sent,
            answer=f"{response.headers} {response.text}",
        )
        if response.status_code != URI_TOO_LONG:
            case.validate_response(response, checks=CHECKS)

    try:
        ask()
    except Unsatisfiable:
        assert mode == GenerationMode.NEGATIVE  # nothing can be wrong with this one


def test_nothing_that_the_schema_suggests_breaks_anything_or_shows_what_is_anothers(target: Target) -> None:
    for number in rounds(short=1):
        for operation in random.Random(number).sample(OPERATIONS, len(OPERATIONS)):
            for mode in GenerationMode:
                search(target, operation, mode, number)
        target.renew_attacker()
    target.check_what_is_left()
