"""The package of clients/python, installed, with the real driver."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import subprocess
import tempfile
import threading
import time
import unittest
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from unittest import mock

import vscp_client
from vscp_client import Client, Event, Pattern, VscpError, sync
from vscp_client._login import encrypt, key_of

ROOT = Path(__file__).resolve().parents[2]
TOOL = os.environ["VSCP_DRIVER"]
GUID = "FF:FF:FF:FF:FF:FF:FF:F5:01:00:00:00:00:05:00:02"
#: Longer than anything takes, on a busy machine as well.
LONG = 20.0


class Driver:
    """The driver, run by its tool. Its port stays the same when it is started again."""

    def __init__(self, simulate: float | None = None, tls: bool = False) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._simulate = simulate
        self._process: subprocess.Popen[bytes] | None = None
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
        self.url = f"{'wss://localhost' if tls else 'ws://127.0.0.1'}:{self.port}"
        self.certificate = str(Path(self._folder.name, "cert.pem"))
        config: dict[str, Any] = {
            "interface": f"{'wss' if tls else 'ws'}://127.0.0.1:{self.port}",
            "allow-default-key": True,
            "enable-static": False,
            "event-layout": "classic",
            "users": [{"name": "admin", "password": "2d1e4f91dae49cd08eaba2293e422273", "rights": "admin"}],
            "logging": {"console-enable-log": False},
        }
        if tls:
            subprocess.run([TOOL, "cert", "--out", self._folder.name, "localhost"], check=True, capture_output=True)
            config["tls"] = {"cert": self.certificate, "key": str(Path(self._folder.name, "key.pem"))}
        self._config = Path(self._folder.name, "config.json")
        self._config.write_text(json.dumps(config))

    def start(self) -> Driver:
        simulate = [] if self._simulate is None else ["--simulate", str(self._simulate)]
        command = [TOOL, "run", str(self._config), *simulate]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self._process = process

        def listens() -> bool:
            if process.poll() is not None:
                raise RuntimeError(f"the driver does not run: {process.communicate()[1].decode()}")
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
            except OSError:
                return False
            return True

        until(listens)
        return self

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.communicate()
            self._process = None

    def dispose(self) -> None:
        self.stop()
        self._folder.cleanup()


def until(check: Callable[[], bool]) -> None:
    end = time.monotonic() + LONG
    while not check():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


async def until_async(check: Callable[[], bool]) -> None:
    end = time.monotonic() + LONG
    while not check():
        assert time.monotonic() < end, "waited in vain"
        await asyncio.sleep(0.02)


class Reading(unittest.TestCase):
    """What needs no driver."""

    def test_measurements_are_those_of_the_documentation(self) -> None:
        page = (ROOT / "docs" / "measurements.md").read_text()
        (block,) = re.findall(r"```reading\n(.*?)```", page, re.S)
        lines = block.strip().splitlines()
        self.assertGreater(len(lines), 8)
        for line in lines:
            found = re.fullmatch(r"(\d+),(\d+) ([0-9A-F ]+) = (.*)", line)
            assert found is not None, line
            event = Event(int(found[1]), int(found[2]), bytes.fromhex(found[3]))
            measurement = event.measurement
            assert measurement is not None, line
            zone = f", zone {measurement.zone}/{measurement.subzone}" if measurement.zone else ""
            shown = f"{measurement.value:g} {measurement.unit}, sensor {measurement.sensor}{zone}"
            self.assertEqual(shown, found[4], line)

    def test_what_is_no_measurement_or_cut_off_has_no_value(self) -> None:
        for vscp_class, data in [
            (20, "88 81 01 07"), (10, ""), (10, "88"), (10, "88 81"), (10, "A8 41 83 80"), (10, "E8 01"),
            (10, "A8 7F C0 00 00"), (10, "40 61 62"), (10, "40 20"), (522, "88 81 01 07"), (60, "40 6C"),
            (65, "03 01 02 88"), (65, ""), (70, "47"), (1040, "05 01 02 01"), (1040, "05 01 02 01 61"),
            (1060, "05 01 02 01 40 35 80 00"), (1060, ""),
        ]:  # fmt: skip
            self.assertIsNone(Event(vscp_class, 6, bytes.fromhex(data)).measurement, (vscp_class, data))

    def test_a_measurement_is_shown_with_the_decimals_that_it_has(self) -> None:
        for vscp_class, data, shown, name in [
            (10, "8A 82 08 34", "21.00 °C", "Temperature"),
            (10, "A8 41 83 80 00", "16.4375 °C", "Temperature"),
            (1040, "05 01 02 01 32 31 2E 35 30", "21.50 °C", "Temperature"),
            (1040, "05 01 02 01 31 65 33", "1000 °C", "Temperature"),
        ]:
            measurement = Event(vscp_class, 6, bytes.fromhex(data)).measurement
            assert measurement is not None
            self.assertEqual((str(measurement), measurement.name), (shown, name))

    def test_events_are_read_and_written(self) -> None:
        text = f"96,10,6,7,2025-01-31T12:00:00Z,4294967295,{GUID},0x88,0x01"
        event = Event.parse(text)
        when = datetime(2025, 1, 31, 12, tzinfo=timezone.utc)
        self.assertEqual(event, Event(10, 6, b"\x88\x01", GUID, 96, 7, when, 4294967295))
        self.assertEqual(Event.parse(str(event)), event)
        self.assertEqual(str(Event(20, 3)), "96,20,3,0,,0,-")
        self.assertEqual((event.priority, event.class_name, event.type_name), (3, "Measurement", "Temperature"))
        self.assertEqual(Event(30, 5).type_name, "Turn on")
        self.assertEqual(Event(9999, 1).type_name, "Type 1")
        for wrong in ["", "96,10,6", f"96,10,6,7,yesterday,0,{GUID}", f"96,10,6,7,,0,{GUID},256", f"a,10,6,7,,0,{GUID}"]:
            with self.assertRaises(ValueError, msg=wrong):
                Event.parse(wrong)

    def test_the_login_is_encrypted_as_the_vectors_say(self) -> None:
        rows = [line.split("\t") for line in (ROOT / "tests/vectors/login.tsv").read_text().splitlines() if line[0] != "#"]
        known = {row[2].lower() for row in rows}
        made = {encrypt(key_of(key), iv, user, password.split()[0]) for key, iv, _, user, password in rows}
        # Each vector has the padding of its client; those of PKCS#7 are ours.
        self.assertGreaterEqual(len(known & made), 1)
        for wrong in ["", "12", "zz" * 16, "00" * 17]:
            with self.assertRaisesRegex(VscpError, "32 hex digits"):
                key_of(wrong)

    def test_an_address_that_cannot_be_meant_is_refused_at_once(self) -> None:
        for url in ["", "localhost:8884", "http://localhost:8884"]:
            with self.assertRaisesRegex(VscpError, "expected ws://"):
                Client(url, user="admin", password="secret")


class WithDriver(unittest.IsolatedAsyncioTestCase):
    """The client for asyncio."""

    driver: Driver

    @classmethod
    def setUpClass(cls) -> None:
        cls.driver = Driver().start()
        cls.addClassCleanup(cls.driver.dispose)

    def client(self, password: str = "secret", reconnect: bool = True) -> Client:
        client = Client(self.driver.url, user="admin", password=password, reconnect=reconnect)
        self.addAsyncCleanup(client.close)
        return client

    async def connected(self) -> Client:
        client = self.client()
        await client.connect()
        return client

    async def receive(self, client: Client) -> Event:
        return await asyncio.wait_for(client.receive(), LONG)

    async def test_an_event_comes_to_others_as_it_was_sent(self) -> None:
        sender, receiver = await self.connected(), await self.connected()
        await sender.send(Event(20, 3, bytes([1, 2, 255]), guid=GUID, head=32))
        event = await self.receive(receiver)
        self.assertEqual((event.vscp_class, event.vscp_type, event.data), (20, 3, b"\x01\x02\xff"))
        self.assertEqual((event.guid, event.priority), (GUID, 1))
        self.assertIsNotNone(event.datetime)
        await sender.send(Event(20, 9))
        self.assertEqual((await self.receive(receiver)).data, b"")

    async def test_the_server_refuses_with_its_codes(self) -> None:
        with self.assertRaises(VscpError) as refused:
            await self.client(password="wrong").connect()
        self.assertEqual(refused.exception.code, 5)
        client = await self.connected()
        with self.assertRaises(VscpError) as refused:
            await client.send(Event(70_000, 1))
        self.assertEqual(refused.exception.code, 8)
        with self.assertRaises(VscpError) as refused:
            await client.command("NOSUCH")
        self.assertEqual(refused.exception.code, 2)
        self.assertEqual((await client.command("VERSION"))[0], "VERSION")

    async def test_replies_go_to_their_requests(self) -> None:
        client = await self.connected()
        sent = [client.send(Event(20 if index % 3 else 70_000, index)) for index in range(100)]
        results = await asyncio.gather(*sent, return_exceptions=True)
        self.assertEqual([result is None for result in results], [index % 3 != 0 for index in range(100)])

    async def test_a_filter_lets_through_what_is_equal_in_its_fields(self) -> None:
        sender, receiver = await self.connected(), await self.connected()
        # The last event passes each pattern: when it is there, none waits for the next pattern.
        kinds = [(20, 3), (30, 1), (20, 5), (20, 4), (30, 2), (30, 4)]
        for pattern, mask, expected in [
            (Pattern(vscp_class=30), None, [(30, 1), (30, 2), (30, 4)]),
            (Pattern(vscp_type=4, guid=GUID), None, [(20, 4), (30, 4)]),
            (Pattern(vscp_type=4), Pattern(vscp_type=0xFE), [(20, 5), (20, 4), (30, 4)]),
            (None, None, kinds),
        ]:
            await receiver.set_filter(pattern, mask)
            for kind in kinds:
                await sender.send(Event(*kind, guid=GUID))
            found = [await self.receive(receiver) for _ in expected]
            self.assertEqual([(event.vscp_class, event.vscp_type) for event in found], expected, pattern)

    async def test_a_loop_goes_on_over_a_restart_and_ends_with_close(self) -> None:
        receiver = await self.connected()
        await receiver.set_filter(Pattern(vscp_class=30))
        types: list[int] = []

        async def loop() -> None:
            async for event in receiver:
                types.append(event.vscp_type)

        looping = asyncio.create_task(loop())
        sender = await self.connected()
        await sender.send(Event(30, 1))
        await until_async(lambda: types == [1])
        await asyncio.to_thread(self.driver.stop)
        await until_async(lambda: receiver.state == sender.state == "waiting")
        with self.assertRaisesRegex(VscpError, "no connection"):
            await sender.send(Event(30, 2))
        await asyncio.to_thread(self.driver.start)
        await until_async(lambda: receiver.state == sender.state == "open")
        await sender.send(Event(20, 2))
        await sender.send(Event(30, 3))
        await until_async(lambda: types == [1, 3])
        await receiver.close()
        await asyncio.wait_for(looping, LONG)

    async def test_without_reconnection_a_lost_connection_ends_the_loop_with_an_error(self) -> None:
        client = self.client(reconnect=False)
        await client.connect()
        await asyncio.to_thread(self.driver.stop)
        try:
            with self.assertRaisesRegex(VscpError, "lost"):
                await self.receive(client)
            with self.assertRaisesRegex(VscpError, "cannot be reached"):
                await client.connect()
        finally:
            await asyncio.to_thread(self.driver.start)
        await client.connect()
        self.assertEqual(client.state, "open")

    async def test_of_too_many_events_the_oldest_are_dropped_and_counted(self) -> None:
        sender, receiver = await self.connected(), await self.connected()
        with mock.patch("vscp_client._client._MAX_WAITING", 3):
            for number in range(10):
                await sender.send(Event(20, number))
            await until_async(lambda: receiver.dropped == 7)
        left = await receiver.receive_all()
        self.assertEqual([event.vscp_type for event in left], [7, 8, 9])

    async def test_what_cannot_be_read_is_counted(self) -> None:
        client = await self.connected()
        with self.assertLogs("vscp_client", "WARNING"):
            client._take("E;96,10")
        self.assertEqual(client.unreadable, 1)


class WithoutAsyncio(unittest.TestCase):
    """The client for threads."""

    def test_measurements_come_in_a_loop(self) -> None:
        driver = Driver(simulate=50).start()
        self.addCleanup(driver.dispose)
        with sync.Client(driver.url, user="admin", password="secret") as client:
            client.set_filter(Pattern(vscp_class=10, vscp_type=6))
            client.send(Event(30, 5, bytes([0, 1, 2])))
            values = []
            for event in client:
                if event.vscp_type != 6:
                    continue  # it came before the filter
                assert event.measurement is not None
                values.append(event.measurement.unit)
                if len(values) == 5:
                    break
            self.assertEqual(values, ["°C"] * 5)
        self.assertEqual((client.state, client.dropped), ("closed", 0))
        with self.assertRaisesRegex(VscpError, "no connection"):
            client.send(Event(30, 5))

    def test_waiting_has_an_end(self) -> None:
        driver = Driver().start()
        self.addCleanup(driver.dispose)
        with self.assertRaises(VscpError) as refused:
            sync.Client(driver.url, user="admin", password="wrong").connect()
        self.assertEqual(refused.exception.code, 5)
        client = sync.Client(driver.url, user="admin", password="secret")
        client.connect()
        self.assertIsNone(client.receive(timeout=0.05))
        ended = threading.Event()

        def loop() -> None:
            for _ in client:
                pass
            ended.set()

        thread = threading.Thread(target=loop)
        thread.start()
        client.close()
        self.assertTrue(ended.wait(LONG))
        thread.join()

    def test_tls_needs_the_certificate_of_the_server(self) -> None:
        driver = Driver(simulate=20, tls=True).start()
        self.addCleanup(driver.dispose)
        with sync.Client(driver.url, user="admin", password="secret", ca_file=driver.certificate) as client:
            event = client.receive(LONG)
            while event is not None and event.type_name != "Temperature":
                event = client.receive(LONG)
            self.assertIsNotNone(event)
        with self.assertRaisesRegex(VscpError, "(?i)certificate"):
            sync.Client(driver.url, user="admin", password="secret").connect()


class Package(unittest.TestCase):
    """What is installed."""

    def test_the_installed_package_is_used_and_is_typed(self) -> None:
        folder = Path(vscp_client.__file__).parent
        self.assertNotIn(str(ROOT / "clients"), str(folder))
        self.assertTrue((folder / "py.typed").exists())
