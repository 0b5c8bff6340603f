"""The client against the API's own description: a path, query, or field that was renamed fails here."""

from __future__ import annotations

import inspect
import json
import os
import re
from typing import Any, Callable, Dict, List, Set, Tuple
from unittest import TestCase, skipUnless
from urllib.parse import urlsplit

import serin
from serin import _server
from serin._http import Answer, Request, Transport

Document = Dict[str, Any]

CALLS: Dict[str, Callable[[serin.Client], Any]] = {
    "drop": lambda client: client.drop("m", b"x", name="a.csv"),
    "predict": lambda client: client.predict("m", [1]),
    "label": lambda client: client.label("r", True, wrong=True, mirror=True, loss=0.5),
    "rollback": lambda client: client.rollback("m", to=1, because="b"),
    "why": lambda client: client.why("m"),
    "events": lambda client: list(client.events(after=1)),
    "runs.list": lambda client: client.runs.list(model="m", status="s"),
    "runs.get": lambda client: client.runs.get("run_1"),
    "runs.start": lambda client: client.runs.start("m", hyperparameters={"a": 1}, force=True, because="b"),
    "runs.wait": lambda client: client.runs.wait("run_1"),
    "runs.logs": lambda client: list(client.runs.logs("run_1", job="train", attempt=1)),
    "runs.cancel": lambda client: client.runs.cancel("run_1"),
    "runs.expected": lambda client: client.runs.expected("m"),
    "models.list": lambda client: client.models.list(),
    "models.get": lambda client: client.models.get("m"),
    "models.history": lambda client: client.models.history("m", at="2026-01-02T08:00:00Z"),
    "models.traffic": lambda client: client.models.traffic("m", "2026-01-02T08:00:00Z", "2026-01-02T09:00:00Z"),
    "versions.list": lambda client: client.versions.list("m"),
    "versions.get": lambda client: client.versions.get("m", 1),
    "versions.approve": lambda client: client.versions.approve("m", 1, note="n", override="o"),
    "versions.reject": lambda client: client.versions.reject("m", 1, note="n"),
    "versions.restore": lambda client: client.versions.restore("m", 1, because="b"),
    "rollouts.list": lambda client: client.rollouts.list(model="m", status="s"),
    "rollouts.get": lambda client: client.rollouts.get("ro_1"),
    "rollouts.of": lambda client: client.rollouts.of("m", 1),
    "rollouts.wait": lambda client: client.rollouts.wait("ro_1"),
    "rollouts.promote": lambda client: client.rollouts.promote("ro_1", because="b"),
    "rollouts.abort": lambda client: client.rollouts.abort("ro_1", because="b"),
    "rollouts.pause": lambda client: client.rollouts.pause("ro_1", because="b"),
    "rollouts.resume": lambda client: client.rollouts.resume("ro_1", because="b"),
    "labels.send": lambda client: client.labels.send([{"requestId": "r", "time": "t", "truth": 1}]),
    "labels.get": lambda client: client.labels.get("m"),
}

#: What the API promises of these, and the type that says it to a caller.
TYPES: Tuple[Tuple[type, str, str], ...] = (
    (serin.Run, "get", "/v1/runs/{id}"),
    (serin.Rollout, "get", "/v1/rollouts/{id}"),
    (serin.Model, "get", "/v1/models/{model}"),
    (serin.Version, "get", "/v1/models/{model}/versions/{number}"),
    (serin.Outcome, "post", "/v1/rollouts/{id}/abort"),
    (serin.Why, "get", "/v1/why/{id}"),
    (serin.ModelLabels, "get", "/v1/models/{model}/labels"),
)

#: Fields of documents whose schema leaves them open.
OPEN: Dict[str, Document] = {
    "/v1/models/{model}": {"plan": {"data": {"bucket": "b", "prefix": "p/"}}},
    "/v1/runs/{id}": {"endedAt": "2026-01-02T08:00:00Z"},
    "/v1/rollouts/{id}": {"endedAt": "2026-01-02T08:00:00Z"},
    "/v1/rollouts": {"rollouts": [{"id": "ro_1", "version": 1}]},
    "/v1/events": {"events": []},
}


def methods(client: serin.Client) -> Set[str]:
    sections = {f"{name}.": value for name, value in vars(client).items() if not name.startswith("_")}
    return {
        prefix + name
        for prefix, value in {"": client, **sections}.items()
        for name, _ in inspect.getmembers(value, inspect.ismethod)
        if not name.startswith("_")
    }


class Described(Transport):
    """Answers each request by the schema of its answer, and nothing else."""

    def __init__(self, document: Document) -> None:
        super().__init__(_server.Server("http://127.0.0.1:1", None, "test"), 1.0)
        self.document = document
        self.sent: List[Tuple[Request, str]] = []

    def send(self, request: Request) -> Answer:
        path = urlsplit(request.path).path
        if path.startswith("/endpoints/"):
            return Answer(200, {}, b"")
        found = [each for each in self.document["paths"] if re.fullmatch(pattern_of(each), path)]
        # `/v1/events` before what only looks like it.
        template = min(found, key=lambda each: each.count("{"), default=None)
        if template is None or request.method.lower() not in self.document["paths"][template]:
            raise AssertionError(f"the API has no {request.method} {path}")
        self.sent.append((request, template))
        body = {**sample(schema_of(self.operation(request, template)["responses"])), **OPEN.get(template, {})}
        return Answer(200, {}, json.dumps(body).encode())

    def operation(self, request: Request, template: str) -> Document:
        operation: Document = self.document["paths"][template][request.method.lower()]
        return operation


def pattern_of(template: str) -> str:
    return re.sub(r"\\\{[a-z]+\\\}", "[^/]+", re.escape(template))


def schema_of(responses: Document) -> Document:
    contents = [responses[status].get("content", {}) for status in ("202", "201", "200") if status in responses]
    schema: Document = contents[0].get("application/json", {}).get("schema", {"type": "object"})
    return schema


def sample(schema: Document) -> Any:
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "object":
        # Without the cursor of a next page, which has the form of text.
        properties = schema.get("properties", {})
        return {
            name: sample(each)
            for name, each in properties.items()
            if not (name == "next" and each.get("type") == "string")
        }
    if schema.get("type") == "array":
        return [sample(schema.get("items", {}))]
    return {"string": "x", "integer": 1, "number": 1.5, "boolean": True}.get(schema.get("type", ""))


def properties_of(schema: Document) -> Set[str]:
    return set(schema.get("properties", {})).union(*(properties_of(each) for each in schema.get("anyOf", [])))


@skipUnless(os.environ.get("SERIN_URL"), "no server: SERIN_URL is not set")
class Mirror(TestCase):
    document: Document

    @classmethod
    def setUpClass(cls) -> None:
        cls.document = serin.connect()._http.get("/openapi.json")

    def client(self) -> Tuple[serin.Client, Described]:
        transport = Described(self.document)
        return serin.Client(transport), transport

    def test_each_method_is_called_here(self) -> None:
        self.assertEqual(methods(self.client()[0]), set(CALLS))

    def test_each_call_has_its_path_query_body_and_answer(self) -> None:
        client, transport = self.client()
        for name, call in CALLS.items():
            with self.subTest(name):
                call(client)

        self.assertIn("POST /endpoints/{name}/invocations", json.dumps(self.document))
        for request, template in transport.sent:
            operation = transport.operation(request, template)
            with self.subTest(f"{request.method} {template}"):
                known = {each["name"] for each in operation["parameters"] if each["in"] == "query"}
                self.assertLessEqual(set(request.query), known)
                body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
                if request.method == "POST":
                    sent = json.loads(request.content or b"{}")
                    self.assertLessEqual(set(sent), properties_of(body))
                    for label in sent.get("labels", []):
                        self.assertLessEqual(set(label), properties_of(body["anyOf"][0]))

    def test_lists_are_told_of_in_pages(self) -> None:
        for path in ("/v1/runs", "/v1/models", "/v1/rollouts"):
            answer = schema_of(self.document["paths"][path]["get"]["responses"])
            self.assertEqual(answer["properties"]["next"], {"type": "string"})
            self.assertIn(path[4:], answer["properties"])

    def test_types_have_the_fields_that_the_api_promises(self) -> None:
        for kind, method, path in TYPES:
            with self.subTest(kind.__name__):
                schema = schema_of(self.document["paths"][path][method]["responses"])
                self.assertLessEqual(properties_of(schema), set(kind.__annotations__))
