"""Makes calls with the botocore of Amazon's own command line, and judges each answer by the service's model.

It listens on a free port of loopback and prints it as `control 12345`. `POST /SERVICE/OPERATION?input=JSON` makes one call
with the settings of the environment and answers with JSON: `output` as botocore parsed it, or `error` with code and message;
and `faults`, what in the bytes of the answer is not as the model has it. botocore itself overlooks members that it does not
know and misses none, so the bytes are read here once more.
"""

import datetime
import functools
import io
import json
import re
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import awscli.botocore  # it makes `botocore` known
from botocore import model as models
from botocore import handlers, parsers, session
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

# The first choice of CloudWatch's model, and of SDKs; botocore's own is JSON, which the command line speaks.
models.PRIORITY_ORDERED_SUPPORTED_PROTOCOLS = ["smithy-rpc-v2-cbor", *models.PRIORITY_ORDERED_SUPPORTED_PROTOCOLS]

# What every operation may answer, whatever its model says.
COMMON = {
    "AccessDenied", "AccessDeniedException", "ExpiredToken", "ExpiredTokenException", "InvalidAction",
    "InvalidClientTokenId", "InvalidSignatureException", "MissingAuthenticationToken",
    "MissingAuthenticationTokenException", "MissingParameter", "ServerException", "ServiceUnavailable",
    "SignatureDoesNotMatch", "Throttling", "ThrottlingException", "UnknownOperationException",
    "UnrecognizedClientException", "ValidationError", "ValidationException",
}
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
NUMBERS = {"integer": int, "long": int, "float": (int, float), "double": (int, float)}


def structure(shape, names, path, faults):
    """Names that the model does not have, and those it requires; members that travel in headers are none of them."""
    members = {name: member for name, member in shape.members.items() if "location" not in member.serialization}
    known = {member.serialization.get("name", name): member for name, member in members.items()}
    faults += [f"{path}: `{name}` is not in the model" for name in names if name not in known]
    for name in shape.required_members:
        if name in members and members[name].serialization.get("name", name) not in names:
            faults.append(f"{path}: `{name}` is required")
    return known


def value(shape, data, path, faults):
    """A value of JSON or CBOR."""
    kind = shape.type_name
    if kind == "structure":
        if not isinstance(data, dict):
            faults.append(f"{path}: no structure")
            return
        known = structure(shape, data, path, faults)
        for name in data.keys() & known.keys():
            value(known[name], data[name], f"{path}.{name}", faults)
    elif kind == "list":
        if not isinstance(data, list):
            faults.append(f"{path}: no list")
            return
        for index, item in enumerate(data):
            value(shape.member, item, f"{path}[{index}]", faults)
    elif kind == "map":
        if not isinstance(data, dict):
            faults.append(f"{path}: no map")
            return
        for key, item in data.items():
            value(shape.value, item, f"{path}.{key}", faults)
    elif kind == "string":
        string(shape, data, path, faults)
    elif kind == "boolean":
        if not isinstance(data, bool):
            faults.append(f"{path}: {data!r} is not true or false")
    elif kind == "timestamp":
        if isinstance(data, bool) or not isinstance(data, (int, float, datetime.datetime)):
            faults.append(f"{path}: {data!r} is no time")
    elif kind in NUMBERS:
        if isinstance(data, bool) or not isinstance(data, NUMBERS[kind]):
            faults.append(f"{path}: {data!r} is no {kind}")


def string(shape, data, path, faults):
    if not isinstance(data, str):
        faults.append(f"{path}: {data!r} is no text")
    elif getattr(shape, "enum", None) and data not in shape.enum:
        faults.append(f"{path}: {data!r} is none of {shape.enum}")


def element(shape, node, path, faults):
    """A value of XML."""
    kind, text = shape.type_name, node.text or ""
    children = [(child.tag.rpartition("}")[2], child) for child in node]
    if kind == "structure":
        known = structure(shape, [name for name, _ in children], path, faults)
        for name, child in children:
            member = known.get(name)
            if member is not None and member.serialization.get("flattened"):
                member = member.member
            if member is not None:
                element(member, child, f"{path}.{name}", faults)
    elif kind in ("list", "map"):
        wanted = "entry" if kind == "map" else shape.member.serialization.get("name", "member")
        for index, (name, child) in enumerate(children):
            if name != wanted:
                faults.append(f"{path}: `{name}` is not `{wanted}`")
            elif kind == "list":
                element(shape.member, child, f"{path}[{index}]", faults)
    elif children:
        faults.append(f"{path}: no {kind}")
    elif kind == "string":
        string(shape, text, path, faults)
    elif kind == "boolean" and text not in ("true", "false"):
        faults.append(f"{path}: {text!r} is not true or false")
    elif kind == "timestamp" and not ISO.match(text):
        faults.append(f"{path}: {text!r} is no time")
    elif kind in NUMBERS and not re.match(r"-?\d+(\.\d+)?$", text):
        faults.append(f"{path}: {text!r} is no {kind}")


def document(model, body, faults):
    """An answer whose members are in headers, in a document of XML, or are the body itself."""
    shape = model.output_shape
    payload = shape and shape.serialization.get("payload")
    if payload and shape.members[payload].type_name in ("blob", "string"):
        return
    if payload:
        shape = shape.members[payload]
    if not shape or all("location" in member.serialization for member in shape.members.values()):
        if body:
            faults.append(f"{model.name}: a body where there is none")
        return
    root = ElementTree.fromstring(body)
    # The root of this one is its only member.
    if model.name != "GetBucketLocation":
        element(shape, root, model.name, faults)


def judge(model, protocol, response, faults):
    """The bytes of an answer that is no refusal."""
    shape, body = model.output_shape, response["body"]
    if not {"x-amzn-requestid", "x-amz-request-id"} & {name.lower() for name in response["headers"]}:
        faults.append("no request id")
    if protocol == "rest-xml":
        document(model, body, faults)
    elif protocol == "query":
        root = ElementTree.fromstring(body)
        result = shape and root.find("{*}" + shape.serialization.get("resultWrapper", ""))
        if shape and result is None:
            faults.append("no result")
        elif shape:
            element(shape, result, model.name, faults)
    elif shape:
        if protocol == "smithy-rpc-v2-cbor":
            parser = parsers.create_parser(protocol)
            data = parser.parse_data_item(io.BufferedReader(io.BytesIO(body))) if body else {}
        else:
            data = json.loads(body)
        value(shape, data, model.name, faults)


seen = {}


@functools.cache
def client_of(service):
    # One attempt: a retry would be a second call to the stand-in.
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=10, read_timeout=30)
    client = session.get_session().create_client(service, config=config)
    # It makes values of policies, which are texts in the model.
    client.meta.events.unregister("after-call.iam", handlers.json_decode_policies)
    client.meta.events.register("before-parse.*.*", lambda response_dict, **_: seen.update(response_dict))
    return client


def call(service, operation, given):
    client, faults = client_of(service), []
    model = client.meta.service_model.operation_model(operation)
    protocol = client.meta.service_model.resolved_protocol
    if isinstance(given.get("Body"), list):
        # A long body: a text, and how many times.
        text, times = given["Body"]
        given["Body"] = text * times
    method = next(name for name, known in client.meta.method_to_api_mapping.items() if known == operation)
    try:
        output = getattr(client, method)(**given)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        own = {shape.metadata.get("error", {}).get("code", shape.name) for shape in model.error_shapes}
        own |= {shape.name for shape in model.error_shapes}
        # The model of S3 names but a few of its codes.
        if code not in own | COMMON and service != "s3":
            faults.append(f"{operation}: `{code}` is not one of {sorted(own)}")
        if not error.response["Error"].get("Message") and seen["status_code"] < 500:
            faults.append(f"{operation}: `{code}` says nothing")
        return {"error": error.response["Error"], "faults": faults}
    judge(model, protocol, seen, faults)
    output.pop("ResponseMetadata")
    if hasattr(output.get("Body"), "read"):
        output["Body"] = output["Body"].read().decode(errors="replace")
    if model.output_shape:
        report = ParamValidator().validate(output, model.output_shape)
        # A list that must not be empty in an input may be so in an output: AWS shows no tags as none.
        lines = report.generate_report().splitlines()
        faults += [line for line in lines if "Invalid length" not in line or "value: 0" not in line]
    return {"output": output, "faults": faults}


class Control(BaseHTTPRequestHandler):
    def do_POST(self):
        split = urlsplit(self.path)
        _, service, operation = split.path.split("/")
        try:
            answer = call(service, operation, json.loads(parse_qs(split.query)["input"][-1]))
        except Exception as error:
            answer = {"faults": [f"{operation}: {type(error).__name__}: {error}"]}
        body = json.dumps(answer, default=str).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Control)
print("control", server.server_address[1], flush=True)
server.serve_forever()
