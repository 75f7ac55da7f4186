"""The processes of a cluster: three brokers (NATS or RabbitMQ), HAProxy, and hosts of the driver."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import time
import urllib.request

DEMO = pathlib.Path(__file__).parent / "../../examples/demo.json"
TOOL = os.environ["VSCP_DRIVER"]
NODES = 3
HOSTS = 3


def free_ports(count):
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def wait_until(what, condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not so within {seconds} s: {what}")
        time.sleep(0.05)


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


class Process:
    """A process that can be killed and started again."""

    def __init__(self, name, folder, command, environment=None):
        self.name, self.command, self.environment = name, command, environment
        self.log_path = folder / f"{name}.log"
        self.process = None

    def start(self):
        self.log_file = open(self.log_path, "ab")
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=self.log_file, stderr=self.log_file, start_new_session=True,
            env=os.environ | self.environment if self.environment else None,
        )

    def kill(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.log_file.close()
        self.process = None

    def stop(self):
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.log_file.close()
        self.process = None

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""


class Cluster:
    """Brokers, hosts and balancer. All listen on 127.0.0.1."""

    def __init__(self, folder, kind="nats"):
        self.folder, self.kind = folder, kind
        ports = iter(free_ports(2 * NODES + NODES + HOSTS + 4))
        take = lambda count: [next(ports) for _ in range(count)]
        self.mqtt, self.routes, self.clients = take(NODES), take(NODES), take(NODES)
        self.ws = take(HOSTS)
        self.wss, self.broker, self.rest, self.epmd = take(4)
        make = self.node if kind == "nats" else self.rabbit
        self.nodes = [make(index) for index in range(NODES)]
        self.hosts = [self.host(index) for index in range(HOSTS)]
        self.balancer = self.haproxy()

    def node(self, index):
        routes = ", ".join(f"nats://127.0.0.1:{port}" for port in self.routes)
        path = self.folder / f"node{index}.conf"
        path.write_text(
            f"""
            server_name: node{index}
            listen: 127.0.0.1:{self.clients[index]}
            jetstream {{ store_dir: "{self.folder}/node{index}", max_mem: 256M, max_file: 1G }}
            cluster {{ name: vscp, listen: 127.0.0.1:{self.routes[index]}, routes: [{routes}] }}
            mqtt {{ listen: "127.0.0.1:{self.mqtt[index]}", max_ack_pending: 10000, ack_wait: "3s" }}
            """
        )
        return Process(f"node{index}", self.folder, ["/usr/sbin/nats-server", "-c", str(path)])

    def rabbit(self, index):
        home = self.folder / f"node{index}"
        for path in (home, home / "db", home / "log"):
            path.mkdir()
        cookie = home / ".erlang.cookie"
        cookie.write_text("cluster")
        cookie.chmod(0o400)
        peers = "\n".join(
            f"cluster_formation.classic_config.nodes.{number + 1} = node{number}@localhost" for number in range(NODES)
        )
        (home / "rabbitmq.conf").write_text(
            f"listeners.tcp = none\nmqtt.listeners.tcp.1 = 127.0.0.1:{self.mqtt[index]}\n"
            "mqtt.allow_anonymous = true\nmqtt.durable_queue_type = quorum\nmqtt.prefetch = 500\n"
            f"cluster_formation.peer_discovery_backend = classic_config\n{peers}\n"
        )
        (home / "enabled_plugins").write_text("[rabbitmq_mqtt].")
        environment = {
            "HOME": str(home), "RABBITMQ_NODENAME": f"node{index}@localhost",
            "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(home / "db"), "RABBITMQ_LOG_BASE": str(home / "log"),
            "RABBITMQ_DIST_PORT": str(self.routes[index]), "ERL_CRASH_DUMP": str(home / "crash"), "ERL_EPMD_PORT": str(self.epmd),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            # Its script becomes the broker, so that there is no other process that outlives it.
            "RUNNING_UNDER_SYSTEMD": "true",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 -kernel inet_dist_use_interface {127,0,0,1}",
        }
        return Process(f"node{index}", self.folder, ["/usr/lib/rabbitmq/bin/rabbitmq-server"], environment)

    def start_nodes(self):
        for node in self.nodes:
            node.start()
        for port in self.mqtt:
            wait_until("a broker listens", lambda: listens(port), 120)
        if self.kind == "nats":
            wait_until("the brokers have a leader", lambda: any("new metadata leader" in n.log() for n in self.nodes))

    def host(self, index):
        driver = json.loads(DEMO.read_text())
        driver |= {
            "interface": f"ws://127.0.0.1:{self.ws[index]}",
            "ws1-iv": "any",
            "max-clients": 1000,
            "max-clients-per-address": 1000,
        }
        entry = {
            "name": f"host{index}",
            "guid": f"FF:FF:FF:FF:FF:FF:FF:FE:00:00:00:00:00:00:00:{index + 1:02X}",
            "path-config": driver,
            "mqtt": {
                "port": self.broker,
                "clientid": f"host{index}",
                "keepalive": 10,
                "reconnect": {"delay": 1, "delay-max": 2},
                "publish": [{"topic": f"vscp/{index}/{{{{class}}}}/{{{{type}}}}", "qos": 1, "format": "string"}],
                "subscribe": [{"topic": "vscp/#", "qos": 1}],
            },
        }
        path = self.folder / f"host{index}.json"
        path.write_text(json.dumps(entry))
        return Process(f"host{index}", self.folder, [TOOL, "serve", str(path)])

    def haproxy(self):
        subprocess.run(
            "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -subj /CN=localhost -days 2 "
            "-addext subjectAltName=DNS:localhost && cat cert.pem key.pem >both.pem",
            shell=True, check=True, capture_output=True, cwd=self.folder,
        )
        hosts = "\n".join(
            f"    server host{index} 127.0.0.1:{port} check cookie host{index}"
            for index, port in enumerate(self.ws)
        )
        nodes = "\n".join(
            f"    server node{index} 127.0.0.1:{port} check" for index, port in enumerate(self.mqtt)
        )
        path = self.folder / "haproxy.cfg"
        text = (pathlib.Path(__file__).parent / "haproxy.cfg").read_text()
        for name, value in {
            "CERTIFICATE": f"{self.folder}/both.pem",
            "WSS_PORT": str(self.wss),
            "BROKER_PORT": str(self.broker),
            "HOSTS": hosts.strip(),
            "NODES": nodes.strip(),
        }.items():
            text = text.replace(f"@{name}@", value)
        path.write_text(text)
        return Process("haproxy", self.folder, ["/usr/sbin/haproxy", "-db", "-f", str(path)])

    def start(self, hosts=HOSTS):
        self.start_nodes()
        self.balancer.start()
        wait_until("the balancer listens", lambda: listens(self.wss))
        # One after the other: the brokers make their streams for the first one.
        for host in self.hosts[:hosts]:
            host.start()
            wait_until(f"{host.name} has subscribed", lambda: "subscribed to 1 topic" in host.log())
        self.wait_for_hosts(hosts)

    def wait_for_hosts(self, count):
        """Waits until as many hosts are healthy themselves; the balancer sees it within a second."""
        def is_healthy(port):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1) as answer:
                    return answer.status == 200
            except OSError:
                return False
        wait_until("the hosts are healthy", lambda: sum(map(is_healthy, self.ws)) >= count)

    def stop(self):
        for process in [*self.hosts, self.balancer, *self.nodes]:
            process.stop()
        if self.kind == "rabbitmq":
            subprocess.run(["epmd", "-port", str(self.epmd), "-kill"], capture_output=True)
