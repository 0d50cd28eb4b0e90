"""What each hypothesis means for a reader who has not seen the paper."""

ASSUMPTIONS = {
    "A1 dimensions": (
        "There are enough samples, and no layer is so narrow that a direction of the target could "
        "not pass.",
        "The run does not need this. What it costs is said beside: directions that are never seen "
        "or cannot pass are not learned, and global minima are the best fit without them.",
    ),
    "A2 rank of X": (
        "Every input direction occurs in the data, so every weight matters.",
        "Some combinations of inputs never vary in the data (a constant pixel, for example). The "
        "weights along them have no influence on the loss and keep their start values forever; "
        "all results are about the rest.",
    ),
    "A2 rank of Y": (
        "No output is a combination of the others.",
        "The outputs are tied to each other. Centred one-hot labels always are: they sum to zero. "
        "There is nothing to learn along that direction, and the certificate that needs a "
        "positive strength in every direction gives no rate of decay; the statement about the "
        "global minimum from the loss level alone still holds.",
    ),
    "A2 rank of the fitted target": (
        "The inputs explain something of every output direction.",
        "A singular value of the target is zero: in that direction the best linear map predicts "
        "nothing, so nothing is learned there. The certificate that uses the smallest singular "
        "value gives no rate; the limit is still decided by the loss level.",
    ),
    "A3 distinct singular values": (
        "The directions of the target have different strengths, so it is determined which "
        "combination each learned set means.",
        "Two directions have the same strength. They can be mixed at will: which of them a saddle "
        "has learned has no meaning, and whole families of saddles replace single ones. Losses, "
        "limits and certificates remain valid.",
    ),
}
"""Name of the assumption -> what it means that it holds, that it fails."""

VERDICTS = {
    "global_minimum": "No choice of weights fits the data better.",
    "strict_saddle": (
        "The gradient is zero, but some direction leads downhill at second order. Only exceptional "
        "starts end here."
    ),
    "non_strict_saddle": (
        "The gradient is zero, there are better points, but the second derivatives show no way "
        "down. Such points exist only in networks of depth three and more."
    ),
    "not_critical": "The gradient is not zero here: the flow goes on.",
    "undecided": "The run stopped before the limit was decided.",
}

REASONS = {
    "basin certificate and closed tail": (
        "The loss fell below every other critical value; the rest of the way was closed by "
        "Gauss-Newton."
    ),
    "basin certificate, tail extrapolated": (
        "The loss fell below every other critical value; the place of the limit is extrapolated "
        "from the last point."
    ),
    "basin certificate": (
        "The loss fell below every other critical value, but the limit is still too far away to "
        "say where it is."
    ),
    "global minimum of the set that the start cannot leave": (
        "The layers of the start have low rank, and the flow keeps it; within that set this is the "
        "best fit."
    ),
    "exact critical start": "The gradient vanishes at the start.",
    "zeros that the flow keeps": (
        "Zeros of the start divide the network into parts that the flow never joins, and each ends "
        "at its own best fit or at zero."
    ),
    "gradient lost in rounding": (
        "What is left of the gradient is no larger than its rounding error, so that nothing shows "
        "whether the flow ends here or leaves much later."
    ),
    "rounding decided how a saddle was left": (
        "The start is so close to the set from which a saddle attracts that its own rounding "
        "decides when the saddle is left."
    ),
    "polished saddle": (
        "At the last point the flow has arrived at the saddle, to within rounding."
    ),
    "horizon": "A longer run (without an end time) goes on until the limit is decided.",
}
"""How the limit was decided -> in a sentence that counts directions from one."""

DECIDED = {
    "least critical value": "Its loss is the least that this network can reach.",
    "basin certificate": (
        "The loss is below every other level, so that nothing else is left; how the loss bends "
        "there is not known, because the run stopped too early."
    ),
    "a larger direction is unlearned": (
        "It has left out a stronger direction than one that it learned, or could still learn one; "
        "trading the weaker for the stronger always leads down at second order."
    ),
    "pivot not tightened": (
        "No direction is learned that is weaker than one left out, and some pair of layers has "
        "enough rank on both sides to start learning another one by changing these two alone."
    ),
    "all pivots tightened": (
        "No direction is learned that is weaker than one left out, and no pair of layers alone can "
        "start to learn another one: the rest of the layers does not let it through."
    ),
    "negative curvature": "An eigenvalue of the Hessian is negative.",
    "no negative curvature, not least": (
        "No eigenvalue of the Hessian is negative, yet the loss is above the least level."
    ),
}
"""Rule of a verdict -> what it means."""

METRICS = {
    "raw": "the gradient is taken for the data as they are",
    "whitened": (
        "the inputs are whitened first, as in the paper; the flow then differs from gradient "
        "descent on the data as they are"
    ),
}

LOSSES = {
    "sum": "half the sum of squared errors",
    "mean": "half the sum of squared errors, divided by the number of samples",
}

RULES = {
    "remark-2": (
        "The rate follows from the conserved matrices of these weights alone: they keep every "
        "layer but one from losing rank (Remark 2)."
    ),
    "anytime": (
        "The rate holds because at this point of the run the loss is already close enough to the "
        "least one: the network's map can no longer lose rank."
    ),
    "none": "No rate of decay is proved; what is said about the limit follows from the loss.",
}

GLOSSARY = (
    (
        "Gradient flow",
        "Gradient descent with infinitely small steps: the weights move along the negative "
        "gradient. Flow time is learning rate times number of steps.",
    ),
    (
        "Deep linear network",
        "A chain of weight matrices without activation functions. Its map is their product, but "
        "it learns step by step as deep networks do.",
    ),
    (
        "Reducible loss",
        "The part of the loss above that of the best linear fit; the rest no linear network can "
        "remove.",
    ),
    (
        "Direction σ₁, σ₂, …",
        "Singular directions of the target, the strongest first; σ is the strength. The library's "
        "Python results count them from zero.",
    ),
    (
        "Critical value",
        "A loss at which the flow can stand still. Each belongs to a set of learned directions: "
        "half the sum of the squared strengths of those that are missing.",
    ),
    (
        "Plateau",
        "A time of little progress while the flow passes near a saddle.",
    ),
    (
        "Conserved matrices C",
        "Differences of products of neighbouring layers, WᵀW of the next minus WWᵀ of this one. "
        "The exact flow never changes them; their drift measures the numerical error.",
    ),
    (
        "Certificate",
        "A theorem whose conditions were checked with numbers at a point of the run.",
    ),
)
