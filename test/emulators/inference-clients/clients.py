"""Asks a server as the clients of Triton and of the open-inference project do; says what they made of its answers."""

import json
import sys

import httpx
import ml_dtypes
import numpy as np
import tritonclient.http as triton
from open_inference.openapi import client as openapi
from open_inference.openapi.core.api_error import ApiError
from open_inference.openapi.types import InferenceRequest, RequestInput
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

address = sys.argv[1]
answer = {"predictions": [{"class": 1, "score": 0.25}, {"class": 0, "score": 1.0}]}
headers = {"x-order": json.dumps({"answer": answer})}


def tensor(name, array, binary=True):
    found = triton.InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
    found.set_data_from_numpy(array, binary_data=binary)
    return found


def failure(call):
    try:
        call()
    except (InferenceServerException, ApiError) as error:
        return str(error)
    return None


def of_triton():
    client = triton.InferenceServerClient(address)
    # The client writes into the headers that it is given.
    infer = lambda *inputs, **more: client.infer("e", list(inputs), headers=dict(headers), **more)
    arrays = [np.array([[0, 1], [1, 0]]).astype(kind) for kind in ("bool", "u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8")]
    for array in arrays:
        infer(tensor("x", array))
        infer(tensor("x", array, binary=False))
    infer(tensor("x", np.array([[0, 1], [1, 0]], dtype=ml_dtypes.bfloat16)))
    texts = np.array(["a", "ü"], dtype=object)
    infer(tensor("text", texts), tensor("age", np.array([30, 40], dtype=np.int32)))
    infer(tensor("text", texts, binary=False), request_compression_algorithm="gzip")
    answer = infer(
        tensor("x", np.ones((2, 2), dtype=np.float32)),
        request_id="r1",
        outputs=[triton.InferRequestedOutput("score"), triton.InferRequestedOutput("class", binary_data=False)],
    )
    score, label = answer.as_numpy("score"), answer.as_numpy("class")
    return {
        "live": client.is_server_live(),
        "ready": client.is_server_ready(),
        "model ready": client.is_model_ready("e"),
        "version ready": client.is_model_ready("e", "1"),
        "another ready": client.is_model_ready("nobody"),
        "server": client.get_server_metadata()["name"],
        "model": client.get_model_metadata("e")["versions"],
        "response": {name: value for name, value in answer.get_response().items() if name != "outputs"},
        "outputs": [[str(score.dtype), score.tolist()], [str(label.dtype), label.tolist()]],
        "no model": failure(lambda: client.infer("nobody", [tensor("x", np.ones((1, 1)))])),
        "no version": failure(lambda: client.infer("e", [tensor("x", np.ones((1, 1)))], model_version="9")),
        "no config": failure(lambda: client.get_model_config("e")),
        "nan": failure(lambda: infer(tensor("x", np.array([[np.nan]])))),
    }


def of_openapi():
    client = openapi.OpenInferenceClient(base_url=f"http://{address}", httpx_client=httpx.Client(headers=headers))
    client.check_server_liveness()
    client.check_server_readiness()
    client.check_model_readiness("e")
    client.check_model_version_readiness("e", "1")
    request = InferenceRequest(
        id="r2", inputs=[RequestInput(name="x", shape=[2, 2], datatype="FP32", data=[0.0, 1.0, 1.0, 0.0])]
    )
    answer = client.model_infer("e", request=request)
    pinned = client.model_version_infer("e", "1", request=request)
    wrong = InferenceRequest(inputs=[RequestInput(name="x", shape=[3], datatype="FP32", data=[0.5])])
    return {
        "server": client.read_server_metadata().name,
        "model": client.read_model_metadata("e").platform,
        "outputs": [[output.name, output.datatype] for output in answer.outputs],
        "version": pinned.model_version,
        "wrong": failure(lambda: client.model_infer("e", request=wrong)),
        "no model": failure(lambda: client.read_model_metadata("nobody")),
    }


print(json.dumps({"triton": of_triton(), "openapi": of_openapi()}))
