"""Prints the golden numbers of ClassificationTests.swift.

    python -m venv env && env/bin/pip install scikit-learn && env/bin/python make_classification.py
"""

import math

import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

CLASSES, DIMENSIONS = 4, 6


def noise(i, j):
    """A number from -1 to 1 that looks random, the same in every language."""
    value = math.sin(12.9898 * (i + 1) + 78.233 * (j + 1)) * 43758.5453
    return 2 * (value - math.floor(value)) - 1


def examples(first, count):
    labels = np.array([i * i % 7 % CLASSES for i in range(first, first + count)])
    features = [
        [(j + 1) * (0.5 * math.cos(1.7 * label + j) + noise(i, j)) for j in range(DIMENSIONS)]
        for i, label in zip(range(first, first + count), labels)
    ]
    return np.array(features), labels


train, train_labels = examples(0, 600)
test, test_labels = examples(600, 400)
print("scikit-learn", sklearn.__version__)
for c in (0.001, 1, 100):
    model = LogisticRegression(C=c, tol=1e-12, max_iter=10000).fit(train, train_labels)
    scores = model.score(train, train_labels), model.score(test, test_labels)
    print("C", c, "accuracies", scores)
    print("  weights", [[round(float(w), 9) for w in row] for row in model.coef_.T[:2]])
    # Biases are unique up to a common number.
    print("  biases", [round(float(b), 9) for b in model.intercept_ - model.intercept_.mean()])
scaler = StandardScaler().fit(train[:50])
few = LogisticRegression(tol=1e-12, max_iter=10000).fit(scaler.transform(train[:50]), train_labels[:50])
print("50 labels, standardised", few.score(scaler.transform(train[:50]), train_labels[:50]),
      few.score(scaler.transform(test), test_labels))
for k in (1, 5, 12):
    print("neighbours", k, KNeighborsClassifier(k).fit(train, train_labels).score(test, test_labels))
