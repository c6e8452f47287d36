"""Birth and last-will topics: who can be heard, as the broker knows it."""

import socket
from typing import Any

import paho.mqtt.client as mqtt

from conftest import Bench
from harness.gateway import Gateway
from harness.publisher import Publisher, topic
from harness.waiting import PATIENCE, wait_until

STATUS = "devices/{}/status"


class Device:
    """A device that says hello, and has left its last will with the broker; both retained, as is usual."""

    def __init__(self, port: int, name: str) -> None:
        self.name = name
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name)
        self.client.will_set(STATUS.format(name), "offline", qos=1, retain=True)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self.publish(STATUS.format(name), "online", retain=True)

    def publish(self, topic_name: str, payload: str, **options: Any) -> None:
        self.client.publish(topic_name, payload, qos=1, **options).wait_for_publish(PATIENCE)

    def dies(self) -> None:
        """Without a word: the broker publishes the will."""
        wire = self.client.socket()
        assert wire is not None
        self.client.on_disconnect = None
        self.client.loop_stop()
        wire.shutdown(socket.SHUT_RDWR)
        wire.close()


def state(gateway: Gateway, device: str) -> str | None:
    return next((entry["state"] for entry in gateway.api.devices() if entry["id"] == device), None)


def test_a_last_will_makes_a_device_offline_and_its_next_word_online(bench: Bench) -> None:
    bench.broker.start()
    gateway = bench.gateway()
    gateway.sections["[[mqtt.subscription]] # state"] = {
        "filter": "devices/+/status",
        "topic": "devices/{device}/status",
        "format": "state",
    }
    gateway.start()
    device = Device(bench.broker.port, "boiler")
    device.publish(topic("boiler"), '{"temperature":21.5}')
    wait_until(lambda: "temperature" in gateway.api.latest("boiler"), "the reading is stored")
    assert state(gateway, "boiler") == "online"
    device.dies()
    wait_until(lambda: state(gateway, "boiler") == "offline", "the will has come")
    assert [entry["id"] for entry in gateway.api.get("/api/v1/devices", state="offline")["devices"]] == ["boiler"]
    assert gateway.api.latest("boiler")["$state"] == "offline" and gateway.api.latest("boiler")["temperature"] == 21.5
    gateway.kill()
    gateway.start()
    assert state(gateway, "boiler") == "offline", "kept over a restart"
    second = Device(bench.broker.port, "boiler")
    wait_until(lambda: state(gateway, "boiler") == "online", "it is back")
    second.client.disconnect()
    second.client.loop_stop()


def test_a_gateway_that_comes_later_learns_the_state_from_what_is_retained(bench: Bench) -> None:
    bench.broker.start()
    with Publisher(bench.broker.port):
        device = Device(bench.broker.port, "pump")
        device.dies()
    gateway = bench.gateway()
    gateway.sections["[[mqtt.subscription]]"] |= {
        "filter": "devices/+/status",
        "topic": "devices/{device}/status",
        "format": "state",
    }
    gateway.start()
    wait_until(lambda: state(gateway, "pump") == "offline", "the retained will is read")
