# Logs over a way on which each answer is lost once.
import mlflow
from mlflow import MlflowClient
from mlflow.entities import Metric

client = MlflowClient()
run = client.create_run("0")
id = run.info.run_id
client.log_metric(id, "one", 1, timestamp=5, step=0)
client.log_batch(id, metrics=[Metric("many", index, 5, index) for index in range(10)])
client.log_param(id, "depth", 3)
client.set_tag(id, "team", "a")
client.delete_tag(id, "team")
client.log_text(id, "whole", "notes.txt")
client.set_terminated(id)
assert len(client.get_metric_history(id, "one")) == 1
assert len(client.get_metric_history(id, "many")) == 10
seen = client.get_run(id)
assert seen.data.params == {"depth": "3"} and seen.info.status == "FINISHED"
assert mlflow.artifacts.load_text(f"{run.info.artifact_uri}/notes.txt") == "whole"
