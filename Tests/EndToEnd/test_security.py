"""Tokens, TLS and refused addresses, with the program as it is shipped, and clients that people use."""

import pathlib
import re
import signal
import socket
import ssl
import subprocess
import time
from typing import Any

import pytest
import requests
from influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS

from conftest import Bench
from harness.gateway import Gateway, reading
from harness.program import GAUGEHOUSE, run
from harness.waiting import wait_until

TOKEN = re.compile(r"gaugehouse_[0-9a-f]{72}\n")


class Authority:
    """A certificate authority of the test's own."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.certificate = folder / "ca.pem"
        self._key = folder / "ca.key"
        self._openssl("req", "-x509", *self._new_key(self._key), "-days", "1", "-subj", "/CN=ca", "-out", self.certificate)

    def issue(self, name: str) -> tuple[pathlib.Path, pathlib.Path]:
        """Certificate and key for this machine, under a common name to tell them apart."""
        certificate, key, request = (self.folder / f"{name}.{kind}" for kind in ("pem", "key", "csr"))
        extension = self.folder / "extension"
        extension.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        self._openssl("req", *self._new_key(key), "-subj", f"/CN={name}", "-out", request)
        self._openssl(
            "x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key, "-CAcreateserial",
            "-days", "1", "-extfile", extension, "-out", certificate,
        )  # fmt: skip
        return certificate, key

    @staticmethod
    def _new_key(path: pathlib.Path) -> tuple[str | pathlib.Path, ...]:
        return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", path)

    @staticmethod
    def _openssl(*arguments: str | pathlib.Path) -> None:
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


@pytest.fixture
def tokens(bench: Bench) -> pathlib.Path:
    return bench.folder / "tokens"


def create(tokens: pathlib.Path, name: str, *scopes: str, prefix: str = "") -> str:
    arguments = [part for scope in scopes for part in ("--scope", scope)]
    if prefix:
        arguments += ["--device-prefix", prefix]
    made = run(GAUGEHOUSE, "token", "create", "--file", tokens, "--name", name, *arguments)
    assert made.returncode == 0, made.stderr
    assert TOKEN.fullmatch(made.stdout), made.stdout
    return made.stdout.strip()


def status(gateway: Gateway, path: str, token: str | None = None, **options: Any) -> int:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return gateway.api.request(options.pop("method", "GET"), path, headers=headers, **options).status_code


def reload(gateway: Gateway, outcome: str) -> None:
    before = gateway.log_text().count(outcome)
    gateway.write_config()
    gateway.signal(signal.SIGHUP)
    wait_until(lambda: gateway.log_text().count(outcome) > before, f"the log says: {outcome}")


def without_mqtt(bench: Bench, **http: str | bool | int) -> Gateway:
    gateway = bench.gateway(has_broker=False)
    gateway.sections["[http]"] |= http
    return gateway


def test_tokens_let_in_whom_they_say(bench: Bench, tokens: pathlib.Path) -> None:
    reader, writer = create(tokens, "reader", "read"), create(tokens, "writer", "write")
    admin, line1 = create(tokens, "admin", "admin"), create(tokens, "line1", "read", "write", prefix="line1/")
    assert all(token not in tokens.read_text() for token in (reader, writer, admin, line1))
    gateway = without_mqtt(bench, token_file=str(tokens))
    gateway.start()

    both = [reading("line1/a", None, x=1), reading("line2/a", None, x=1)]
    assert status(gateway, "/api/v1/write", writer, method="POST", json=both) == 204
    assert status(gateway, "/api/v1/write", line1, method="POST", json=both) == 400
    assert status(gateway, "/api/v1/write", reader, method="POST", json=both) == 403
    assert status(gateway, "/api/v1/write", method="POST", json=both) == 401
    for path in ("/api/v1/devices", "/api/v1/devices/line2%2Fa/latest", "/metrics"):
        assert status(gateway, path) == 401
        assert status(gateway, path, reader) == 200
        assert status(gateway, path, writer) == 403
        assert status(gateway, path, admin) == 200
    assert status(gateway, "/api/v1/devices/line2%2Fa/latest", line1) == 404
    assert status(gateway, "/api/v1/devices/line1%2Fa/latest", line1) == 200
    assert status(gateway, "/metrics", line1) == 403
    for path in ("/-/healthy", "/-/ready", "/ping", "/"):
        assert status(gateway, path) in (200, 204)

    assert status(gateway, "/api/v1/config", reader) == 403
    assert status(gateway, "/api/v1/config", admin) == 200
    assert "audit: token admin from 127.0.0.1: GET /api/v1/config: 200" in gateway.log_text()
    assert "audit: 127.0.0.1: POST /api/v1/write: refused with 401" in gateway.log_text()
    assert all(token not in gateway.log_text() for token in (reader, writer, admin, line1))


def test_the_command_line_and_clients_of_influxdb_show_their_token(bench: Bench, tokens: pathlib.Path) -> None:
    reader, writer = create(tokens, "reader", "read"), create(tokens, "writer", "write")
    gateway = without_mqtt(bench, token_file=str(tokens))
    gateway.start()
    with InfluxDBClient(url=gateway.api.url, token=writer, org="o") as client:
        client.write_api(write_options=SYNCHRONOUS).write(bucket="telemetry", record="m,device=d1 x=1")
    lines = "m,device=d2 x=1"
    assert requests.post(f"{gateway.api.url}/write", params={"u": "me", "p": writer}, data=lines, timeout=30).status_code == 204
    assert requests.post(f"{gateway.api.url}/write", auth=("me", writer), data=lines, timeout=30).status_code == 204
    refused = requests.post(f"{gateway.api.url}/write", auth=("me", reader), data=lines, timeout=30)
    assert refused.status_code == 403 and refused.json()["code"] == "forbidden"
    verb = (GAUGEHOUSE, "latest", "d1", "--url", gateway.api.url)
    assert run(*verb).returncode != 0
    assert "m.x" in run(*verb, variables={"GAUGEHOUSE_TOKEN": reader}).stdout
    assert "m.x" in run(*verb, "--token", reader).stdout


def test_a_reload_takes_tokens_over_and_a_bad_file_changes_nothing(bench: Bench, tokens: pathlib.Path) -> None:
    first = create(tokens, "first", "read")
    gateway = without_mqtt(bench, token_file=str(tokens))
    gateway.start()
    second = create(tokens, "second", "read")
    assert status(gateway, "/api/v1/tables", second) == 401
    assert run(GAUGEHOUSE, "token", "revoke", "first", "--file", tokens).returncode == 0
    reload(gateway, "audit: SIGHUP: reload of tokens: 1 token; new: second; gone: first")
    assert status(gateway, "/api/v1/tables", first) == 401
    assert status(gateway, "/api/v1/tables", second) == 200

    good = tokens.read_text()
    tokens.write_text(good + "third\n")
    reload(gateway, "the old configuration stays in force")
    assert f"token_file: {tokens}:3: expected NAME" in gateway.log_text()
    assert status(gateway, "/api/v1/tables", second) == 200
    tokens.write_text(good)
    tokens.chmod(0o666)
    reload(gateway, "the old configuration stays in force")
    assert f"others can write to it: chmod go-w {tokens}" in gateway.log_text()
    assert status(gateway, "/api/v1/tables", second) == 200
    assert status(gateway, "/api/v1/tables") == 401


def test_token_verbs_say_what_is_wrong(bench: Bench, tokens: pathlib.Path) -> None:
    create(tokens, "a", "read", prefix="line 1/")
    verb = (GAUGEHOUSE, "token")
    listed = run(*verb, "list", "--file", tokens)
    assert listed.returncode == 0 and "a     read    line 1/" in listed.stdout
    again = run(*verb, "create", "--file", tokens, "--name", "a", "--scope", "read")
    assert again.returncode == 64 and "there is a token a already" in again.stderr and again.stdout == ""
    for wrong in (["--scope", "reed"], ["--scope", "read", "--expires", "yesterday"], ["--scope", "admin", "--device-prefix", "x"], []):
        assert run(*verb, "create", "--file", tokens, "--name", "b", *wrong).returncode == 64, wrong
    assert run(*verb, "revoke", "b", "--file", tokens).returncode == 66
    assert run(*verb, "list", "--file", "/nowhere/tokens").returncode == 66
    nothing = bench.folder / "empty.toml"
    nothing.write_text("")
    unset = run(*verb, "list", "--config", nothing)
    assert unset.returncode == 78 and "set http.token_file" in unset.stderr
    nothing.write_text(f'[http]\ntoken_file = "{bench.folder}/new"\n')
    assert run(*verb, "create", "--config", nothing, "--name", "c", "--scope", "admin").returncode == 0
    assert run(GAUGEHOUSE, "check-config", "--config", nothing).returncode == 0


def test_beyond_loopback_someone_must_be_asked_for_by_name(bench: Bench, tokens: pathlib.Path) -> None:
    gateway = without_mqtt(bench)
    gateway.sections["[http]"]["listen"] = f"0.0.0.0:{gateway.port}"
    for verb in ("check-config", "serve"):
        refused = gateway.verb(verb)
        assert refused.returncode == 78
        assert "set token_file, or allow_anonymous = true" in refused.stderr
    gateway.sections["[http]"]["allow_anonymous"] = True
    gateway.start()
    assert "everyone who reaches 0.0.0.0 may read and write" in gateway.log_text()
    assert status(gateway, "/api/v1/tables") == 200

    assert gateway.stop() == 0
    token = create(tokens, "a", "read")
    del gateway.sections["[http]"]["allow_anonymous"]
    gateway.sections["[http]"]["token_file"] = str(tokens)
    gateway.start()
    assert "tokens travel readably without TLS" in gateway.log_text()
    # The door stays locked although the file now names a loopback address, which waits for the next start.
    del gateway.sections["[http]"]["token_file"]
    gateway.sections["[http]"]["listen"] = f"127.0.0.1:{gateway.port}"
    reload(gateway, "the old configuration stays in force")
    assert status(gateway, "/api/v1/tables") == 401
    assert status(gateway, "/api/v1/tables", token) == 200


def peer_name(gateway: Gateway, authority: Authority, **options: Any) -> str:
    """Common name of the certificate that a new connection is shown."""
    context = ssl.create_default_context(cafile=str(authority.certificate))
    if options:
        # Otherwise this side would refuse old versions before the gateway can.
        context.set_ciphers("DEFAULT@SECLEVEL=0")
    for name, value in options.items():
        setattr(context, name, value)
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=30) as raw:
        with context.wrap_socket(raw, server_hostname="localhost") as secure:
            subject = secure.getpeercert()["subject"]
            return dict(pair for part in subject for pair in part)["commonName"]


def secure_gateway(bench: Bench, authority: Authority, name: str, **http: str) -> Gateway:
    certificate, key = authority.issue(name)
    gateway = without_mqtt(bench, tls_cert_file=str(certificate), tls_key_file=str(key), **http)
    gateway.api.url = f"https://localhost:{gateway.port}"
    gateway.spawn_serve()
    wait_until(lambda: "listening at https://" in gateway.log_text(), "it listens")
    return gateway


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_tls_is_spoken_from_1_2_on_and_nothing_else(bench: Bench, tokens: pathlib.Path, tmp_path: pathlib.Path) -> None:
    authority = Authority(tmp_path / "ca")
    token = create(tokens, "a", "read", "write")
    gateway = secure_gateway(bench, authority, "first", token_file=str(tokens))
    with requests.Session() as session:
        # Whatever authorities the environment names.
        session.trust_env = False
        session.verify = str(authority.certificate)
        session.headers["Authorization"] = f"Bearer {token}"
        body = [reading("d", None, x=1)]
        assert session.post(f"{gateway.api.url}/api/v1/write", json=body, timeout=30).status_code == 204
        answer = session.get(f"{gateway.api.url}/api/v1/devices/d/latest", timeout=30)
        assert answer.status_code == 200 and answer.json()["values"]["x"]["value"] == 1
        assert session.get(f"{gateway.api.url}/nothing", timeout=30).status_code == 404
    assert peer_name(gateway, authority) == "first"
    assert peer_name(gateway, authority, maximum_version=ssl.TLSVersion.TLSv1_2) == "first"
    with pytest.raises(ssl.SSLError):
        peer_name(gateway, authority, minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1)
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://localhost:{gateway.port}/-/healthy", timeout=30)
    # One that says nothing does not keep the others out.
    with socket.create_connection(("127.0.0.1", gateway.port)):
        assert peer_name(gateway, authority) == "first"
    assert gateway.stop() == 0


def test_a_new_certificate_is_shown_after_a_reload_and_no_connection_is_lost(bench: Bench, tmp_path: pathlib.Path) -> None:
    authority = Authority(tmp_path / "ca")
    gateway = secure_gateway(bench, authority, "first")
    context = ssl.create_default_context(cafile=str(authority.certificate))

    def ask(connection: ssl.SSLSocket) -> bytes:
        connection.sendall(b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n")
        heard = b""
        while not heard.endswith(b"ok\n"):
            part = connection.recv(4096)
            assert part, heard
            heard += part
        return heard

    with socket.create_connection(("127.0.0.1", gateway.port), timeout=30) as raw:
        with context.wrap_socket(raw, server_hostname="localhost") as connection:
            assert ask(connection).startswith(b"HTTP/1.1 200")
            certificate, key = authority.issue("second")
            gateway.sections["[http]"] |= {"tls_cert_file": str(certificate), "tls_key_file": str(key)}
            reload(gateway, "reload: the configuration is taken over")
            assert peer_name(gateway, authority) == "second"
            assert ask(connection).startswith(b"HTTP/1.1 200")

            # A pair that does not fit, a file cut short: the one in force stays.
            other, _ = authority.issue("other")
            gateway.sections["[http]"]["tls_cert_file"] = str(other)
            reload(gateway, "the old configuration stays in force")
            assert "is not the key of the certificate in" in gateway.log_text()
            assert peer_name(gateway, authority) == "second"
            other.write_text(other.read_text()[:200])
            reload(gateway, "the old configuration stays in force")
            assert peer_name(gateway, authority) == "second"
            assert ask(connection).startswith(b"HTTP/1.1 200")
    assert gateway.stop() == 0


def test_thousands_of_silent_connections_keep_nobody_out(bench: Bench) -> None:
    gateway = without_mqtt(bench, max_connections=200, live_clients=0)
    gateway.start()
    silent: list[socket.socket] = []
    try:
        for number in range(3_000):
            silent.append(socket.create_connection(("127.0.0.1", gateway.port), timeout=30))
            if number % 500 == 0:
                assert status(gateway, "/api/v1/tables") == 200
        started = time.monotonic()
        assert status(gateway, "/api/v1/tables") == 200
        assert time.monotonic() - started < 10
        assert gateway.api.metric("gaugehouse_http_connections") <= 201
        assert gateway.api.metric("gaugehouse_http_connections_evicted_total") >= 2_700
    finally:
        for connection in silent:
            connection.close()
    assert gateway.stop() == 0
