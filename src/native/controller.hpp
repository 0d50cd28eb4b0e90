// Which method takes the next step, and how long it is: as in _controller.py, which explains it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "rock4.hpp"

namespace thalweg {

// Everything an integration knows between two accepted steps besides its vectors.
struct State {
    double t, loss, h, radius, error, tolerance;
    double ceiling, quiet, gain, tried_from;  // tried_from: NaN when there is no trial
    double rhs_cost, rodas_cost;
    double seen;  // length that was asked for last
    std::int64_t implicit, fixed, wait, patience, since;  // fixed: the method may not change
    std::int64_t age, has_vector;
    std::int64_t steps, rejected, rhs, factorizations, explicit_steps, implicit_steps;
};

inline constexpr std::int64_t implicit_kind = -1;

inline double resize(double error, double before) {
    error = std::max(error, 1e-10);
    const double factor =
        0.85 * std::pow(error, -0.7 / 4) * std::pow(std::max(before, 1e-10), 0.3 / 4);
    return std::min(std::max(factor, 0.1), 8.0);
}

class Choice {
public:
    Choice(State& state, const Rock4& rock4) : s_(state), rock4_(rock4) {}

    void hear(double size) {
        const double noise = std::numeric_limits<double>::epsilon() * 0.01 * size;
        s_.quiet = noise > 0 ? std::max(std::pow(0.1 * s_.tolerance / noise, 0.25), 4.0)
                             : std::numeric_limits<double>::infinity();
    }

    // Kind of the next step; its length goes to `step`.
    std::int64_t next(double& step) {
        const double h = s_.h;
        const bool trial = !std::isnan(s_.tried_from);
        const bool growing = h > 1.5 * s_.seen;
        s_.seen = h;
        const bool done = s_.since >= (trial ? trial_steps : stay) &&
                          !(trial && growing && s_.since < 3 * trial_steps);
        if (trial && done) s_.gain = std::min(std::max(h / s_.tried_from, 1.0), farthest);
        const double brief = s_.implicit ? h / s_.gain : h, far = s_.implicit ? h : h * s_.gain;
        const double reach = std::min(brief, longest());
        const Index degree = rock4_.choose(reach * s_.radius);
        const double work = rock4_.degree(degree).stages * s_.rhs_cost;
        if (!s_.fixed && done) {
            const double one = work / reach, two = s_.rodas_cost / far;
            const double ratio = s_.implicit ? two / one : one / two;
            if (ratio > (trial ? 1.0 : hysteresis)) {
                s_.patience = trial ? 2 * s_.patience : probe;
                s_.implicit = !s_.implicit;
                s_.since = s_.wait = 0;
            } else if (!s_.implicit && degree > 0 &&
                       s_.wait >= std::max(double(std::min(s_.patience, 16 * probe)),
                                           5.0 * trial_steps * s_.rodas_cost / work)) {
                s_.implicit = 1;
                s_.since = s_.wait = 0;
                s_.tried_from = step = h;
                return implicit_kind;
            }
            s_.tried_from = std::numeric_limits<double>::quiet_NaN();
        }
        step = s_.implicit ? far : reach;
        return s_.implicit ? implicit_kind : degree;
    }

    void accepted() { ++s_.since, ++s_.wait; }

private:
    static constexpr double hysteresis = 1.5, farthest = 64.0;
    static constexpr std::int64_t stay = 5, probe = 40, trial_steps = 8;

    double longest() const {
        const double reach = std::min({rock4_.longest(), s_.ceiling, s_.quiet});
        return s_.radius > 0 ? reach / s_.radius : std::numeric_limits<double>::infinity();
    }

    State& s_;
    const Rock4& rock4_;
};

}  // namespace thalweg
