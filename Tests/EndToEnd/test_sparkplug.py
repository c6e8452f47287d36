"""Sparkplug through a real broker: aliases over kill -9, deaths as states, rebirth requests.

The payloads are those of Tests/DialectsTests/Sparkplug/SparkplugVectors.swift, where is written what is in them.
"""

import queue

import paho.mqtt.client as mqtt

from conftest import Bench
from harness.gateway import Gateway
from harness.publisher import Publisher
from harness.waiting import PATIENCE, wait_until

NODE_DATA = bytes.fromhex(
    "08e8d7dfb4ab331205100150fa011208100350ffffffff0f120d100458ffffffffffffffffff011207100965cdcccc3d"
    "1204100b70001204100c7a001204100a38011801"
)
DEVICE_BIRTH = bytes.fromhex(
    "08d0dfdfb4ab33121a0a085072657373757265106418d0dfdfb4ab332009650000904012150a06537461727473106518"
    "d0dfdfb4ab332003500712240a1544657669636520436f6e74726f6c2f5265626f6f74106618d0dfdfb4ab33200b7000"
    "1802"
)
DEVICE_DATA = bytes.fromhex(
    "0888f7dfb4ab33120e106418a0efdfb4ab336500009840120d106518b8e7dfb4ab3328015008120e106418b8e7dfb4ab"
    "3365000088401208106550f7ffffff0f1803"
)
NODE_DEATH = bytes.fromhex(
    "120b0a05626453657120045803"
)
# `bdSeq` 3 and one metric each of the aliases that NODE_DATA has.
NODE_BIRTH = bytes.fromhex(
    "0880d0dfb4ab3312120a0562645365711880d0dfb4ab332004580312210a144e6f646520436f6e74726f6c2f52656269"
    "7274681880d0dfb4ab33200b700012150a02693810011880d0dfb4ab33200150fbffffff0f12160a0369313610021880"
    "d0dfb4ab33200250d4fdffff0f12160a0369333210031880d0dfb4ab3320035090ddfbff0f121b0a0369363410041880"
    "d0dfb4ab33200458809ce8afedffffffff0112120a02753810051880d0dfb4ab33200550c80112140a03753136100618"
    "80d0dfb4ab33200650e0d40312160a0375333210071880d0dfb4ab3320075080d0acf30e12160a0375363410081880d0"
    "dfb4ab3320085880e497d01212170a05666c6f617410091880d0dfb4ab332009650000c03f121c0a06646f75626c6510"
    "0a1880d0dfb4ab33200a6900000000000002c012130a04666c6167100b1880d0dfb4ab33200b700112180a0474657874"
    "100c1880d0dfb4ab33200c7a056772c3bc6e12190a05636c6f636b100d1880d0dfb4ab33200d5880d0dfb4ab33121b0a"
    "096c6f6e672074657874100e1880d0dfb4ab33200e7a0361206212370a0475756964100f1880d0dfb4ab33200f7a2436"
    "663063316135652d303030302d343030302d383030302d30303030303030303030303112220a057461626c6510101880"
    "d0dfb4ab3320108a010d0801120163180322040a02080112160a0372617710111880d0dfb4ab33201182010300ff1012"
    "160a0466696c6510121880d0dfb4ab332012820102504b12250a056d6f746f7210131880d0dfb4ab3320139201100a01"
    "3112090a0372706d200350012801123e0a0f776974682070726f7065727469657310141880d0dfb4ab33200a42034201"
    "644a120a07656e67556e69741207080c4203626172690000000000001e4012160a076e6f7468696e6710151880d0dfb4"
    "ab332009380112230a0b696e74333220617272617910161880d0dfb4ab33201882010801000000ffffffff1800"
)
# A command of the edge node's name: field 1 of the metric, then field 14, true.
REBIRTH_NAME, REBIRTH_VALUE = b"Node Control/Rebirth", b"\x70\x01"
BIRTH_MS = 1_764_000_000_000


def sparkplug_gateway(bench: Bench) -> Gateway:
    bench.broker.start()
    gateway = bench.gateway()
    gateway.sections["[[table]]"] |= {"ttl": "3650d", "partition": "1d"}
    gateway.sections["[[mqtt.subscription]]"] = {"filter": "spBv1.0/#", "topic": "#", "format": "sparkplug-b"}
    gateway.start()
    return gateway


def test_aliases_survive_kill_9(bench: Bench) -> None:
    """A birth that was acked explains the data of a gateway that was killed since."""
    gateway = sparkplug_gateway(bench)
    with Publisher(bench.broker.port) as publisher:
        publisher.publish("spBv1.0/Plant/NBIRTH/edge1", NODE_BIRTH)
        publisher.publish("spBv1.0/Plant/DBIRTH/edge1/pump", DEVICE_BIRTH)
        wait_until(lambda: len(gateway.api.devices()) == 2, "both births are stored")
        gateway.kill()
        publisher.publish("spBv1.0/Plant/NDATA/edge1", NODE_DATA)
        publisher.publish("spBv1.0/Plant/DDATA/edge1/pump", DEVICE_DATA)
        gateway.start()
        query = {"start": str(BIRTH_MS), "end": str(BIRTH_MS + 60_000), "fields": "Pressure,Starts"}
        rows = wait_until(lambda: len(found := gateway.api.rows("Plant/edge1/pump", **query)) == 4 and found, "data")
        assert rows == [
            {"time": (BIRTH_MS + 2_000) * 1_000, "Pressure": 4.5, "Starts": 7},
            {"time": (BIRTH_MS + 3_000) * 1_000, "Pressure": 4.25, "Starts": 8},
            {"time": (BIRTH_MS + 4_000) * 1_000, "Pressure": 4.75},
            {"time": (BIRTH_MS + 5_000) * 1_000, "Starts": -9},
        ]
        latest = gateway.api.latest("Plant/edge1")
        assert (latest["i8"], latest["i32"], latest["i64"], latest["$state"]) == (-6, -1, -1, "online")
        publisher.publish("spBv1.0/Plant/NDEATH/edge1", NODE_DEATH)
        for device in ("Plant/edge1", "Plant/edge1/pump"):
            wait_until(lambda device=device: gateway.api.latest(device)["$state"] == "offline", f"{device} is offline")


def test_an_unknown_alias_asks_for_a_rebirth(bench: Bench) -> None:
    """Once for several messages, after the message was acked; the message itself is a dead letter."""
    gateway = sparkplug_gateway(bench)
    requests: queue.Queue[tuple[str, bytes]] = queue.Queue()
    listener = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    listener.on_connect = lambda client, *_: client.subscribe("spBv1.0/+/NCMD/#")
    listener.on_subscribe = lambda *_: requests.put(("ready", b""))
    listener.on_message = lambda _, __, message: requests.put((message.topic, message.payload))
    listener.connect("127.0.0.1", bench.broker.port)
    listener.loop_start()
    try:
        assert requests.get(timeout=PATIENCE)[0] == "ready"
        with Publisher(bench.broker.port) as publisher:
            publisher.publish("spBv1.0/Plant/NDATA/edge1", NODE_DATA)
            publisher.publish("spBv1.0/Plant/DDATA/edge1/pump", DEVICE_DATA)
            topic, payload = requests.get(timeout=PATIENCE)
            assert topic == "spBv1.0/Plant/NCMD/edge1"
            assert REBIRTH_NAME in payload and payload.endswith(REBIRTH_VALUE)
            # The edge node does as it is told, and is understood from there on.
            publisher.publish("spBv1.0/Plant/NBIRTH/edge1", NODE_BIRTH)
            publisher.publish("spBv1.0/Plant/NDATA/edge1", NODE_DATA)
            wait_until(gateway.api.devices, "the birth is stored")
            wait_until(lambda: gateway.api.latest("Plant/edge1").get("i8") == -6, "data is understood")
        assert requests.empty(), "a second request within a minute"
    finally:
        listener.disconnect()
        listener.loop_stop()
    assert sum(letter["reason"] == "undecodable" for letter in gateway.letters()) == 2
