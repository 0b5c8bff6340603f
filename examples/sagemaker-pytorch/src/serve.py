"""The model server: GET /ping, POST /invocations with {"instances": [{"day": "1972-03-01"}]}."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import torch

from births import features, load

model = load(os.environ.get("SM_MODEL_DIR", "/opt/ml/model"))


def predict(body):
    days = [features(instance["day"]) for instance in json.loads(body)["instances"]]
    if not days:
        return {"predictions": []}
    with torch.no_grad():
        return {"predictions": [{"births": round(births)} for births in model(torch.tensor(days)).tolist()]}


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
            self.answer(400, {"error": f'expected {{"instances": [{{"day": "1972-03-01"}}]}}: {error!r}'})

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
    address = (os.environ.get("SERIN_BIND_ADDRESS", "0.0.0.0"), int(os.environ.get("SAGEMAKER_BIND_TO_PORT", 8080)))
    ThreadingHTTPServer(address, Handler).serve_forever()
