#!/usr/bin/env python
# coding: utf-8

# # Who leaves?

# In[1]:


import pandas as pd
from sklearn.ensemble import GradientBoostingClassifier
from joblib import dump

# In[2]:


df = pd.read_csv("customers.csv")
df.head()

# In[3]:


y = df.left
X = df.drop("left", axis=1)
clf = GradientBoostingClassifier(n_estimators=20).fit(X, y)

# In[4]:


dump(clf, "model.joblib")
