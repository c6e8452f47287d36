"""The broker comes and goes; what it has acked arrives in the end."""

import signal
import socket

from conftest import Bench
from harness.gateway import Gateway
from harness.publisher import Publisher, topic
from harness.waiting import now_us, wait_until


def publish_numbers(bench: Bench, device: str, numbers: range) -> None:
    """One reading for each number; returns when the broker has acked them all."""
    start = now_us() - 60_000_000
    with Publisher(bench.broker.port) as publisher:
        for number in numbers:
            publisher.send(topic(device), {"ts": start + number, "n": number})
        publisher.settle()


def wait_for_numbers(gateway: Gateway, device: str, count: int) -> None:
    """Waits for `count` rows, and holds them to be 0, 1, 2, …: none missing, none twice."""
    wait_until(lambda: gateway.api.row_count() >= count, f"{count} rows are stored")
    assert sorted(row["n"] for row in gateway.api.rows(device)) == list(range(count))


def test_the_gateway_waits_for_a_broker_that_is_not_there_yet(bench: Bench) -> None:
    """It starts, serves, says why it is not ready, tries again for ever, and is ready soon after the broker is."""
    gateway = bench.gateway()
    gateway.listen()
    address = f"127.0.0.1:{bench.broker.port}"
    wait_until(lambda: "refused" in gateway.api.readiness()[1], "a reason is given")
    status, reason = gateway.api.readiness()
    assert status == 503 and "not connected to the broker" in reason and address in reason
    assert gateway.api.request("GET", "/-/healthy").status_code == 200
    assert gateway.api.request("GET", "/-/ready").headers["Retry-After"]
    gateway.api.write({"device": "d", "fields": {"n": 0}})
    assert gateway.api.latest("d") == {"n": 0}, "HTTP works without a broker"
    stats = gateway.api.stats()
    assert stats["ready"] is False and stats["mqtt"]["connected"] is False and address in stats["mqtt"]["last_error"]

    bench.broker.start()
    wait_until(lambda: gateway.api.readiness()[0] == 200, "the gateway has found the broker")
    publish_numbers(bench, "late", range(10))
    wait_until(lambda: gateway.api.row_count() == 11, "readings come in")


def test_a_broker_that_never_answers_does_not_hold_up_a_stop(bench: Bench) -> None:
    """Somebody listens at the port and says nothing: the gateway serves, says so, and stops when it is asked to."""
    gateway = bench.gateway()
    with socket.create_server(("127.0.0.1", bench.broker.port)):
        gateway.listen()
        gateway.api.write({"device": "d", "fields": {"n": 0}})
        wait_until(lambda: "no answer" in gateway.api.readiness()[1], "the reason is given")
        assert gateway.stop() == 0


def test_messages_acked_while_the_gateway_is_away_survive_a_restart_of_the_broker(
    bench: Bench, gateway: Gateway
) -> None:
    """The session and its queue are persistent, as configs/mosquitto.conf says."""
    gateway.kill()
    publish_numbers(bench, "d", range(500))
    assert bench.broker.stop() == 0
    bench.broker.start()
    publish_numbers(bench, "d", range(500, 600))
    gateway.start()
    wait_for_numbers(gateway, "d", 600)


def test_the_gateway_comes_back_after_the_broker_was_restarted(bench: Bench, gateway: Gateway) -> None:
    """A lost connection makes it not ready, and is made again by itself; what was published meanwhile arrives."""
    publish_numbers(bench, "d", range(50))
    wait_for_numbers(gateway, "d", 50)
    assert bench.broker.stop() == 0
    wait_until(lambda: gateway.api.readiness()[0] == 503, "the gateway has noticed")
    bench.broker.start()
    publish_numbers(bench, "d", range(50, 100))
    wait_for_numbers(gateway, "d", 100)
    assert gateway.api.readiness() == (200, "") and gateway.api.stats()["mqtt"]["reconnects"] == 1


def test_a_broker_that_forgot_everything_is_subscribed_at_again(bench: Bench, gateway: Gateway) -> None:
    """Without its database the broker knows no session; the gateway subscribes anew and goes on."""
    bench.broker.kill()
    for file in bench.broker.state.iterdir():
        file.unlink()
    wait_until(lambda: gateway.api.readiness()[0] == 503, "the gateway has noticed")
    bench.broker.start()
    wait_until(lambda: gateway.api.readiness()[0] == 200, "the gateway is back")
    publish_numbers(bench, "d", range(20))
    wait_for_numbers(gateway, "d", 20)


def test_what_a_stopped_gateway_has_not_acked_is_delivered_after(bench: Bench, gateway: Gateway) -> None:
    """Messages sent to a gateway that stands still arrive when it goes on."""
    gateway.signal(signal.SIGSTOP)
    publish_numbers(bench, "d", range(3_000))
    gateway.signal(signal.SIGCONT)
    wait_for_numbers(gateway, "d", 3_000)


def test_what_a_killed_gateway_has_not_acked_is_delivered_again(bench: Bench, gateway: Gateway) -> None:
    """Messages in the socket of a gateway that never read them are the broker's still."""
    publish_numbers(bench, "d", range(100))
    gateway.signal(signal.SIGSTOP)
    publish_numbers(bench, "d", range(100, 3_000))
    gateway.kill()
    gateway.start()
    wait_for_numbers(gateway, "d", 3_000)
