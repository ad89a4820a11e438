"""Whatever bytes arrive: the web process answers or hangs up, shows nobody what is another's, and stays small."""

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, seed, settings

from proxy_site.environment import PROJECT_DIR
from tests.fuzz.duration import TEST_TIMEOUT, rounds
from tests.fuzz.target import Target
from tests.fuzz.wire import Endpoint, Message, exchange, messages

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True), pytest.mark.timeout(TEST_TIMEOUT)]

EXAMPLES = 400  # in a round


def endpoints() -> list[Endpoint]:
    """Those of the schema."""
    schema = yaml.safe_load((PROJECT_DIR / "docs" / "openapi.yaml").read_text())
    shapes = schema["components"]["schemas"]

    def fields(operation: dict[str, dict[str, dict[str, dict[str, dict[str, str]]]]]) -> list[str]:
        content = operation.get("requestBody", {}).get("content", {})
        names = {form["schema"]["$ref"].rpartition("/")[2] for form in content.values()}
        return [field for name in sorted(names) for field in shapes[name]["properties"]]

    return [
        Endpoint(
            method.upper(),
            path,
            fields(operation),
            [
                parameter["name"]
                for parameter in operation.get("parameters", ())
                if parameter["in"] == "query"
            ],
        )
        for path, operations in schema["paths"].items()
        for method, operation in operations.items()
    ]


def test_no_bytes_break_the_web_process_or_show_what_is_anothers(target: Target) -> None:
    found = endpoints()
    for number in rounds(short=1):

        @seed(number)
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )
        @given(messages(found, target))
        def send(message: Message) -> None:
            answer = exchange(target.url, message)
            if answer is not None:
                first = message.partition(b"\r\n")[0].decode("latin-1")
                target.judge(
                    answer[0], asked_for=first.split(" ")[0], sent=message.decode("latin-1"), answer=answer[1]
                )

        send()
        target.renew_attacker()
    target.check_what_is_left()
