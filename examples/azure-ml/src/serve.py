"""The server of a custom container on Azure ML, with the routes of Serin's deployments:
https://learn.microsoft.com/azure/machine-learning/how-to-deploy-custom-container"""

import datetime
import http.server
import json
import os
import pathlib

model = json.loads(pathlib.Path(os.environ["AZUREML_MODEL_DIR"], "model.json").read_text())


def predict(instance):
    return {"births": round(model[datetime.date.fromisoformat(instance["day"]).strftime("%A")])}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(200 if self.path == "/ping" else 404, {})

    def do_POST(self):
        if self.path != "/invocations":
            return self.answer(404, {})
        try:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            self.answer(200, {"predictions": [predict(instance) for instance in body["instances"]]})
        except (KeyError, TypeError, ValueError) as error:
            self.answer(400, {"error": f"{type(error).__name__}: {error}"})

    def answer(self, status, body):
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


# HOST is set on one machine, where only the gateway may reach a server.
address = (os.environ.get("HOST", "0.0.0.0"), int(os.environ["PORT"]))
http.server.ThreadingHTTPServer(address, Handler).serve_forever()
