"""gRPC's own health service, and its client.

`python grpc_health.py serve [CERT KEY]` listens on a free port of loopback and prints it as `port 12345`, then a port for
HTTP as `control 12346`, where `POST /set?service=NAME&status=SERVING` sets a status; the empty name is the whole server.
`python grpc_health.py bare [CERT KEY]` is the same server without the health service, and with no other one.
`python grpc_health.py check ADDRESS SERVICE [AUTHORITY]` prints the status, or the code of the failure, as any gRPC client
sees it; over TLS where it is told which authority to trust.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc


def serve(files, with_health):
    servicer = health.HealthServicer()
    server = grpc.server(ThreadPoolExecutor(max_workers=4))
    if with_health:
        health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    if files:
        chain, key = (open(file, "rb").read() for file in files)
        credentials = grpc.ssl_server_credentials([(key, chain)])
        port = server.add_secure_port("127.0.0.1:0", credentials)
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    servicer.set("", health_pb2.HealthCheckResponse.SERVING)
    server.start()

    class Control(BaseHTTPRequestHandler):
        def do_POST(self):
            query = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
            status = health_pb2.HealthCheckResponse.ServingStatus.Value(query["status"][-1])
            servicer.set(query["service"][-1], status)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    control = HTTPServer(("127.0.0.1", 0), Control)
    print("port", port)
    print("control", control.server_address[1], flush=True)
    control.serve_forever()


def connect(address, authority):
    if not authority:
        return grpc.insecure_channel(address)
    with open(authority[0], "rb") as file:
        return grpc.secure_channel(address, grpc.ssl_channel_credentials(file.read()))


def check(address, service, *authority):
    with connect(address, authority) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            answer = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=10)
            print(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))
        except grpc.RpcError as error:
            print(error.code().name)


if sys.argv[1] in ("serve", "bare"):
    serve(sys.argv[2:], with_health=sys.argv[1] == "serve")
else:
    check(*sys.argv[2:])
