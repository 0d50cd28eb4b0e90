// When a slice of steps ends, and what it tells about each of them.
#pragma once

#include <cstdint>

namespace thalweg {

struct Limits {
    double t_end, loss_stop, gradient_stop, seconds;  // seconds of a slice
    std::int64_t max_steps, capacity;                 // rows of the caller's buffers
    std::int64_t dense;                               // implicit steps are taken here
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
