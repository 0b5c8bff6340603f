import sys

import joblib
import pandas as pd
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

input_path = sys.argv[1]
output_path = sys.argv[2]

data = pd.read_csv(input_path)
y = data["left"]
scaler = StandardScaler()
X = scaler.fit_transform(data.drop(columns=["left"]))
model = SVC().fit(X, y)
joblib.dump(model, output_path)
