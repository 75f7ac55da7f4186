"""How many events a second go through one host, beside mosquitto's own clients in the same run.

    VSCP_DRIVER=target/release/vscpl2drv-websocksrv /usr/bin/python3 throughput.py [EVENTS]

Needs mosquitto, mosquitto-clients and cc. RAW_RUMQTTC names a program that publishes (`pub PORT COUNT QOS`) or receives
(`sub PORT COUNT QOS`) by rumqttc alone, and prints how fast.
"""

import asyncio
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import websockets

from processes import DEMO, TOOL, free_ports, listens, wait_until

# mosquitto_pub ends too early if there are more than its message ids.
COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 60_000
ROOT = pathlib.Path(__file__).parent / "../.."
# A login of the demo's user, encrypted with the well-known key: `iv;crypto`.
LOGIN = "55BCA4DC7C1FD9C3E6967F37C8747698;42273E9F3440DABA5B0CC05242F742B2"
LINE = "96,10,6,0,2026-11-20T12:30:15Z,1234,FF:FF:FF:FF:FF:FF:FF:FE:B8:27:EB:CF:3A:15:00:01,0x48,0x38,0x35,0x2E,0x32,0x36"

# A driver that has COUNT events for the host, as fast as it asks, from one second after it is opened.
SOURCE = """
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "vscpl2drv-websocksrv.h"
static long left;
static time_t start;
long VSCPOpen(const char *config, const unsigned char *guid) { (void)guid; left = atol(config); start = time(0) + 2; return 1; }
int VSCPClose(long handle) { (void)handle; return 0; }
int VSCPWrite(long handle, const vscpEvent *event, unsigned long timeout) { (void)handle; (void)event; (void)timeout; return 0; }
int VSCPRead(long handle, vscpEvent *event, unsigned long timeout) {
    (void)handle;
    if (left == 0 || time(0) < start) { usleep(timeout * 100); return CANAL_ERROR_TIMEOUT; }
    left--;
    memset(event, 0, sizeof *event);
    event->head = 96; event->vscp_class = 10; event->vscp_type = 6; event->timestamp = 1234;
    event->year = 2026; event->month = 11; event->day = 20; event->hour = 12; event->minute = 30; event->second = 15;
    event->sizeData = 6; event->pdata = malloc(6); memcpy(event->pdata, "H85.26", 6);
    return CANAL_ERROR_SUCCESS;
}
unsigned long VSCPGetVersion(void) { return 1; }
const char *VSCPGetVendorString(void) { return "bench"; }
"""


def start_host(folder, name, entry):
    path = folder / f"{name}.json"
    path.write_text(json.dumps(entry))
    log = open(folder / f"{name}.log", "wb")
    process = subprocess.Popen([TOOL, "serve", str(path)], stderr=log)
    wait_until("the host is connected", lambda: "connected to mqtt" in (folder / f"{name}.log").read_text())
    return process


def stop(process):
    process.terminate()
    process.wait(30)


def subscriber(port, topic, qos, count):
    """A mosquitto_sub that ends when it has so many messages."""
    process = subprocess.Popen(
        ["mosquitto_sub", "-p", str(port), "-t", topic, "-q", str(qos), "-C", str(count)], stdout=subprocess.DEVNULL
    )
    time.sleep(0.5)
    return process


def timed(process, start):
    """Returns the seconds until a process ends, for ever if something was lost on its way."""
    try:
        process.wait(40)
    except subprocess.TimeoutExpired:
        process.kill()
        return float("inf")
    return time.monotonic() - start


def memory(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def driver_config(port):
    return json.loads(DEMO.read_text()) | {
        "interface": f"ws://127.0.0.1:{port}", "ws1-iv": "any", "max-client-queue-size": 1_000_000,
        "max-client-queue-bytes": 1 << 28, "logging": {},
    }


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        port, ws = free_ports(2)
        (folder / "conf").write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 1000\nuser root\n"
        )
        (folder / "lines").write_text((LINE + "\n") * COUNT)
        (folder / "driver.c").write_text(SOURCE)
        library = folder / "driver.so"
        subprocess.run(
            ["cc", "-O2", "-shared", "-fPIC", "-I", ROOT / "include", "-o", library, folder / "driver.c"], check=True
        )
        broker = subprocess.Popen(["/usr/sbin/mosquitto", "-c", folder / "conf"], stderr=subprocess.DEVNULL)
        try:
            wait_until("the broker listens", lambda: listens(port))
            print(f"{COUNT} events of {len(LINE)} bytes, {os.cpu_count()} processors; events a second\n")
            print("| | QoS 0 | QoS 1 |\n|---|---|---|")
            rows = [
                ("mosquitto_pub -> broker -> mosquitto_sub", lambda qos: pub_sub(folder, port, qos)),
                ("host (any driver) -> broker -> mosquitto_sub", lambda qos: from_host(folder, port, qos, library)),
                ("mosquitto_pub -> broker -> host -> a ws1 client", lambda qos: to_client(folder, port, ws, qos)),
            ]
            raw = os.environ.get("RAW_RUMQTTC")
            if raw:
                rows.insert(1, ("rumqttc -> broker -> mosquitto_sub", lambda qos: raw_pub(raw, port, qos)))
                rows.append(("mosquitto_pub -> broker -> rumqttc", lambda qos: raw_sub(raw, folder, port, qos)))
            for title, measure in rows:
                seconds = [measure(qos) for qos in (0, 1)]
                figures = ["lost some" if each == float("inf") else f"{COUNT / each:.0f}" for each in seconds]
                print(f"| {title} | {' | '.join(figures)} |", flush=True)
            for qos in (0, 1):
                asyncio.run(latency(folder, port, free_ports(2), qos))
            retained(folder, port, ws)
        finally:
            broker.kill()
            broker.wait()


def publish(folder, port, topic, qos):
    lines = open(folder / "lines", "rb")
    return subprocess.Popen(["mosquitto_pub", "-p", str(port), "-t", topic, "-q", str(qos), "-l"], stdin=lines)


def pub_sub(folder, port, qos):
    receiver = subscriber(port, "bench/plain", qos, COUNT)
    start = time.monotonic()
    sender = publish(folder, port, "bench/plain", qos)
    seconds = timed(receiver, start)
    sender.wait()
    return seconds


def from_host(folder, port, qos, library):
    receiver = subscriber(port, "bench/host", qos, COUNT)
    entry = {
        "path-driver": str(library), "path-config": str(COUNT), "event-layout": "classic",
        "mqtt": {"port": port, "publish": {"topic": "bench/host", "format": "string", "qos": qos}},
    }
    opened = time.time()
    host = start_host(folder, f"from{qos}", entry)
    # The driver has its first event on a full second, two after it is opened.
    first = subscriber(port, "bench/host", 0, 1)
    first.wait(60)
    start = time.monotonic()
    seconds = timed(receiver, start)
    assert time.time() - opened < 300
    stop(host)
    return seconds


def to_client(folder, port, ws, qos):
    entry = {"path-config": driver_config(ws), "mqtt": {"port": port, "subscribe": {"topic": "bench/in", "qos": qos}}}
    host = start_host(folder, f"to{qos}", entry)
    watch = subprocess.Popen(
        [TOOL, "watch", "--url", f"ws://127.0.0.1:{ws}", "--user", "admin", "-n", str(COUNT)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | {"VSCP_PASSWORD": "secret"},
    )
    time.sleep(2)
    start = time.monotonic()
    sender = publish(folder, port, "bench/in", qos)
    seconds = timed(watch, start)
    sender.wait()
    stop(host)
    return seconds


def raw_pub(raw, port, qos):
    receiver = subscriber(port, "bench/raw", qos, COUNT)
    start = time.monotonic()
    sender = subprocess.Popen([raw, "pub", str(port), str(COUNT), str(qos)], stdout=subprocess.DEVNULL)
    seconds = timed(receiver, start)
    sender.wait(60)
    return seconds


def raw_sub(raw, folder, port, qos):
    receiver = subprocess.Popen([raw, "sub", str(port), str(COUNT), str(qos)], stdout=subprocess.DEVNULL)
    time.sleep(0.5)
    start = time.monotonic()
    sender = publish(folder, port, "bench/in", qos)
    seconds = timed(receiver, start)
    sender.wait()
    return seconds


async def client(port):
    socket = await websockets.connect(f"ws://127.0.0.1:{port}/ws1", compression=None, ping_interval=None)
    await socket.send(f"C;AUTH;{LOGIN}")
    await socket.send("C;OPEN")
    for _ in range(3):
        await socket.recv()
    return socket


async def latency(folder, port, ports, qos):
    """From a websocket client of one host over the broker to one of another host, 2000 events, 200 a second."""
    hosts = []
    for index, ws in enumerate(ports):
        mqtt = {
            "port": port,
            "publish": {"topic": "vscp/{{class}}", "qos": qos, "format": "string"},
            "subscribe": {"topic": "vscp/#", "qos": qos},
        }
        name = f"latency{qos}{index}"
        hosts.append(start_host(folder, name, {"path-config": driver_config(ws), "mqtt": mqtt}))
        wait_until("it has subscribed", lambda: "subscribed to 1 topic" in (folder / f"{name}.log").read_text())
    sender, receiver = await client(ports[0]), await client(ports[1])
    latencies = []

    async def receive():
        while len(latencies) < 2000:
            message = await receiver.recv()
            if message.startswith("E;"):
                data = bytes(int(byte, 0) for byte in message.split(",", 7)[7].split(","))
                latencies.append((time.monotonic_ns() - int.from_bytes(data, "big")) / 1e6)

    receiving = asyncio.create_task(receive())
    for _ in range(2000):
        data = ",".join(map(str, time.monotonic_ns().to_bytes(8, "big")))
        await sender.send(f"E;96,1031,1,0,,,-,{data}")
        await sender.recv()
        await asyncio.sleep(0.005)
    await asyncio.wait_for(receiving, 60)
    cuts = statistics.quantiles(latencies, n=100)
    print(f"\nClient -> host -> broker -> host -> client, QoS {qos}: p50 {cuts[49]:.2f} ms, p99 {cuts[98]:.2f} ms")
    for socket in (sender, receiver):
        await socket.close()
    for host in hosts:
        stop(host)


def retained(folder, port, ws):
    """The memory of a host before and after 10 000 retained messages have come at its start."""
    entry = lambda topic: {
        "path-config": driver_config(ws), "mqtt": {"port": port, "subscribe": {"topic": topic, "qos": 1}}
    }
    host = start_host(folder, "none", entry("nothing/#"))
    time.sleep(2)
    before = memory(host)
    stop(host)
    library_entry = {
        "path-driver": str(folder / "driver.so"), "path-config": "10000", "event-layout": "classic",
        "mqtt": {"port": port, "publish": {"topic": "many/{{obid}}", "retain": True, "qos": 1, "format": "string"}},
    }
    # Each event has a topic of its own by its number.
    source = (folder / "driver.c").read_text().replace("event->head = 96;", "event->head = 96; event->obid = left;")
    (folder / "many.c").write_text(source)
    subprocess.run(
        ["cc", "-O2", "-shared", "-fPIC", "-I", ROOT / "include", "-o", folder / "many.so", folder / "many.c"], check=True
    )
    library_entry["path-driver"] = str(folder / "many.so")
    receiver = subscriber(port, "many/#", 1, 10_000)
    publisher = start_host(folder, "publisher", library_entry)
    receiver.wait(60)
    stop(publisher)
    host = start_host(folder, "many", entry("many/#"))
    time.sleep(3)
    after = memory(host)
    stop(host)
    line = (folder / "many.log").read_text().splitlines()[-1]
    assert "10000 events written" in line, line
    print(f"\nMemory of a host: {before:.1f} MiB; after 10 000 retained topics at its start: {after:.1f} MiB")


main()
