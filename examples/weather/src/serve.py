"""The model server: GET /ping, POST /invocations with {"instances": [{"temp_max": 12.8, ...}]}."""

import json
import os
import pathlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import joblib

from train import FEATURES

forest = joblib.load(pathlib.Path(os.environ["SM_MODEL_DIR"], "model.joblib"))


def predict(body):
    rows = [[float(day[name]) for name in FEATURES] for day in json.loads(body)["instances"]]
    return {"predictions": [str(weather) for weather in forest.predict(rows)] if rows else []}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer(200 if self.path == "/ping" else 404, {})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path != "/invocations":
            return self.answer(404, {})
        try:
            self.answer(200, predict(body))
        except (KeyError, TypeError, ValueError) as error:
            self.answer(400, {"error": f"expected instances with {', '.join(FEATURES)}: {error!r}"})

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    # A container listens on every interface; on one machine Serin says which.
    address = (os.environ.get("SERIN_BIND_ADDRESS", "0.0.0.0"), int(os.environ.get("PORT", 8080)))
    ThreadingHTTPServer(address, Handler).serve_forever()
