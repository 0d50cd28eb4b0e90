"""The names of what can change a conserved quantity, in the order in which they are told."""

PARTS = (
    "step_size",
    "noise",
    "weight_decay",
    "momentum",
    "adaptivity",
    "learning_rates",
    "leftover",
    "clipping",
    "defect",
    "rounding",
    "optimizer",
)
"""Columns of the table that add up to ``change``."""

CAUSES = {
    "step_size": "steps of finite size",
    "noise": "noise of the batch",
    "weight_decay": "weight decay",
    "momentum": "momentum: the step is not along the gradient",
    "adaptivity": "adaptive scaling of coordinates",
    "learning_rates": "learning rates that differ within a law",
    "leftover": "gradient left over from an earlier step",
    "clipping": "gradient changed between backward and step (clipping)",
    "defect": "gradient that does not obey the law (rounding, epsilon of a normalization)",
    "rounding": "rounding of the weights",
    "optimizer": "an update that its formulas do not explain",
}
"""What each part means, in words."""

NEGLIGIBLE = 1e-12
"""Shares of the change below this are not told."""
