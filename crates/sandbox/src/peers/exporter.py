"""An exporter whose numbers a test drives: Prometheus' own client library, told over HTTP what happened.

GET  /metrics                                       what Prometheus scrapes
POST /requests?code=200&count=10&seconds=0.05       so many requests with this status code and duration
POST /forget?code=500                               the series of this code is not exposed any more
POST /restart                                       all counters begin anew, as after a restart
POST /scrapes?answer=good|error|none                scrapes are answered, refused with 500, or left hanging
POST /gauge?value=1.5                               sets `shop_queue_length`

It listens on a free port of loopback and prints it as `port 12345`.
"""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

# The default buckets of Go's client library, which most services have.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Service:
    """The metrics of a web service since its start."""

    def __init__(self):
        self.registry = CollectorRegistry()
        self.requests = Counter("http_requests", "Requests.", ["code"], registry=self.registry)
        self.duration = Histogram(
            "http_request_duration_seconds", "Durations.", buckets=BUCKETS, registry=self.registry
        )
        self.queue = Gauge("shop_queue_length", "Length of a queue.", registry=self.registry)


class World:
    """What all connections share."""

    service = Service()
    answer = "good"
    never = threading.Event()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if World.answer == "none":
            World.never.wait()
        if World.answer == "error":
            return self.reply(500, b"no metrics today\n")
        self.reply(200, generate_latest(World.service.registry), CONTENT_TYPE_LATEST)

    def do_POST(self):
        address = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(address.query).items()}
        service = World.service
        try:
            if address.path == "/requests":
                count, seconds = int(query["count"]), float(query["seconds"])
                service.requests.labels(query["code"]).inc(count)
                for _ in range(count):
                    service.duration.observe(seconds)
            elif address.path == "/forget":
                service.requests.remove(query["code"])
            elif address.path == "/restart":
                World.service = Service()
            elif address.path == "/scrapes":
                World.answer = query["answer"]
            elif address.path == "/gauge":
                service.queue.set(float(query["value"]))
            else:
                return self.reply(404, b"no such thing\n")
        except (KeyError, ValueError) as error:
            return self.reply(400, f"{error!r}\n".encode())
        self.reply(200, b"done\n")

    def reply(self, status, body, kind="text/plain"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A scraper that went away is no error."""


server = Server(("127.0.0.1", 0), Handler)
print("port", server.server_address[1], flush=True)
server.serve_forever()
