"""How an integration ended, and what to do about it."""

import enum


class Status(enum.Enum):
    """Reason for which `solve` returned."""

    T_END = "t_end"
    LOSS_STOP = "loss_stop"
    GRADIENT_STOP = "gradient_stop"
    MAX_STEPS = "max_steps"
    DIVERGED = "diverged"
    NON_FINITE = "non_finite"
    STEP_TOO_SMALL = "step_too_small"
    INTERRUPTED = "interrupted"


MESSAGES = {
    Status.T_END: "the requested time was reached",
    Status.LOSS_STOP: "the loss fell to the requested value",
    Status.GRADIENT_STOP: "the gradient fell to the requested norm",
    Status.MAX_STEPS: "the budget of steps is used up; raise max_steps or loosen rtol",
    Status.DIVERGED: "the weights passed 1e100; gradient flow is bounded, so scale the data down",
    Status.NON_FINITE: "the right-hand side is not finite; scale the data or the start down",
    Status.STEP_TOO_SMALL: "the step fell below rounding; loosen rtol or scale the data",
    Status.INTERRUPTED: "interrupted; everything up to the last accepted step is kept",
}
