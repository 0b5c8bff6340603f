"""Runs the code cells of a notebook in one process, as its kernel would, and says what each has printed."""

import json
import sys

import matplotlib
import nbformat

matplotlib.use("agg")

with open(sys.argv[1], encoding="utf8") as file:
    notebook = json.load(file)
nbformat.validate(notebook)
names = {"__name__": "__main__"}
for cell in notebook["cells"]:
    if cell["cell_type"] == "code":
        assert cell["outputs"] == [] and cell["execution_count"] is None, f"the cell {cell['id']} keeps its output"
        exec(compile("".join(cell["source"]), cell["id"], "exec"), names)
