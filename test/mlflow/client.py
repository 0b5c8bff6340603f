# What a program of a user asks of a tracking server, by the stock client alone.
import json
import math
import os
import subprocess
import sys
import tempfile

import mlflow
import mlflow.sklearn
import numpy as np
import sklearn.linear_model
from mlflow import MlflowClient
from mlflow.entities import Metric
from mlflow.exceptions import MlflowException

client = MlflowClient()
lab = "lab \u202e <b>é</b>"


def refused(code, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except MlflowException as error:
        assert error.error_code == code, f"{error.error_code}: {error}"
        return str(error)
    raise AssertionError(f"{call} was not refused with {code}")


# experiments
experiment = mlflow.set_experiment(lab)
assert mlflow.set_experiment(lab).experiment_id == experiment.experiment_id
assert mlflow.get_experiment_by_name(lab).name == lab
assert mlflow.get_experiment_by_name("nobody") is None
mlflow.set_experiment_tag("team", "churn")
other = client.create_experiment("other", tags={"a": "b"})
client.rename_experiment(other, "renamed")
client.delete_experiment(other)
assert [found.name for found in client.search_experiments(view_type=2)] == ["renamed"]
client.restore_experiment(other)
assert "renamed" in [found.name for found in mlflow.search_experiments(order_by=["name DESC"])]
assert [found.name for found in client.search_experiments(filter_string="tags.team = 'churn'")] == [lab]
refused("RESOURCE_ALREADY_EXISTS", client.create_experiment, "renamed")
page = client.search_experiments(max_results=1)
assert len(page) == 1 and len(client.search_experiments(max_results=9, page_token=page.token)) == 2

# a run
with mlflow.start_run(run_name="first", description="words") as run:
    mlflow.log_param("depth", 3)
    mlflow.log_params({"rate": 0.1, "words": "x" * 6000})
    for step in range(5):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
    mlflow.log_metrics({"nan": math.nan, "inf": math.inf, "minus": -math.inf})
    mlflow.set_tags({"team": "a'b", "gone": "1"})
    mlflow.delete_tag("gone")
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "b b é.txt"), "w") as file:
            file.write("hello")
        mlflow.log_artifact(os.path.join(folder, "b b é.txt"))
        mlflow.log_artifacts(folder, "many/of them")
    mlflow.log_dict({"k": 1}, "dicts/x.json")
    mlflow.log_text("", "empty.txt")
    with mlflow.start_run(nested=True) as child:
        mlflow.log_metric("child", 1)
seen = client.get_run(run.info.run_id)
assert seen.info.status == "FINISHED" and seen.info.end_time >= seen.info.start_time
assert seen.data.params == {"depth": "3", "rate": "0.1", "words": "x" * 6000}
assert seen.data.metrics["loss"] == 0.2 and math.isnan(seen.data.metrics["nan"])
assert seen.data.metrics["inf"] == math.inf and seen.data.metrics["minus"] == -math.inf
assert seen.data.tags["team"] == "a'b" and "gone" not in seen.data.tags
assert client.get_run(child.info.run_id).data.tags["mlflow.parentRunId"] == run.info.run_id
assert [point.value for point in client.get_metric_history(run.info.run_id, "loss")] == [1, 0.5, 1 / 3, 0.25, 0.2]
refused("INVALID_PARAMETER_VALUE", client.log_param, run.info.run_id, "depth", 4)
client.log_param(run.info.run_id, "depth", 3)
refused("INVALID_PARAMETER_VALUE", client.set_tag, run.info.run_id, "../x", "1")
refused("RESOURCE_DOES_NOT_EXIST", client.get_run, "0" * 32)

# many at once
client.log_batch(run.info.run_id, metrics=[Metric("many", index, 1000 + index, index) for index in range(1500)])
assert len(client.get_metric_history(run.info.run_id, "many")) == 1500

# artifacts
names = sorted((file.path, file.is_dir) for file in client.list_artifacts(run.info.run_id))
assert names == [("b b é.txt", False), ("dicts", True), ("empty.txt", False), ("many", True)], names
assert client.list_artifacts(run.info.run_id, "empty.txt") == []
with tempfile.TemporaryDirectory() as folder:
    path = mlflow.artifacts.download_artifacts(run_id=run.info.run_id, dst_path=folder)
    with open(os.path.join(path, "many", "of them", "b b é.txt")) as file:
        assert file.read() == "hello"
    assert os.path.getsize(os.path.join(path, "empty.txt")) == 0
assert mlflow.artifacts.load_dict(f"{run.info.artifact_uri}/dicts/x.json") == {"k": 1}

# searches
def search(filter="", **kwargs):
    return [found.info.run_name for found in client.search_runs([experiment.experiment_id], filter, **kwargs)]


assert search("metrics.loss < 0.5 and tags.team = 'a''b'") == ["first"] or search('tags.team = "a\'b"') == ["first"]
assert search("params.depth = '3'") == ["first"] and search("params.depth = '4'") == []
assert search("attributes.run_name LIKE 'fi%'") == ["first"] and search("status = 'FINISHED'", max_results=1) != []
assert len(search("tags.`mlflow.parentRunId` = '%s'" % run.info.run_id)) == 1
assert search(order_by=["metrics.loss DESC"])[0] == "first"
assert "OR" in refused("INVALID_PARAMETER_VALUE", search, "status = 'FINISHED' OR status = 'FAILED'")
client.delete_run(child.info.run_id)
assert search() == ["first"]
client.restore_run(child.info.run_id)
assert len(search()) == 2

# the same run from two processes, each by its id
program = "import mlflow, sys; mlflow.start_run(); mlflow.log_metric(sys.argv[1], 1); mlflow.log_metric('both', 7, step=1)"
both = client.create_run(experiment.experiment_id)
resumed = {**os.environ, "MLFLOW_RUN_ID": both.info.run_id}
others = [subprocess.Popen([sys.executable, "-c", program, name], env=resumed) for name in ("one", "two")]
assert [process.wait() for process in others] == [0, 0]
assert client.get_run(both.info.run_id).data.metrics == {"one": 1, "two": 1, "both": 7}

# a model, its registration and its aliases
x, y = np.array([[1.0], [2.0], [3.0]]), np.array([2.0, 4.0, 6.0])
fitted = sklearn.linear_model.LinearRegression().fit(x, y)
line = int(mlflow.__version__.split(".")[0])
# Without a list the client looks for its requirements, which takes long.
named = {"pip_requirements": ["scikit-learn"], "name" if line >= 3 else "artifact_path": "model"}
with mlflow.start_run() as logged:
    info = mlflow.sklearn.log_model(fitted, registered_model_name="theirs", **named)
assert abs(mlflow.sklearn.load_model(info.model_uri).predict([[4.0]])[0] - 8) < 1e-9
version = mlflow.register_model(info.model_uri, "theirs", tags={"second": "yes"})
assert version.version in (2, "2")
client.set_registered_model_alias("theirs", "champion", 1)
client.set_model_version_tag("theirs", "1", "checked", "yes")
client.update_model_version("theirs", "2", description="the second")
for uri in ("models:/theirs@champion", "models:/theirs/2", "models:/theirs/latest"):
    assert abs(mlflow.sklearn.load_model(uri).predict([[4.0]])[0] - 8) < 1e-9, uri
first = client.get_model_version_by_alias("theirs", "champion")
assert int(first.version) == 1 and first.tags == {"checked": "yes"} and first.aliases == ["champion"]
assert {found.version for found in client.search_model_versions("name = 'theirs'")} in ({1, 2}, {"1", "2"})
assert [found.name for found in client.search_registered_models("name LIKE 'the%'")] == ["theirs"]
client.set_registered_model_tag("theirs", "a", "b")
client.rename_registered_model("theirs", "renamed")
assert int(client.get_model_version_by_alias("renamed", "champion").version) == 1
client.delete_registered_model_alias("renamed", "champion")
refused("RESOURCE_DOES_NOT_EXIST", client.get_model_version_by_alias, "renamed", "champion")
client.delete_model_version("renamed", "2")
client.delete_registered_model("renamed")
assert client.search_registered_models() == []

# autolog
mlflow.sklearn.autolog(log_models=line >= 3)
with mlflow.start_run() as auto:
    sklearn.linear_model.LinearRegression().fit(x, y)
found = client.get_run(auto.info.run_id)
assert found.data.params["fit_intercept"] == "True" and found.data.metrics["training_r2_score"] == 1
assert found.inputs.dataset_inputs[0].tags[0].value == "train"

print(json.dumps({"version": mlflow.__version__}))
