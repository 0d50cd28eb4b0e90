// Many starts of one problem, V at a time: every lane has its own time, step and end, and takes
// the next start from the queue when one ends.
//
// Per lane the rules are those of driver.hpp and controller.hpp, without implicit steps: a lane
// that would need them ends as `implicit_due` and the caller starts it anew elsewhere.
#pragma once

#include "driver.hpp"
#include "lane_gauge.hpp"
#include "lane_plateau.hpp"
#include "lane_rest.hpp"
#include "lane_rock4.hpp"

namespace thalweg {

class Lanes {
public:
    Lanes(int depth, const std::int64_t* dims, const double* target, const double* metric,
          const PlateauTask* plateaus)
        : field_(depth, dims, target, metric), rock4_(field_), gauge_(field_), rest_(field_),
          plateaus_(field_, plateaus) {
        cut();
        space_.allocate();
        cut();
    }

    // Works on the queue until it is empty or told to stop.
    void run(const BatchLimits& limits, BatchQueue& queue, const double* first_vector,
             const double* starts, double* ends, BatchRow* rows) {
        Run run{limits, queue, first_vector, starts, ends, rows};
        for (int k = 0; k < V; ++k) refill(run, k);
        std::int64_t useful = 0, spent = 0;
        while (alive() && !queue.stopped()) {
            for (int k = 0; k < V; ++k)  // a start may be over before its first step
                while (index_[k] >= 0 && end(run, k)) refill(run, k);
            if (!alive()) break;
            advance(run);
            for (int k = 0; k < V; ++k)
                if (index_[k] >= 0) useful += rock4_.stages(k);
            spent += V * rock4_.most_stages();
        }
        queue.account(useful, spent);
        flush(run);
    }

private:
    static constexpr double patience = 30000;  // stages

    struct Run {
        const BatchLimits& limits;
        BatchQueue& queue;
        const double *first_vector, *starts;
        double* ends;
        BatchRow* rows;
        std::int64_t next = 0, last = 0, pending = 0;  // prepared starts; ended ones
        std::int64_t waiting[V] = {};
    };

    bool alive() const {
        for (std::int64_t i : index_)
            if (i >= 0) return true;
        return false;
    }

    void refill(Run& run, int k) {
        index_[k] = -1;
        over_[k] = 0;
        if (run.next == run.last && !run.queue.stopped()) {
            const std::int64_t first = run.queue.take();
            if (first < run.queue.count) {
                run.next = first;
                run.last = std::min<std::int64_t>(first + V, run.queue.count);
                load_rows(field_.size(), run.starts + first * field_.size(), run.last - first,
                          ready_.y);
                first_ = first;
                prepare(field_, run.limits, run.first_vector, ready_, trial_);
                if (plateaus_.on()) plateaus_.begin(ready_);
            }
        }
        if (run.next == run.last) return;
        live_.copy(k, ready_, static_cast<int>(run.next - first_), field_.length());
        index_[k] = run.next++;
    }

    // Whether the start in lane k is over; if so, its row is written.
    bool end(Run& run, int k) {
        const BatchLimits& limits = run.limits;
        Status status = static_cast<Status>(over_[k]);
        const double slope = live_.slope_norm[k], loss = live_.loss[k];
        if (!std::isfinite(slope) || !std::isfinite(loss)) status = non_finite;
        else if (loss <= limits.loss_stop) status = loss_reached;
        else if (slope <= limits.gradient_stop) status = gradient_reached;
        else if (live_.t[k] >= limits.t_end) status = at_end;
        else if (live_.steps[k] >= double(limits.max_steps)) status = steps_spent;
        else if (!(live_.size[k] <= 1e100)) status = diverged;
        else if (status == go_on && rest_.reached(limits, live_, k)) status = gradient_reached;
        if (status == go_on) return false;
        plateaus_.end(live_, k, index_[k]);
        const std::int64_t i = index_[k];
        store_row(field_.size(), live_.y, k, run.ends + i * field_.size());
        run.rows[i] = {live_.t[k], loss, slope, live_.basin_time[k], 0, 0, live_.least[k],
                       status, std::int64_t(live_.steps[k]), std::int64_t(live_.rejected[k]),
                       std::int64_t(live_.stages[k]), std::int64_t(live_.basin_steps[k]),
                       std::int64_t(live_.basin_stages[k]), std::int64_t(live_.passages[k])};
        run.waiting[run.pending++] = i;
        if (run.pending == V) flush(run);
        return true;
    }

    // Repair the conserved matrices of ended starts, V at a time.
    void flush(Run& run) {
        if (run.pending == 0) return;
        const Index n = field_.size();
        for (int k = 0; k < V; ++k) {
            const std::int64_t i = run.waiting[std::min<std::int64_t>(k, run.pending - 1)];
            for (Index j = 0; j < n; ++j) {
                trial_[j * V + k] = run.starts[i * n + j];
                end_[j * V + k] = run.ends[i * n + j];
            }
        }
        Vector before, after;
        gauge_.repair(trial_, end_, before, after);
        for (int k = 0; k < run.pending; ++k) {
            const std::int64_t i = run.waiting[k];
            store_row(n, end_, k, run.ends + i * n);
            run.rows[i].drift = before[k];
            run.rows[i].repaired = after[k];
        }
        run.queue.finished(run.pending);
        run.pending = 0;
    }

    // One attempt of a step in every lane.
    void advance(Run& run) {
        const BatchLimits& limits = run.limits;
        LaneState& s = live_;
        Mask busy;
        for (int k = 0; k < V; ++k) busy[k] = index_[k] >= 0 ? -1 : 0;
        const Vector wall =
            smaller(smaller(broadcast(rock4_.longest()), s.ceiling), s.quiet) / s.radius;
        const Vector reach = smaller(s.h, wall);  // all of h where the radius is zero
        const Mask last = s.t + reach >= limits.t_end;
        const Vector h = select(busy, select(last, limits.t_end - s.t, reach), Vector{});
        const Mask small = busy & ((h <= Vector{}) | ((s.t + h == s.t) & ~last));
        for (int k = 0; k < V; ++k) rock4_.choose(k, h[k] * s.radius[k]);
        const Vector stages = rock4_.stages();
        const LaneRock4::Sums sums = rock4_.step(s.y, s.slope, h, trial_, trial_slope_);

        const Vector moved = root(sums.error), loss = sums.loss;
        Vector error = moved / std::sqrt(double(field_.size())) / s.tolerance;
        error = select(finite(error), error, broadcast(HUGE_VAL));
        const Mask grew = ~(loss <= s.loss + slack(s, moved));
        const Mask within = error <= 1.0;
        const Mask good = busy & within & ~grew & ~small, bad = busy & ~good;

        // PI controller of order four with exponents 3/16 and 1/16: square roots only
        const Vector e4 = root(root(larger(error, broadcast(1e-10)))), e8 = root(e4);
        const Vector e16 = root(e8);
        const Vector plain = 0.85 / (e8 * e16);
        const Vector clipped = smaller(larger(plain * s.memory, broadcast(0.1)), broadcast(8.0));
        const Vector grown = h * clipped;
        const Vector cut = select(within, broadcast(0.5),
                                  smaller(larger(plain, broadcast(0.1)), broadcast(0.7)));
        const Vector limited = select(good & (wall < s.h), s.held + 1, Vector{});
        s.held = select(good, limited, s.held);
        s.h = select(good, select(last, larger(s.h, grown), grown), select(bad, h * cut, s.h));
        s.memory = select(good, larger(e16, broadcast(0.5623413251903491)), s.memory);
        s.ceiling = select(bad & within & grew, 0.8 * h * s.radius, s.ceiling);
        s.radius = select(bad & grew & ~within, 1.2 * s.radius, s.radius);
        s.restless = select(bad & grew, broadcast(1.0), s.restless);
        s.rejected += select(bad, broadcast(1.0), Vector{});
        s.stages += select(busy, stages, Vector{});
        s.steps += select(good, broadcast(1.0), Vector{});

        const Vector slope_norm = root(sums.slope);
        const Mask passed = good & (loss < limits.basin_level) & (s.basin_time != s.basin_time);
        if (any(passed))
            for (int k = 0; k < V; ++k)
                if (passed[k])
                    s.basin_time[k] = crossing(s.t[k], h[k], s.loss[k], s.slope_norm[k], loss[k],
                                               slope_norm[k], limits.basin_level);
        s.basin_steps = select(passed, s.steps, s.basin_steps);
        s.basin_stages = select(passed, s.stages, s.basin_stages);
        s.least = select(good & (s.basin_time != s.basin_time), smaller(s.least, slope_norm),
                         s.least);
        if (plateaus_.on())
            plateaus_.follow(s, good, {s.y, s.slope, trial_, trial_slope_, h}, index_);
        s.path = select(good, s.path + h * s.slope_norm, s.path);
        s.t = select(good, select(last, broadcast(limits.t_end), s.t + h), s.t);
        s.loss = select(good, loss, s.loss);
        s.slope_norm = select(good, slope_norm, s.slope_norm);
        s.size = select(good, root(sums.size), s.size);
        for (int k = 0; k < V; ++k) over_[k] = small[k] ? too_small : go_on;
        stiff(limits, wall, stages);
        if (all(good)) {
            std::swap(s.y, trial_);
            std::swap(s.slope, trial_slope_);
        } else {
            for (Index i = 0; i < field_.length(); i += V) {
                store(s.y + i, select(good, load(trial_ + i), load(s.y + i)));
                store(s.slope + i, select(good, load(trial_slope_ + i), load(s.slope + i)));
            }
        }
        measure(limits, good);
    }

    // Explicit steps are hopeless where stability or amplified rounding shortens them and the rest
    // of the way, or without a final time such steps so far, cost more than implicit ones would.
    void stiff(const BatchLimits& limits, Vector wall, Vector stages) {
        const Vector steps = std::isfinite(limits.t_end) ? (limits.t_end - live_.t) / wall
                                                         : live_.held;
        const Mask due = (live_.held >= 25.0) & (steps * stages > patience);
        for (int k = 0; k < V; ++k)
            if (due[k] && over_[k] == go_on) over_[k] = implicit_due;
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

    // One round of the power method from the last vector in lanes that took a step and have moved
    // so far that the radius may matter; the field still knows the products at the new point.
    void measure(const BatchLimits& limits, Mask good) {
        LaneState& s = live_;
        const Vector way = s.path / s.size;
        Vector growth = broadcast(1.0);  // the Hessian is of degree 2 (L - 1) in the weights
        for (int l = 1; l < field_.depth(); ++l) growth *= (1 + way) * (1 + way);
        const Mask near = s.h * s.radius * growth > rock4_.first_length();
        const Mask due = good & near & ((way > 0.05) | (s.restless > 0.0));
        if (!any(due)) return;
        const Index length = field_.length();
        field_.hessian_product(s.y, s.vector, trial_);
        const Vector now = root(square_sum(length, trial_));
        const Mask known = due & finite(now) & (now > Vector{});
        const Vector inverse = 1 / now;
        for (Index i = 0; i < length; i += V)
            store(s.vector + i, select(known, inverse * load(trial_ + i), load(s.vector + i)));
        const Vector radius = 1.1 * now, change = radius - s.radius;
        const Mask settled = larger(change, -change) <= 0.05 * radius;
        s.restless = select(known, select(settled, Vector{}, broadcast(1.0)), s.restless);
        s.radius = select(known, radius, s.radius);
        s.path = select(known, Vector{}, s.path);
        s.ceiling = select(known, 1.2 * s.ceiling, s.ceiling);
        s.quiet = select(known, quiet(limits, s), s.quiet);
    }

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

    // Time at which the loss passed a level within a step, on the cubic through both ends.
    static double crossing(double t, double h, double one, double slope_one, double two,
                           double slope_two, double level) {
        const double d_one = -slope_one * slope_one * h, d_two = -slope_two * slope_two * h;
        double low = 0, high = 1;
        for (int round = 0; round < 40; ++round) {
            const double x = 0.5 * (low + high), z = 1 - x;
            const double value = z * z * (1 + 2 * x) * one + x * x * (3 - 2 * x) * two +
                                 x * z * (z * d_one - x * d_two);
            (value < level ? high : low) = x;
        }
        return t + high * h;
    }

    void cut() {
        for (LaneState* state : {&live_, &ready_})
            for (auto** array : {&state->y, &state->slope, &state->vector})
                *array = space_.take(field_.length());
        for (auto** array : {&trial_, &trial_slope_, &end_})
            *array = space_.take(field_.length());
    }

    LaneField field_;
    LaneRock4 rock4_;
    LaneGauge gauge_;
    LaneRest rest_;
    LanePlateaus plateaus_;
    LaneState live_{}, ready_{};
    std::int64_t index_[V] = {}, over_[V] = {}, first_ = 0;
    double *trial_ = nullptr, *trial_slope_ = nullptr, *end_ = nullptr;
    Workspace space_;
};

}  // namespace thalweg
