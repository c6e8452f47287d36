"""Fixtures of the end-to-end tests.

`bench` starts the programs of one test and ends every one of them afterwards, by pid, whatever happened. A failed test
shows their logs. `chance` is the randomness of a test; its seed is printed, and taken from GAUGEHOUSE_TEST_SEED when
that is set.
"""

import os
import pathlib
import random
import signal
from collections.abc import Generator, Iterator
from typing import TypeVar

import pytest

from harness.broker import Broker
from harness.browser import Browser
from harness.disk import small_tmpfs
from harness.gateway import Gateway
from harness.program import GAUGEHOUSE, LOAD, Program

LOG_TAIL_LINES = 120
# What Swift's runtime, the C library and the sanitizers say when a process goes down by its own fault.
CRASHES = (
    "Fatal error",
    "Crash:",
    "Stack dump",
    "Precondition failed",
    "Program crashed",
    "terminate called",
    "AddressSanitizer",
)

Kind = TypeVar("Kind", bound=Program)


class Bench:
    """The programs of one test, below one folder."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.programs: list[Program] = []
        self._broker: Broker | None = None

    @property
    def broker(self) -> Broker:
        """The test's broker; made, not started, when first asked for."""
        if self._broker is None:
            self._broker = self.add(Broker(self.folder / "broker"))
        return self._broker

    def gateway(self, name: str = "gateway", has_broker: bool = True) -> Gateway:
        """A gateway that is configured, not started."""
        return self.add(Gateway(self.folder / name, self.broker.port if has_broker else None))

    def add(self, program: Kind) -> Kind:
        self.programs.append(program)
        return program

    def close(self) -> None:
        """Gateways and generators first, the broker last."""
        for program in sorted(self.programs, key=lambda program: isinstance(program, Broker)):
            program.close()
        for program in self.programs:
            assert not any(
                sign in program.log_text() for sign in CRASHES
            ), f"{program.name} crashed:\n{program.log_text()}"


def pytest_configure(config: pytest.Config) -> None:
    # A runner that gives up sends SIGTERM: fixtures are to end their programs then, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for program in (GAUGEHOUSE, LOAD):
        if not os.access(program, os.X_OK):
            raise pytest.UsageError(
                f"{program} is not there: build first, or set GAUGEHOUSE_BIN and GAUGEHOUSE_LOAD_BIN"
            )


@pytest.fixture
def bench(tmp_path: pathlib.Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    try:
        yield bench
    finally:
        bench.close()


@pytest.fixture(scope="module")
def shared_bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """For tests that only ask: one gateway serves a whole file of them."""
    bench = Bench(tmp_path_factory.mktemp("shared"))
    try:
        yield bench
    finally:
        bench.close()


@pytest.fixture
def gateway(bench: Bench) -> Gateway:
    """A ready gateway with default options, connected to a broker."""
    bench.broker.start()
    gateway = bench.gateway()
    gateway.start()
    return gateway


@pytest.fixture
def browser(tmp_path: pathlib.Path) -> Iterator[Browser]:
    browser = Browser(tmp_path / "profile")
    try:
        yield browser
    finally:
        browser.close()


@pytest.fixture
def small_disk(tmp_path: pathlib.Path) -> Iterator[pathlib.Path]:
    with small_tmpfs(tmp_path / "disk") as folder:
        yield folder


@pytest.fixture
def chance() -> random.Random:
    seed = int(os.environ.get("GAUGEHOUSE_TEST_SEED") or random.SystemRandom().randrange(1_000_000))
    print(f"GAUGEHOUSE_TEST_SEED={seed}")
    return random.Random(seed)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        for bench in {
            id(value): value for value in getattr(item, "funcargs", {}).values() if isinstance(value, Bench)
        }.values():
            for program in bench.programs:
                tail = program.log_text().splitlines()[-LOG_TAIL_LINES:]
                report.sections.append((f"log of {program.name} ({program.log})", "\n".join(tail)))
    return report
