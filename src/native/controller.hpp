// Which method takes the next step, and how long it is: as in _controller.py, which explains it.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "dop853.hpp"
#include "rock4.hpp"

namespace thalweg {

// Everything an integration knows between two accepted steps besides its vectors.
struct State {
    double t, loss, h, radius, error, tolerance;
    double ceiling, quiet, rival, tried_from;  // tried_from: NaN when there is no trial
    double rhs_cost, implicit_cost;  // seconds of a right-hand side and of an implicit step
    double seen;  // length of implicit steps when they last grew
    double lead;  // how much longer implicit steps were than explicit ones when they won
    double left, left_step, lift;  // efficiency and step of the explicit method left; their ratio
    std::int64_t implicit, fixed, wait, patience, since;  // fixed: the method may not change
    std::int64_t turn, calm, high;  // steps since order eight began or ended; to wait; it is used
    std::int64_t age, free, multistep, has_vector;  // free: nobody asked for one method
    std::int64_t steps, rejected, rhs, factorizations, explicit_steps, implicit_steps;
    std::int64_t taken;  // rows that the last slice wrote; negative before the first one
};

inline constexpr std::int64_t implicit_kind = -1, high_kind = -2, rest_kind = -3,
                              bdf_kind = -10;  // a row tells bdf_kind - order

inline constexpr double aim = 0.5;  // error that the controller settles at

inline double resize(double error, double before, std::int64_t kind) {
    const double order = kind == high_kind ? 8.0 : 4.0;
    error = std::max(error, 1e-10) / aim;
    before = std::max(before, 1e-10) / aim;
    const double factor = std::pow(error, -0.7 / order) * std::pow(before, 0.3 / order);
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
        if (s_.implicit && stays_implicit(step)) return implicit_kind;
        if (s_.high && stays_high(step)) return high_kind;
        if (s_.implicit) return implicit_kind;
        const double reach = std::min(s_.h, longest());
        const Index degree = rock4_.choose(reach * s_.radius);
        const double stages = rock4_.degree(degree).stages, work = stages * s_.rhs_cost;
        step = reach;
        if (s_.fixed) return degree;
        if (turns_high(reach, stages, step)) return high_kind;
        if (reach * s_.radius > brief && s_.wait >= interval(work)) {
            tries(step = s_.h, work / reach);
            return implicit_kind;
        }
        return degree;
    }

    // Whether a trial that would begin with steps of length h does not begin: too short to win, or
    // the rest of the way is cheaper.
    bool declines(double h, double rest) {
        if (s_.fixed) return false;
        const double cost = s_.implicit_cost;
        if (cost <= hopeful * s_.rival * h && trial_steps * cost <= s_.rival * rest) return false;
        s_.h = s_.tried_from;
        s_.tried_from = std::numeric_limits<double>::quiet_NaN();
        s_.implicit = 0;
        return true;
    }

    void accepted() { ++s_.since, ++s_.wait, ++s_.turn; }

private:
    static constexpr std::int64_t settle = 4, calmest = 64;

    double high_reach() const {
        return s_.radius > 0 ? Dop853::length / s_.radius
                             : std::numeric_limits<double>::infinity();
    }

    // Whether the step of order eight goes on; its length goes to `step`.
    bool stays_high(double& step) {
        const double cap = high_reach(), h = std::min(s_.h, cap);
        const double work = Dop853::stages * s_.rhs_cost;
        step = h;
        if (s_.fixed) return true;
        if (s_.h > cap && s_.calm > settle && s_.multistep && s_.wait >= interval(work)) {
            tries(h, work / h);
            return false;
        }
        const bool judged = compares(h, h / Dop853::stages);
        if (judged || (s_.h > cap && s_.turn >= s_.calm)) {
            leave(judged ? s_.left_step : std::sqrt(s_.h * h) / s_.lift, h, h / Dop853::stages,
                  judged);
            return false;
        }
        return true;
    }

    // Whether explicit steps are short enough for order eight, which is then as long as `step`.
    bool turns_high(double reach, double stages, double& step) {
        const double efficiency = reach / stages, cap = high_reach();
        const bool judged = compares(reach, efficiency);
        const bool hopeful = efficiency * Dop853::stages < 0.8 * cap && s_.turn >= s_.calm;
        if (!judged && !hopeful) return false;
        leave(std::min(judged ? s_.left_step : reach * s_.lift, cap), reach, efficiency, judged);
        step = s_.h;
        return true;
    }

    // After a change, some steps later: whether the method before was better.
    bool compares(double h, double efficiency) {
        if (std::isnan(s_.left) || s_.turn < settle) return false;
        const bool worse = efficiency < s_.left;
        const double ratio = s_.high ? h / s_.left_step : s_.left_step / h;
        s_.lift = std::min(std::max(ratio, 1.0), 16.0);
        s_.calm = worse ? std::min(2 * std::max(s_.calm, settle), calmest) : settle;
        if (!worse) s_.left = std::numeric_limits<double>::quiet_NaN();
        return worse;
    }

    // A method that was judged better stays.
    void leave(double next, double h, double efficiency, bool judged) {
        s_.high = !s_.high;
        s_.left = judged ? std::numeric_limits<double>::quiet_NaN() : efficiency;
        s_.left_step = h;
        s_.h = next;
        s_.turn = s_.since = s_.wait = 0;
    }

    static constexpr double brief = 2.0;  // step times radius that implicit steps cannot beat
    static constexpr double hopeful = 2.0;  // cost of a trial's first step, of explicit ones
    static constexpr std::int64_t stay = 5, patient = 8, trial_steps = 12, most_patient = 640;

    // Whether implicit steps go on; the length of the next goes to `step`.
    bool stays_implicit(double& step) {
        step = s_.h;
        if (s_.fixed) return true;
        if (s_.h > 1.2 * s_.seen) s_.seen = s_.h, s_.wait = 0;  // still growing
        const double price = s_.implicit_cost / s_.h;
        if (std::isnan(s_.tried_from)) {
            if (s_.since < stay || price <= explicit_price()) return true;
        } else if (s_.since >= 4 && price < 0.8 * s_.rival) {
            s_.lead = std::max(s_.h / s_.tried_from * (s_.high ? s_.lift : 1.0), 1.0);
            s_.tried_from = std::numeric_limits<double>::quiet_NaN();
            s_.patience = patient;
            s_.since = 0;
            return true;
        } else {
            const bool hopeless = s_.wait >= 8 || price > 4 * s_.rival;
            if (s_.since < (hopeless ? trial_steps : 3 * trial_steps)) return true;
            s_.patience = std::min(2 * s_.patience, most_patient);
            s_.h = s_.tried_from;
            s_.tried_from = std::numeric_limits<double>::quiet_NaN();
        }
        s_.implicit = 0;
        s_.since = s_.wait = 0;
        return false;
    }

    void tries(double h, double rival) {
        s_.implicit = 1;
        s_.since = s_.wait = 0;
        s_.tried_from = s_.seen = h;
        s_.rival = rival;
    }

    // Seconds per unit of time of explicit steps, shorter than the implicit ones by as much as
    // they were before those, or of the longest stable ones of order eight.
    double explicit_price() const {
        const double reach = std::min(s_.h / s_.lead, longest());
        const double stages = rock4_.degree(rock4_.choose(reach * s_.radius)).stages;
        return s_.rhs_cost * std::min(stages / reach, Dop853::stages / high_reach());
    }

    // Explicit steps before implicit ones are tried: the trial must be cheap against them.
    double interval(double work) const {
        const double ratio = s_.implicit_cost / work;
        return std::max(double(s_.patience), (ratio < 0.5 ? 1.5 : 2.0) * trial_steps * ratio);
    }

    double longest() const {
        const double reach = std::min({rock4_.longest(), s_.ceiling, s_.quiet});
        return s_.radius > 0 ? reach / s_.radius : std::numeric_limits<double>::infinity();
    }

    State& s_;
    const Rock4& rock4_;
};

}  // namespace thalweg
