"""Each dialect as its devices speak it, through its preset, compared reading by reading over HTTP."""

import pytest

from conftest import Bench
from harness.program import LOAD, REPOSITORY, run

# Those whose readings the generator can foretell.
DIALECTS = ["json", "thingsboard", "thingsboard-gateway", "line-protocol", "senml", "value", "csv", "cbor"]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_devices_of_a_dialect_send_is_what_is_stored(bench: Bench, dialect: str) -> None:
    """Some of it late, some twice, some broken; a message of five readings where the dialect has such."""
    bench.broker.start()
    gateway = bench.gateway()
    del gateway.sections["[[mqtt.subscription]]"]
    gateway.preset = (REPOSITORY / "configs" / "mappings" / f"{dialect}.toml").read_text()
    gateway.start()
    options = {
        "port": bench.broker.port,
        "dialect": dialect,
        "rate": 400,
        "duration": "2s",
        "devices": 20,
        "bad-fraction": 0.05,
        "verify": gateway.api.url,
    }
    # A bare value has no time: none is late, and a second one is a second reading.
    if dialect != "value":
        options |= {"late-fraction": 0.1, "duplicate-fraction": 0.1, "readings-per-message": 5}
    verdict = run(LOAD, *(part for key, value in options.items() for part in (f"--{key}", str(value))), timeout=120)
    assert verdict.returncode == 0, verdict.stdout + verdict.stderr + gateway.log_text()
    assert gateway.api.row_count() > 500 and gateway.letters()
