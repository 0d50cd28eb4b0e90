// How long the next step of every lane is and of which kind, and what becomes of it: the rules of
// driver.hpp and controller.hpp without implicit steps. A lane that would need them ends as
// `implicit_due` and the caller starts it anew elsewhere.
#pragma once

#include "driver.hpp"
#include "lane_dop853.hpp"
#include "lane_group.hpp"

namespace thalweg {

class LaneControl {
public:
    LaneControl(const LaneField& field, const LaneRock4& rock4, int kinds)
        : field_(field), rock4_(rock4), kinds_(rock4.degrees(), kinds) {}

    const LaneKinds& kinds() const { return kinds_; }

    // The cheaper of order four and order eight by stages for each unit of time. A change has to
    // win a fifth, so planning twice changes nothing.
    void plan(const BatchLimits& limits, LaneGroup& g, Mask which) const {
        LaneState& s = g.s;
        const Vector wall = this->wall(s), cap = LaneDop853::length / s.radius, ratio = s.lift;
        const Mask high = s.high > 0.0;
        const Vector four = select(high, s.h / ratio, s.h), eight = select(high, s.h, s.h * ratio);
        const Vector low_reach = smaller(four, wall), high_reach = smaller(eight, cap);
        const Vector low_length = low_reach * s.radius;
        Vector stages{};
        for (int k = 0; k < V; ++k)
            stages[k] = rock4_.degrees()[LaneDegrees::cheapest(rock4_.degrees(), low_length[k], 0)]
                            .stages;
        const Vector low_cost = stages * high_reach, high_cost = high_price * low_reach;
        const Mask rises = which & ~high & (high_cost < 0.8 * low_cost);
        const Mask falls = which & high & (low_cost < 0.8 * high_cost);
        s.h = select(rises, eight, select(falls, four, s.h));
        s.memory = select(rises | falls, broadcast(1.0), s.memory);
        s.high = select(rises, broadcast(1.0), select(falls, Vector{}, s.high));
        const Vector reach = select(s.high > 0.0, high_reach, low_reach);
        const Mask last = s.t + reach >= limits.t_end;
        s.reach = select(which, select(last, limits.t_end - s.t, reach), s.reach);
        s.last = select(which, select(last, broadcast(1.0), Vector{}), s.last);
        const Vector length = s.reach * s.radius;
        for (int k = 0; k < V; ++k)
            g.wants[k] = s.high[k] > 0 ? 0
                                       : kinds_.of_degree(LaneDegrees::cheapest(
                                             rock4_.degrees(), length[k], 0));
    }

    // Longest step of order four that is stable and does not amplify rounding too much.
    Vector wall(const LaneState& s) const {
        return smaller(smaller(broadcast(rock4_.longest()), s.ceiling), s.quiet) / s.radius;
    }

    // New step lengths by a controller with exponents 3/4 and 1/4 over the order, from square roots
    // only; `within` lanes met the tolerance and `good` ones are accepted.
    static void resize(LaneState& s, Vector error, Mask within, Mask good, Mask bad, bool high) {
        Vector r = root(root(larger(error, broadcast(1e-10))));
        if (high) r = root(r);
        const Vector half = root(r), quarter = root(half);
        const Vector plain = 0.85 / (half * quarter);
        const Vector grown =
            s.reach * smaller(larger(plain * s.memory, broadcast(0.1)), broadcast(8.0));
        const Vector cut = select(within, broadcast(0.5),
                                  smaller(larger(plain, broadcast(0.1)), broadcast(0.7)));
        s.h = select(good, select(s.last > 0.0, larger(s.h, grown), grown),
                     select(bad, s.reach * cut, s.h));
        const double least = high ? 0.7498942093324559 : 0.5623413251903491;  // of error 1e-4
        s.memory = select(good, larger(quarter, broadcast(least)), s.memory);
    }

    // Order four's steps from an error of order three in a step of order eight.
    void compare(LaneState& s, Vector coarse, Mask good) const {
        const Vector error = root(coarse / double(field_.size())) / s.tolerance;
        const Vector four = s.reach / root(root(larger(4 * error, broadcast(1e-10))));
        s.lift = select(good, smaller(larger(s.h / four, broadcast(1.0)), broadcast(30.0)), s.lift);
    }
    // A first guess of that, when only accuracy matters.
    void begin(LaneState& s) const {
        const Vector part = s.tolerance * std::sqrt(double(field_.size())) / s.size;
        s.lift = 0.95 / root(root(root(part)));
    }

    // As Driver::slack.
    Vector slack(const LaneState& s, Vector error) const {
        const double target = field_.target_norm();
        const double unit = 256 * std::numeric_limits<double>::epsilon() * target;
        const Vector moved = 4 * error;
        const Vector explained = moved * (s.slope_norm + 0.5 * s.radius * moved);
        return unit * root(2 * s.loss) + unit * unit +
               smaller(explained, broadcast(5e-14 * target * target));
    }

    // Explicit steps are hopeless where stability or amplified rounding shortens them and the rest
    // of the way, or without a final time such steps so far, cost more than implicit ones would.
    void stiff(const BatchLimits& limits, LaneGroup& g, Vector stages) const {
        const Vector steps = std::isfinite(limits.t_end) ? (limits.t_end - g.s.t) / wall(g.s)
                                                         : g.s.held;
        const Mask due = (g.s.held >= 25.0) & (steps * stages > patience);
        for (int k = 0; k < V; ++k)
            if (due[k] && g.over[k] == go_on) g.over[k] = implicit_due;
    }

    // One round of the power method from the last vector in lanes that took a step and have moved
    // so far that the radius may matter; the field still knows the products at the new point.
    void measure(LaneField& field, const BatchLimits& limits, LaneState& s, Mask good,
                 double* image) const {
        const Vector way = s.path / s.size;
        Vector growth = broadcast(1.0);  // the Hessian is of degree 2 (L - 1) in the weights
        for (int l = 1; l < field_.depth(); ++l) growth *= (1 + way) * (1 + way);
        const Mask near = s.h * s.radius * growth > rock4_.first_length();
        const Mask due = good & near & ((way > 0.05) | (s.restless > 0.0));
        if (!any(due)) return;
        const Index length = field_.length();
        field.hessian_product(s.y, s.vector, image);
        const Vector now = root(square_sum(length, image));
        const Mask known = due & finite(now) & (now > Vector{});
        const Vector inverse = 1 / now;
        for (Index i = 0; i < length; i += V)
            store(s.vector + i, select(known, inverse * load(image + i), load(s.vector + i)));
        const Vector radius = 1.1 * now, change = radius - s.radius;
        const Mask settled = larger(change, -change) <= 0.05 * radius;
        s.restless = select(known, select(settled, Vector{}, broadcast(1.0)), s.restless);
        s.radius = select(known, radius, s.radius);
        s.path = select(known, Vector{}, s.path);
        s.ceiling = select(known, 1.2 * s.ceiling, s.ceiling);
        s.quiet = select(known, quiet(limits, s), s.quiet);
    }

private:
    static constexpr double patience = 30000;  // stages
    static constexpr double high_price = LaneDop853::stages;

    // Step times radius at which amplified rounding stays below the tolerance, and below what would
    // keep the gradient from falling to where the start shall end.
    Vector quiet(const BatchLimits& limits, const LaneState& s) const {
        const double count = std::sqrt(double(field_.size()));
        const Vector noise = std::numeric_limits<double>::epsilon() * 0.01 * s.size / count;
        Vector allowed = 0.1 * s.tolerance;
        const double least = std::max(limits.gradient_stop, limits.rest);
        if (least > 0) allowed = smaller(allowed, 0.3 * least / (count * s.radius));
        return larger(root(root(allowed / noise)), broadcast(4.0));
    }

    const LaneField& field_;
    const LaneRock4& rock4_;
    LaneKinds kinds_;
};

}  // namespace thalweg
