"""What evaluate.py and serve.py ask the model of __SCRIPT__: where it is kept, and how it predicts."""

import pathlib

__IMPORT__


def load(directory):
    """The only file that __SCRIPT__ leaves."""
    files = [path for path in sorted(pathlib.Path(directory).rglob("*")) if path.is_file()]
    if len(files) != 1:
        raise SystemExit(f"expected one file in {directory}, found {[path.name for path in files]}: correct load in {__file__}")
    __LOAD__


def predict(model, rows):
    """One prediction for each row: the columns that the model was trained on, by their names if it knows them."""
    names = getattr(model, "feature_names_in_", None)
    if names is None:
        return model.predict(numpy.array([list(row.values()) for row in rows])).tolist()
    import pandas

    return model.predict(pandas.DataFrame(rows)[list(names)]).tolist()
