// When a slice of steps ends, and what it tells about each of them.
#pragma once

#include <cstdint>

namespace thalweg {

struct Limits {
    double t_end, loss_stop, gradient_stop, seconds;  // seconds of a slice
    std::int64_t max_steps, capacity;                 // rows of the caller's buffers
    std::int64_t dense;                               // implicit steps are taken here
};

// How the tail of a run is closed once the loss has fallen to its stop; see landing.hpp.
struct Tail {
    double least, smallest;  // loss at the limit, and the excess that is rounding
    double goal, rtol, gradient_stop;  // error of the limit, tolerance on the way
    double loss_stop, rest, length, error;  // after a prediction; NaN is unknown
    std::int64_t predictions, landed;
};

// An accepted step: where it ended, how long and of which kind it was.
struct Row {
    double t, loss, gradient_norm, h;
    std::int64_t kind;
};

enum Status {
    go_on, at_end, loss_reached, gradient_reached, steps_spent, diverged, non_finite, too_small,
    implicit_due,  // but the caller has to take it
    out_of_memory
};

}  // namespace thalweg
