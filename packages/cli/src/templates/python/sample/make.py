"""Makes the sample data: customers that nobody is, drawn with a fixed seed. python3 make.py writes first.csv and second.csv."""

import csv
import math
import pathlib
import random


def customer(draw):
    tenure = draw.randint(1, 72)
    fee = round(draw.uniform(15, 120), 2)
    calls = min(int(draw.expovariate(0.7)), 9)
    late = min(int(draw.expovariate(1.2)), 6)
    pull = -1.2 - 0.05 * tenure + 0.02 * fee + 0.55 * calls + 0.6 * late
    left = draw.random() < 1 / (1 + math.exp(-pull))
    return [tenure, fee, calls, late, int(left)]


if __name__ == "__main__":
    draw = random.Random(7)
    for name, rows in [("first.csv", 200), ("second.csv", 6000)]:
        with pathlib.Path(__file__).with_name(name).open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["tenure_months", "monthly_fee", "support_calls", "late_payments", "churned"])
            writer.writerows(customer(draw) for _ in range(rows))
