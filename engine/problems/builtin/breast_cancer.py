"""Malignant or benign? Logistic regression, as in the lesson, on the Wisconsin diagnostic data.

569 patients, 30 measurements each (Street, Wolberg & Mangasarian 1993; scikit-learn ships them).
"""

from engine.problem import Problem
from engine.problems.parts import scikit
from engine.problems.parts.factories import LinearFactory
from engine.problems.parts.losses import binary_accuracy, binary_loss


def make(seed: int) -> Problem:
    """The problem with its data, split by this seed and standardised by the training part."""
    (inputs, labels), (held_out, held_out_labels) = scikit.load(
        "breast_cancer", seed, "breast-cancer"
    )
    std, mean = inputs.std(0, correction=0), inputs.mean(0)
    return Problem(
        train=((inputs - mean) / std, labels.float()),
        validation=((held_out - mean) / std, held_out_labels.float()),
        model=LinearFactory(features=inputs.shape[1], outputs=1),
        loss=binary_loss,
        metrics={"accuracy": binary_accuracy},
    )
