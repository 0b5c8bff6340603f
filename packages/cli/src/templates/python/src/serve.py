"""The model server: GET /ping, and POST /invocations with {"instances": [{...}]}, one object of columns for each row."""

import json
import os
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import predictor
from rows import EXPECTED, shown, vector

# Loaded before the server listens: an answer to /ping says that it is ready.
model = predictor.load(os.environ.get("SM_MODEL_DIR", "/opt/ml/model"))


def answer(body):
    rows = [vector(instance) for instance in json.loads(body)["instances"]]
    return {"predictions": [shown(prediction) for prediction in (predictor.predict(model, rows) if rows else [])]}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body of an answer leave together: in two packets, the second would wait for the first one's receipt.
    wbufsize = -1

    def do_GET(self):
        self.send(200, {"status": "ok"}) if self.path == "/ping" else self.send(404, {"error": "ask GET /ping"})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path != "/invocations":
            return self.send(404, {"error": "ask POST /invocations"})
        try:
            self.send(200, answer(body))
        except (KeyError, TypeError, ValueError) as error:
            self.send(400, {"error": f"expected instances with {EXPECTED}: {error!r}"})
        except Exception as error:
            traceback.print_exc()
            self.send(500, {"error": repr(error)})

    def send(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 128


if __name__ == "__main__":
    # On one machine Serin names the address and the port. In a container it is every interface, and 8080.
    port = os.environ.get("SAGEMAKER_BIND_TO_PORT") or os.environ.get("PORT") or 8080
    Server((os.environ.get("SERIN_BIND_ADDRESS", "0.0.0.0"), int(port)), Handler).serve_forever()
