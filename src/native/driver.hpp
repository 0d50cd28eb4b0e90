// The loop of an integration, a slice of steps at a time: as in _driver.py, which explains it.
#pragma once

#include "controller.hpp"
#include "landing.hpp"
#include "spectral.hpp"
#include "steppers.hpp"

namespace thalweg {

class Driver : public Steppers {
public:
    using Steppers::Steppers;

    // Doubles that a run keeps between two slices besides its state and vectors.
    Index memory() const { return Past::room(field_.size()) + plan_room + field_.size(); }

    // Takes steps until something stops them, the buffers are full or the time of a slice is over.
    Status run(State& state, Limits limits, double* carried, Row* rows, double* points,
               Tail* tail, double* landing) {
        double *y = carried, *slope = y + field_.size(), *vector = slope + field_.size();
        double* memory = vector + field_.size();
        field_.unpack(y, y_);
        field_.unpack(slope, slope_);
        field_.unpack(vector, vector_);
        remember(state, memory);
        assembled_ = false;
        Choice choice(state, rock4_);
        const auto begin = std::chrono::steady_clock::now();
        Status status = go_on;
        std::int64_t& count = state.taken;
        count = count < 0 ? start(state, rows[0], points) : 0;
        if (tail && tail->predictions) in_tail(limits, *tail);
        while (count < limits.capacity) {
            status = finished(state, limits, norm(field_.length(), slope_));
            if (status == go_on) status = step(state, limits, choice, rows[count]);
            if (status == go_on) {
                field_.pack(y_, points + count++ * field_.size());
                const std::chrono::duration<double> spent =
                    std::chrono::steady_clock::now() - begin;
                if (spent.count() > limits.seconds) break;
            } else if (!tail || !farther(state, status, *tail)) {
                if (tail && tail->landed) field_.pack(landing_->point(), landing);
                break;
            } else in_tail(limits, *tail);
        }
        field_.pack(y_, y);
        field_.pack(slope_, slope);
        field_.pack(vector_, vector);
        keep(state, memory);
        return status;
    }

private:
    static constexpr std::int64_t refresh = 10;
    static constexpr Index plan_room = sizeof(Bdf::Plan) / sizeof(double);
    static constexpr Index widest = 20000;  // unknowns; the same as in _controller.py
    static constexpr double calming = 4.2;  // step times radius that damps the stiffest modes most
    static constexpr double finest = 1e-14;  // as in _solve.py
    static constexpr double rest_share = 0.1;  // of the tolerance that the rest of the way may be

    // The row and the point that a run begins with.
    std::int64_t start(State& s, Row& row, double* point) {
        s.loss = field_.rhs(y_, slope_);
        row = {s.t, s.loss, norm(field_.length(), slope_), 0, 0};
        field_.pack(y_, point);
        return 1;
    }

    Status finished(const State& state, const Limits& limits, double size) const {
        if (!std::isfinite(size) || !std::isfinite(state.loss)) return non_finite;
        if (state.loss <= limits.loss_stop) return loss_reached;
        if (size <= limits.gradient_stop) return gradient_reached;
        if (state.t >= limits.t_end) return at_end;
        if (state.steps >= limits.max_steps) return steps_spent;
        return norm(field_.length(), y_) <= 1e100 ? go_on : diverged;
    }

    // Whether a run that `status` ends goes on, because its limit is not yet known well enough.
    bool farther(State& s, Status status, Tail& tail) {
        if (status == implicit_due || (status != loss_reached && !tail.predictions)) return false;
        if (!landing_) landing_ = std::make_unique<Landing>(field_);
        if (!landing_->goes_on(y_, s.loss, status == loss_reached, tail)) return false;
        // Errors are no longer amplified: the tolerance is that of the weights as they are.
        s.tolerance = std::max(tail.rtol * norm(field_.length(), y_) /
                                   std::sqrt(double(field_.size())),
                               finest * field_.reach());
        return true;
    }
    static void in_tail(Limits& limits, const Tail& tail) {
        limits.loss_stop = tail.loss_stop;
        limits.gradient_stop = tail.gradient_stop;
    }

    void remember(const State& s, const double* memory) {
        past_.restore(field_, memory);
        if (past_.count() == 0) past_.push(s.t, y_, field_.length());
        memory += Past::room(field_.size());
        if (s.multistep && memory[0] > 0) {
            std::memcpy(static_cast<void*>(&multistep().plan), memory, sizeof(Bdf::Plan));
            bdf_->restore(memory + plan_room);
        }
    }
    void keep(const State& s, double* memory) {
        if (!s.multistep) return;
        past_.save(field_, memory);
        memory += Past::room(field_.size());
        if (bdf_ && bdf_->plan.shift > 0) {
            std::memcpy(memory, &bdf_->plan, sizeof(Bdf::Plan));
            field_.pack(bdf_->linearized(), memory + plan_room);
        } else memory[0] = 0;
    }

    Status step(State& s, const Limits& limits, Choice& choice, Row& row) {
        const Index length = field_.length();
        if (s.age >= (s.implicit ? 4 * refresh : refresh)) {
            measure(s, choice);
            s.ceiling *= 1.2;
        }
        if (s.h == 0) s.h = first_step(s);
        const Rest rest = at_rest(s, limits);
        if (rest == Rest::certain) {
            row = {limits.t_end, s.loss, norm(length, slope_), limits.t_end - s.t, rest_kind};
            s.t = limits.t_end;
            ++s.steps;
            past_.clear();
            past_.push(s.t, y_, length);
            return go_on;
        }
        for (bool calm = rest == Rest::near;;) {
            double h = calming / s.radius;
            const bool explicit_before = !s.implicit;
            std::int64_t kind = calm ? high_kind : choice.next(h);
            if (kind == implicit_kind && s.multistep) {
                kind = bdf_kind;
                Bdf& bdf = multistep();
                if (explicit_before) {
                    h = bdf.enter(h, s.tolerance);
                    if (choice.declines(h, limits.t_end - s.t)) continue;
                    s.h = s.seen = h;
                }
            }
            if (kind == implicit_kind && !limits.dense) return implicit_due;
            const bool last = s.t + h >= limits.t_end;
            if (last) h = limits.t_end - s.t;
            if (h <= 0 || (s.t + h == s.t && !last)) return too_small;
            double loss = 0;
            const bool solved = attempt(s, h, kind, loss);
            const double moved = solved ? norm(length, error_) : 0;
            double error = moved / std::sqrt(double(field_.size())) / s.tolerance;
            if (!solved || !std::isfinite(error)) error = std::numeric_limits<double>::infinity();
            const bool grew = solved && !(loss <= s.loss + slack(s, moved));
            if (!solved || grew || !(error <= 1)) {
                ++s.rejected;
                if (calm) {
                    calm = false;
                    continue;
                }
                const bool quiet = error <= 1;  // only the loss objects
                const double shorter = kind == bdf_kind ? bdf_->shorten(error)
                                                        : std::min(resize(error, 1.0, kind), 0.7);
                s.h = h * (quiet ? 0.5 : shorter);
                if (grew && kind != implicit_kind && kind != bdf_kind) {
                    measure(s, choice);
                    if (quiet && kind >= 0) s.ceiling = 0.8 * h * s.radius;
                }
                continue;
            }
            if (!calm) {
                const double factor = kind == bdf_kind
                                          ? bdf_->lengthen(h, error, s.tolerance, trial_)
                                          : resize(error, s.error, kind);
                s.h = last ? std::max(s.h, h * factor) : h * factor;
                s.error = std::max(error, 1e-4);
                choice.accepted();
            }
            std::swap(y_, trial_);
            std::swap(slope_, trial_slope_);
            s.loss = loss;
            s.t = last ? limits.t_end : s.t + h;
            if (s.multistep) past_.push(s.t, y_, length);
            assembled_ = false;
            ++s.age;
            ++s.steps;
            const bool implicit = kind == implicit_kind || kind == bdf_kind;
            ++(implicit ? s.implicit_steps : s.explicit_steps);
            row = {s.t, loss, norm(length, slope_), h,
                   kind == bdf_kind ? bdf_kind - bdf_->order_taken() : kind};
            return go_on;
        }
    }

    bool attempt(State& s, double h, std::int64_t kind, double& loss) {
        if (kind == bdf_kind)
            return bdf_->step(y_, slope_, h, s.radius, s.tolerance, trial_, trial_slope_, error_,
                              loss, s.rhs, s.factorizations);
        if (kind == high_kind) {
            s.rhs += Dop853::stages;
            loss = high().step(y_, slope_, h, trial_, trial_slope_, error_);
            return true;
        }
        if (kind != implicit_kind) {
            s.rhs += rock4_.degree(kind).stages;
            loss = rock4_.step(y_, slope_, h, kind, trial_, trial_slope_, error_);
            return true;
        }
        s.rhs += 6;
        ++s.factorizations;
        if (!assembled_) implicit().assemble(y_);
        assembled_ = true;
        return rodas4_->step(y_, slope_, h, trial_, trial_slope_, error_, loss);
    }

    // Whether the rest of the way, up to any time, is provably shorter than the tolerance.
    // Near it, the rounding that long steps amplify may be all that is in the way: then one short
    // step is taken, every other time.
    enum class Rest { no, near, certain };
    Rest at_rest(const State& s, const Limits& limits) {
        if (!s.free || !std::isfinite(limits.t_end) || limits.loss_stop >= 0 ||
            limits.gradient_stop > 0 || limits.t_end - s.t < 4 * s.h)
            return Rest::no;
        const double enough = rest_share * s.tolerance * std::sqrt(double(field_.size()));
        if (2 * s.loss > enough * norm(field_.length(), slope_)) return Rest::no;
        if (field_.path_left(y_, error_) <= enough) return Rest::certain;
        const bool noisy = s.age % 2 == 0 && s.h * s.radius > 4 * Dop853::length &&
                           field_.size() <= widest;
        return noisy ? Rest::near : Rest::no;
    }

    // Growth of the loss that rounding and the error of a step explain.
    double slack(const State& s, double error) const {
        const double target = field_.target_norm(), moved = 4 * error;
        const double unit = 256 * std::numeric_limits<double>::epsilon() * target;
        const double explained = moved * (norm(field_.length(), slope_) + 0.5 * s.radius * moved);
        return unit * std::sqrt(2 * s.loss) + unit * unit +
               std::min(explained, 5e-14 * target * target);
    }

    void measure(State& s, Choice& choice) {
        s.radius = spectral_radius(field_, y_, vector_, error_, s.has_vector ? 0.05 : 0.02);
        s.has_vector = 1;
        s.age = 0;
        choice.hear(norm(field_.length(), y_) / std::sqrt(double(field_.size())));
    }

    double first_step(const State& s) const {
        const Index length = field_.length();
        const double by_size = 0.01 * norm(length, y_) / norm(length, slope_);
        const double by_rate = s.radius > 0 ? 1 / s.radius : by_size;
        const double h = by_size > 0 ? std::min(by_size, by_rate) : by_rate;
        return std::isfinite(h) && h > 0 ? h : 1.0;
    }

    bool assembled_ = false;
    std::unique_ptr<Landing> landing_;
};

}  // namespace thalweg
