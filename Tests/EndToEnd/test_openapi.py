"""schemathesis asks the gateway what its own document at `/openapi.yaml` says, thousands of times: rightly, wrongly, at every edge.

No 5xx, no status and no header that is not documented, no answer that is of another type or shape than the document says.
"""

import os
import pathlib
import sys
import time
from collections.abc import Iterator

import pytest

from conftest import Bench
from harness.gateway import Gateway, reading
from harness.program import run

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
EXAMPLES = os.environ.get("GAUGEHOUSE_OPENAPI_EXAMPLES", "15")
SEED = os.environ.get("GAUGEHOUSE_TEST_SEED", "1")


@pytest.fixture(scope="module")
def gateway(shared_bench: Bench) -> Iterator[Gateway]:
    """Three devices with every type of value; the names are those of the document's examples, and a hostile one."""
    gateway = shared_bench.gateway(has_broker=False)
    gateway.deliver()
    gateway.start()
    now = int(time.time() * 1_000)
    for age in range(20):
        moment = now - 1_000 * age
        gateway.api.write(
            reading("d1", moment, temp=20.5 + age, running=age % 2 == 0, state="ok", count=age),
            reading("line1/press", moment, temp=20 + age),
            reading('a "b" \\ {c}\u0001', moment, temp=age),
        )
    yield gateway


def schemathesis(gateway: Gateway, *arguments: str) -> None:
    # Its command stands beside the interpreter that has the package.
    command = pathlib.Path(sys.executable).with_name("st")
    result = run(
        str(command), "run", gateway.api.url + "/openapi.yaml", "--no-color", "--checks", ",".join(CHECKS), "--seed", SEED,
        "--max-examples", EXAMPLES, "--generation-database", "none", "--workers", "1", "--warnings", "off", *arguments, timeout=400)
    print(result.stdout[-20_000:], result.stderr[-5_000:])
    assert result.returncode == 0, f"seed {SEED}"


# The live tail does not end by itself: test_live.py asks it. What is created would write wherever an example says:
# test_deliveries.py does it.
def test_every_answer_is_as_documented(gateway: Gateway) -> None:
    schemathesis(gateway, "--exclude-path", "/api/v1/live", "--exclude-operation-id", "createDelivery", "--suppress-health-check", "all")
