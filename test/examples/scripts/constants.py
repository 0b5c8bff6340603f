import joblib
import pandas as pd
from sklearn.ensemble import RandomForestClassifier

DATA_PATH = "data/customers.csv"
MODEL_PATH = "models/forest.joblib"
TARGET = "left"

df = pd.read_csv(DATA_PATH)
clf = RandomForestClassifier(n_estimators=30, random_state=0)
clf.fit(df.drop(columns=[TARGET]), df[TARGET])
print("accuracy", clf.score(df.drop(columns=[TARGET]), df[TARGET]))
joblib.dump(clf, MODEL_PATH)
