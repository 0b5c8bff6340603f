"""Writes what Microsoft's generated client of Azure ML knows of its API as one JSON file: models, enums, operations.

    python3 models.py <wheel of azure-ai-ml> <file to write>

The generated files are read as text (`ast`), not imported: nothing of the package is installed.
"""

import ast
import json
import sys
import zipfile

FOLDER = "azure/ai/ml/_restclient/arm_ml_service/"
SCALARS = {
    "str": "string",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "Any": "any",
    "datetime.datetime": "date-time",
    "datetime.timedelta": "duration",
}


def main(wheel, target):
    with zipfile.ZipFile(wheel) as archive:
        read = lambda name: ast.parse(archive.read(FOLDER + name).decode())
        enums = enums_of(read("models/_enums.py"))
        models = models_of(read("models/_models.py"), enums)
        operations = operations_of(read("operations/_operations.py"), enums)
    version = next(of["version"] for of in operations)
    assert all(of["version"] == version for of in operations), "one api-version for all"
    with open(target, "w") as file:
        json.dump({"version": version, "enums": enums, "models": models, "operations": operations}, file)


def enums_of(tree):
    return {
        of.name: [line.value.value for line in of.body if isinstance(line, ast.Assign)]
        for of in tree.body
        if isinstance(of, ast.ClassDef)
    }


def models_of(tree, enums):
    """By name: its base classes, its own fields by their names on the wire, and the models that a discriminator picks."""
    models = {}
    classes = [of for of in tree.body if isinstance(of, ast.ClassDef)]
    for of in classes:
        model = {"bases": [base.id for base in of.bases if base.id != "_Model"], "fields": {}}
        for line in of.body:
            if isinstance(line, ast.AnnAssign) and isinstance(line.value, ast.Call):
                name, field, picks = field_of(line, enums)
                model["fields"][name] = field
                if picks:
                    model["discriminator"] = name
        models[of.name] = model
    for of in classes:
        for keyword in of.keywords:
            if keyword.arg == "discriminator":
                for base in models[of.name]["bases"]:
                    models[base].setdefault("subtypes", {})[keyword.value.value] = of.name
    return models


def field_of(line, enums):
    given = {keyword.arg: ast.literal_eval(keyword.value) for keyword in line.value.keywords}
    is_optional, of = type_of(line.annotation, enums)
    field = {"type": of, "visibility": given["visibility"]}
    if not is_optional:
        field["required"] = True
    picks = line.value.func.id == "rest_discriminator" and of == "string"
    return given.get("name", line.target.id), field, picks


def type_of(node, enums):
    """Whether it may be left out, and what it is."""
    if isinstance(node, ast.Constant):
        node = ast.parse(node.value, mode="eval").body
    text = ast.unparse(node)
    if text in SCALARS:
        return False, SCALARS[text]
    if isinstance(node, ast.Attribute):  # _models.Name, or _types.Name
        return False, {"enum": node.attr} if node.attr in enums else {"model": node.attr}
    kind, inner = node.value.id, node.slice
    if kind == "Optional":
        return True, type_of(inner, enums)[1]
    if kind == "Union":  # of text and an enum, which is closed here
        named = [found for found in (type_of(part, enums)[1] for part in inner.elts) if isinstance(found, dict)]
        assert len(named) == 1, text
        return False, named[0]
    if kind == "list":
        return False, {"list": type_of(inner, enums)[1]}
    if kind == "dict":
        return False, {"map": type_of(inner.elts[1], enums)[1]}
    assert kind == "Literal", text
    if isinstance(inner, ast.Attribute):  # JobType.COMMAND
        return False, {"const": member(inner, enums)}
    return False, {"const": inner.value}


def member(node, enums):
    wanted = node.attr.replace("_", "").lower()
    return next(value for value in enums[node.value.id] if plain(value) == wanted)


def plain(value):
    return "".join(letter for letter in value if letter.isalnum()).lower()


def operations_of(tree, enums):
    requests = {of.name: request_of(of) for of in tree.body if isinstance(of, ast.FunctionDef) and is_builder(of.name)}
    found = {}
    for of in tree.body:
        if isinstance(of, ast.ClassDef):
            for method in of.body:
                if isinstance(method, ast.FunctionDef):
                    add_method(found, of.name.removesuffix("Operations"), method, requests, enums)
    return list(found.values())


def is_builder(name):
    return name.startswith("build_") and name.endswith("_request")


def request_of(function):
    query, verb, path = {}, None, None
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "HttpRequest":
            verb = next(word.value.value for word in node.keywords if word.arg == "method")
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_url" and isinstance(node.value, ast.Constant):
            path = node.value.value
    for line in function.body:
        is_optional = isinstance(line, ast.If)
        for node in ast.walk(line):
            if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "_params" and isinstance(node.ctx, ast.Store):
                query[node.slice.value] = not is_optional
    text = ast.unparse(function)
    version = text.split("_params.pop('api-version', '")[1].split("'")[0]
    return {"verb": verb, "path": path, "version": version, "query": query}


def add_method(found, group, method, requests, enums):
    """A long-running operation is two methods: one that begins it, and one that sends it."""
    if any(ast.unparse(of) == "overload" for of in method.decorator_list):
        return
    name = method.name.removeprefix("_").removesuffix("_initial").removeprefix("begin_")
    builder = next(
        (
            node.func.id
            for node in ast.walk(method)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in requests
        ),
        None,
    )
    if builder is None and not method.name.startswith("begin_"):
        return
    operation = found.setdefault(f"{group}.{name}", {"name": f"{group}.{name}"})
    if builder is not None:
        operation.update(requests[builder])
        operation["statuses"] = statuses_of(method)
        operation["headers"] = headers_of(method)
    for argument in method.args.args:
        if argument.arg == "body":
            operation["body"] = model_in(argument.annotation)
    if method.name.startswith("begin_"):
        operation["isLong"] = True
    shown = ast.unparse(method.returns) if method.returns else ""
    answered = model_in(method.returns)
    if answered is not None:
        operation["answer"] = {"page": answered} if shown.startswith("ItemPaged") else {"model": answered}


def statuses_of(method):
    for node in ast.walk(method):
        if isinstance(node, ast.Compare) and ast.unparse(node.left) == "response.status_code" and isinstance(node.ops[0], ast.NotIn):
            return ast.literal_eval(node.comparators[0])
    return []


def headers_of(method):
    """By status: the headers that an answer has."""
    found = {}
    for node in ast.walk(method):
        if isinstance(node, ast.If) and ast.unparse(node.test).startswith("response.status_code == "):
            names = [line.targets[0] for line in node.body if isinstance(line, ast.Assign)]
            headers = [name.slice.value for name in names if ast.unparse(name).startswith("response_headers[")]
            if headers:
                found[ast.literal_eval(node.test.comparators[0])] = headers
    return found


def model_in(node):
    for part in ast.walk(node) if node is not None else []:
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value.startswith("_models."):
            return part.value.removeprefix("_models.")
        if isinstance(part, ast.Attribute) and ast.unparse(part.value) == "_models":
            return part.attr
    return None


main(*sys.argv[1:])
