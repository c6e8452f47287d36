"""SIGHUP takes brokers, subscriptions and mappings over; a configuration with errors leaves the old one in force."""

import signal

from conftest import Bench
from harness.flood import Flood
from harness.gateway import Gateway
from harness.publisher import Publisher
from harness.waiting import wait_until

SECOND = "[[mqtt.subscription]] # second"


def reload(gateway: Gateway) -> None:
    """Asks, and returns when it is done, well or badly."""
    before = gateway.log_text().count("reload: ")
    gateway.write_config()
    gateway.signal(signal.SIGHUP)
    wait_until(lambda: gateway.log_text().count("reload: ") > before, "the reload is over")


def reloaded_well(gateway: Gateway) -> bool:
    return "gaugehouse_config_last_reload_successful 1" in gateway.api.request("GET", "/metrics").text


def test_a_reload_takes_subscriptions_over_and_loses_nothing(bench: Bench, gateway: Gateway) -> None:
    gateway.sections[SECOND] = {"filter": "value/+/+", "topic": "value/{device}/{field}", "exclude": ["secret"]}
    with Flood(bench.broker.port) as flood:
        for number in range(10):
            gateway.sections[SECOND]["time_key"] = f"time{number}"
            reload(gateway)
            assert reloaded_well(gateway), gateway.log_text()
        with Publisher(bench.broker.port) as publisher:
            publisher.publish("value/v/x", {"kept": 1, "secret": 2})
    wait_until(lambda: any(device["id"] == "v" for device in gateway.api.devices()), "the new topic is read")
    assert gateway.api.latest("v")["kept"] == 1 and "secret" not in gateway.api.latest("v")
    flood.check(gateway)
    assert gateway.api.stats()["mqtt"]["reconnects"] == 0


def test_a_reload_with_errors_changes_nothing_and_says_so(bench: Bench, gateway: Gateway) -> None:
    gateway.sections["[mqtt]"]["port"] = "a word"
    reload(gateway)
    assert "gaugehouse.toml:" in gateway.log_text() and "the old configuration stays in force" in gateway.log_text()
    assert not reloaded_well(gateway)
    with Publisher(bench.broker.port) as publisher:
        publisher.publish("devices/d/telemetry", {"n": 1})
    wait_until(lambda: gateway.api.row_count() == 1, "the old subscription works")
    gateway.sections["[mqtt]"]["port"] = bench.broker.port
    gateway.sections["[<table>]"] = {}
    reload(gateway)
    assert "not TOML: between the brackets" in gateway.log_text() and not reloaded_well(gateway)
    del gateway.sections["[<table>]"]
    gateway.sections["[mqtt]"]["tls_ca_file"] = "/none/ca.pem"
    reload(gateway)
    assert "tls_ca_file: /none/ca.pem" in gateway.log_text() and not reloaded_well(gateway)
    del gateway.sections["[mqtt]"]["tls_ca_file"]
    assert gateway.api.stats()["mqtt"]["reconnects"] == 0
    gateway.sections["[store]"]["head_age"] = "1m"
    reload(gateway)
    assert reloaded_well(gateway)
    wait_until(lambda: "wait for the next start: store.head_age" in gateway.log_text(), "what needs a restart is named")


def test_a_broker_may_come_with_a_reload(bench: Bench) -> None:
    bench.broker.start()
    gateway = bench.gateway()
    mqtt = gateway.sections.pop("[mqtt]"), gateway.sections.pop("[[mqtt.subscription]]")
    gateway.start()
    gateway.sections["[mqtt]"], gateway.sections["[[mqtt.subscription]]"] = mqtt
    reload(gateway)
    wait_until(lambda: "mqtt: connected" in gateway.log_text(), "it has connected")
    with Publisher(bench.broker.port) as publisher:
        publisher.publish("devices/d/telemetry", {"n": 1})
    wait_until(lambda: gateway.api.row_count() == 1, "it is stored")
