// Times inside a step at which a quantity of V starts passes zero.
#pragma once

#include <cmath>

#include "lane_matrix.hpp"

namespace thalweg {

// An accepted step of every lane: both ends with their slopes, and how long it was.
struct LaneSpan {
    const double *y, *slope, *next, *next_slope;
    Vector h;

    // The point at the part x of the step, to order four.
    void at(Index length, Vector x, double* out) const {
        const Vector z = 1 - x, one = z * z * (1 + 2 * x), two = x * x * (3 - 2 * x);
        const Vector first = x * z * z * h, second = x * x * z * h;
        for (Index i = 0; i < length; i += V)
            store(out + i, one * load(y + i) + two * load(next + i) + first * load(slope + i) -
                               second * load(next_slope + i));
    }
};

// Part of the step at which `value` changes its sign, in lanes where it does so between 0 and 1.
// The rule of false position; an end that stays for the second time counts half (Illinois). A lane
// stops when it has converged, so that it does not depend on the others.
template <typename Value>
Vector passing(Mask due, Value value) {
    Vector low{}, high = broadcast(1.0), at_low = value(low), at_high = value(high), side{};
    Mask busy = due & (at_low * at_high < 0.0);
    // equal signs: rounding at one of the ends
    Vector x = select(at_low * at_low < at_high * at_high, low, high);
    for (int round = 0; round < 20 && any(busy); ++round) {
        const Vector width = high - low;
        Vector guess = low + width * (at_low / (at_low - at_high));
        guess = smaller(larger(guess, low + 1e-3 * width), high - 1e-3 * width);
        x = select(busy, guess, x);
        const Vector now = value(x);
        const Mask rises = now * at_low > 0.0;  // the lower end moves
        at_high = select(rises, select(side > 0.0, 0.5 * at_high, at_high), now);
        at_low = select(rises, now, select(side < 0.0, 0.5 * at_low, at_low));
        low = select(rises, x, low);
        high = select(rises, high, x);
        side = select(rises, broadcast(1.0), broadcast(-1.0));
        busy &= (larger(now, -now) > 1e-6) & (high - low > 1e-7);
    }
    return x;
}

}  // namespace thalweg
