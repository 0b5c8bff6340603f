# From outside of every job: what a person does with a notebook.
import json
import sys

import mlflow
import mlflow.sklearn
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

client = MlflowClient()
uri, run = sys.argv[1:]
model = mlflow.sklearn.load_model(uri)
seen = client.get_run(run)
refusals = []
for call in (
    lambda: client.set_registered_model_alias("line", "champion", "1"),
    lambda: client.delete_model_version("line", "1"),
    lambda: client.transition_model_version_stage("line", "1", "Production"),
    lambda: client.log_metric(run, "late", 1),
    lambda: client.delete_run(run),
    lambda: mlflow.register_model(f"runs:/{run}/model", "line"),
    lambda: client.create_run(seen.info.experiment_id),
):
    try:
        call()
    except MlflowException as error:
        refusals.append([error.error_code, str(error).split("\n")[0]])
client.set_tag(run, "looked", "yes")
client.set_registered_model_alias("line", "baseline", "1")
found = mlflow.search_runs(experiment_names=["line"], filter_string="metrics.rmse < 1", output_format="list")
print(
    json.dumps(
        {
            "predicted": float(model.predict([[10.0]])[0]),
            "params": seen.data.params,
            "metrics": {key: value for key, value in seen.data.metrics.items() if value == value},
            "tags": seen.data.tags,
            "status": seen.info.status,
            "name": seen.info.run_name,
            "artifacts": sorted(file.path for file in client.list_artifacts(run)),
            "aliases": client.get_registered_model("line").aliases,
            "versions": [[str(v.version), v.status, v.run_id] for v in client.search_model_versions("name = 'line'")],
            "searched": [one.info.run_id for one in found],
            "dataset": seen.inputs.dataset_inputs[0].dataset.source_type,
            "refusals": refusals,
        }
    )
)
