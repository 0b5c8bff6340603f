from pathlib import Path

import pandas as pd
import typer
import xgboost as xgb

app = typer.Typer()


@app.command()
def main(
    data: Path = typer.Option(Path("data/train.csv"), help="rows, with a header"),
    model_path: Path = Path("model.json"),
    learning_rate: float = 0.1,
    max_depth: int = typer.Option(3, "--depth"),
    quiet: bool = False,
):
    frame = pd.read_csv(data)
    y = frame["left"]
    model = xgb.XGBClassifier(learning_rate=learning_rate, max_depth=max_depth)
    model.fit(frame.drop(columns=["left"]), y)
    model.save_model(model_path)


if __name__ == "__main__":
    app()
