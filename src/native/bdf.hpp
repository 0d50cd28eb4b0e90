// Backward differentiation formulas of order one to five with variable steps, as in _bdf.py.
//
// The memory is the last accepted points: the predictor is the polynomial through k + 1 of them,
// and the new point is where the polynomial through it and k of them has the slope of the flow.
// The equation is solved by Newton's method with the Gauss-Newton part of the Hessian; where that
// converges slowly, it is the preconditioner of conjugate gradients with the whole Hessian.
#pragma once

#include <algorithm>
#include <cmath>

#include "gauss_newton.hpp"
#include "past.hpp"
#include "vectors.hpp"

namespace thalweg {

class Bdf {
public:
    static constexpr int highest = 5;
    static constexpr double share = 0.5;  // of the tolerance that one step may err by

    Bdf(Field& field, const Past& past) : field_(field), past_(past), system_(field) {
        cut();
        space_.allocate();
        cut();
    }

    // What has to be kept between two pieces of a run, besides the past.
    struct Plan {
        double shift = 0, radius = 0;  // of the system at hand; none: 0
        double order = 1, steady = 0;  // steps of the same length and order
        double age = 0, failures = 0;  // steps that the system has served; rejections in a row
        double krylov = 0;             // steps left with conjugate gradients
    };
    Plan plan;
    std::int64_t order_taken() const { return tried_order_ > 0 ? tried_order_ : 1; }
    const double* linearized() const { return origin_; }
    void restore(const double* origin) {
        if (plan.shift == 0) return;
        field_.unpack(origin, origin_);  // kept without padding
        system_.linearize(origin_);
        system_.factorize(plan.shift, plan.radius);
    }

    // Length of the first step after explicit ones of length `h`: with the order whose error of
    // the last point, seen from the ones before, lets it be longest.
    double enter(double h, double tolerance) {
        plan = Plan{};
        double best = 0;
        for (int k = 1; k <= 4 && k + 2 <= past_.count(); ++k) {
            Weights w{};
            const double t = past_.time(0), last = t - past_.time(1);
            past_.extrapolate(w, k, t, 1);
            const double error = distance(w, k, 1, past_.point(0)) * last /
                                 (t - past_.time(k + 1)) / (share * tolerance);
            const double length = last * std::pow(std::max(error, 1e-9) / 0.25, -1.0 / (k + 1));
            if (length > best) best = length, plan.order = k;
        }
        return best > 0 ? std::min(std::max(best, 0.05 * h), 2 * h) : 0.1 * h;
    }

    // A step from the newest point of the past to t + h; as Rock4::step. False: no convergence.
    bool step(const double* y, const double* slope, double h, double radius, double tolerance,
              double* result, double* result_slope, double* error, double& loss,
              std::int64_t& evaluations, std::int64_t& systems) {
        const Index length = field_.length();
        const int k = std::min(static_cast<int>(plan.order), past_.count() - 1);
        const double t = past_.time(0) + h;
        double shift, constant;
        if (k == 0) {
            shift = 1 / h, constant = 0.5;
            for (Index i = 0; i < length; i += V) {
                store(predicted_ + i, load(y + i) + h * load(slope + i));
                store(pull_ + i, -shift * load(y + i));
            }
        } else {
            Weights ahead{}, behind{};
            past_.extrapolate(ahead, k, t, 0);
            shift = past_.differentiate(behind, k, t);
            constant = h / (t - past_.time(k));
            predict(ahead, behind, k);
        }
        tried_order_ = k;
        for (int fresh = 0; fresh < 2; ++fresh) {
            const bool far = !(std::fabs(plan.shift / shift - 1) <= 0.3);
            if (fresh || far || plan.age >= oldest) {
                if (plan.shift == 0 || plan.age > 0) {
                    system_.linearize(y);
                    std::memcpy(origin_, y, sizeof(double) * length);
                    ++systems;
                } else if (!far) return false;
                plan.shift = shift, plan.radius = radius, plan.age = 0;
                if (!system_.factorize(shift, radius)) return plan.shift = 0, false;
            }
            if (iterate(shift, constant, share * tolerance, result, result_slope, loss,
                        evaluations)) {
                for (Index i = 0; i < length; i += V)
                    store(error + i, (constant / share) *
                                         (load(result + i) - load(predicted_ + i)));
                return true;
            }
        }
        return false;
    }

    // After a rejection; `error` is relative to the tolerance.
    double shorten(double error) {
        plan.steady = 0;
        if (++plan.failures >= 3) plan.order = std::max(1.0, plan.order - 1);
        if (!std::isfinite(error)) return 0.4;
        return std::min(std::max(0.9 * std::pow(error / 0.5, -1.0 / (plan.order + 1)), 0.2), 0.9);
    }

    // After the step to `result` was accepted, before the past gets it: the factor for the next.
    double lengthen(double h, double error, double tolerance, const double* result) {
        plan.failures = 0;
        ++plan.age;
        const int k = tried_order_;
        if (k == 0) return 1;
        if (++plan.steady <= k) return 1;
        const double t = past_.time(0) + h;
        double best = 0.9 / 1.2 * std::pow(std::max(error, 1e-9), -1.0 / (k + 1));
        int order = k;
        for (int other : {k - 1, k + 1}) {
            if (other < 1 || other > highest || past_.count() < other + 1) continue;
            Weights w{};
            past_.extrapolate(w, other, t, 0);
            const double size = distance(w, other, 0, result) * h / (t - past_.time(other)) /
                                (share * tolerance);
            const double factor = 0.9 / (other < k ? 1.3 : 1.4) *
                                  std::pow(std::max(size, 1e-9), -1.0 / (other + 1));
            if (factor > best) best = factor, order = other;
        }
        if (best < 0.9 || best > 1.25) {
            plan.order = order;
            plan.steady = 0;
            return std::min(best, 2.0);
        }
        plan.steady = std::max(plan.steady - 3, 0.0);
        return 1;
    }

private:
    static constexpr double oldest = 30;
    static constexpr double enough = 0.01;  // of the tolerance: Newton's error, which adds up
                                            // where nothing contracts
    static constexpr double slow = 0.5;      // rate at which conjugate gradients take over
    static constexpr double stubborn = 20;   // steps for which they stay
    static constexpr double exact = 0.005;   // their error, of the first
    static constexpr double rounding = 1e-15;  // of the weights: no change of them
    static constexpr int most_turns = 12;
    using Weights = Past::Weights;

    template <int K>
    void predict_with(const Weights& ahead, const Weights& behind) {
        const double* p[K + 1];
        for (int j = 0; j <= K; ++j) p[j] = past_.point(j);
        for (Index i = 0; i < field_.length(); i += V) {
            Vector one{}, two{};
#pragma GCC unroll 6
            for (int j = 0; j <= K; ++j) {
                const Vector x = load(p[j] + i);
                one += ahead[j] * x;
                if (j < K) two += behind[j] * x;
            }
            store(predicted_ + i, one);
            store(pull_ + i, two);
        }
    }
    void predict(const Weights& ahead, const Weights& behind, int k) {
        switch (k) {
            case 1: return predict_with<1>(ahead, behind);
            case 2: return predict_with<2>(ahead, behind);
            case 3: return predict_with<3>(ahead, behind);
            case 4: return predict_with<4>(ahead, behind);
            default: return predict_with<5>(ahead, behind);
        }
    }

    // Root mean square of y minus the weighted points first.., of which there are k + 1.
    double distance(const Weights& w, int k, int first, const double* y) const {
        Vector total{};
        for (Index i = 0; i < field_.length(); i += V) {
            Vector rest = load(y + i);
            for (int j = 0; j <= k; ++j) rest -= w[j] * load(past_.point(first + j) + i);
            total += rest * rest;
        }
        return std::sqrt(sum(total) / double(field_.size()));
    }

    // rest = f - shift x - pull; its norm
    double residual(double shift, const double* x, const double* f) {
        Vector total{};
        for (Index i = 0; i < field_.length(); i += V) {
            const Vector r = load(f + i) - shift * load(x + i) - load(pull_ + i);
            store(rest_ + i, r);
            total += r * r;
        }
        return std::sqrt(sum(total));
    }

    bool iterate(double shift, double constant, double tolerance, double* x, double* f,
                 double& loss, std::int64_t& evaluations) {
        const Index length = field_.length();
        const double factor = 2 / (1 + shift / plan.shift);
        const double goal = enough * tolerance * std::sqrt(double(field_.size())) / constant;
        loss = field_.rhs(predicted_, f);
        ++evaluations;
        double before = residual(shift, predicted_, f), moved_before = 0;
        const double* from = predicted_;
        bool krylov = plan.krylov > 0;
        if (krylov) --plan.krylov;
        for (int turn = 0; turn < 5; ++turn) {
            if (!krylov) system_.solve(rest_, factor, change_);
            else if (!conjugate_gradients(from, shift, factor)) return false;
            Vector total{};
            for (Index i = 0; i < length; i += V) {
                const Vector d = load(change_ + i);
                total += d * d;
                store(x + i, load(from + i) + d);
            }
            from = x;
            const double moved = std::sqrt(sum(total));
            loss = field_.rhs(x, f);
            ++evaluations;
            const double after = residual(shift, x, f);
            const double rate = turn ? moved / moved_before : after / before;
            if (moved <= 0.1 * goal || moved * rate <= goal) return true;
            if (moved <= rounding * norm(length, x)) return true;
            if (!(rate <= 0.9) && krylov) return false;
            if (!(rate <= slow) && !krylov) {
                krylov = true;
                plan.krylov = stubborn;
                if (!(rate <= 0.9)) {  // from the beginning
                    from = predicted_;
                    field_.rhs(predicted_, f);
                    ++evaluations;
                    before = residual(shift, predicted_, f);
                    turn = -1;
                    continue;
                }
            }
            before = after, moved_before = moved;
        }
        return false;
    }

    // change_ = (shift I + H(x))^-1 rest_, where the field was evaluated last at x.
    bool conjugate_gradients(const double* x, double shift, double factor) {
        const Index length = field_.length();
        std::memset(change_, 0, sizeof(double) * length);
        system_.solve(rest_, factor, way_);
        double power = dot(length, rest_, way_);
        const double goal = exact * exact * power;
        for (int turn = 0; turn < most_turns && power > goal; ++turn) {
            field_.hessian_product(x, way_, image_);
            add(length, shift, way_, image_);
            const double curve = dot(length, way_, image_);
            if (!(curve > 0)) return false;  // longer than the time scale of an unstable mode
            const double step = power / curve;
            add(length, step, way_, change_);
            add(length, -step, image_, rest_);
            system_.solve(rest_, factor, image_);
            const double next = dot(length, rest_, image_), ratio = next / power;
            for (Index i = 0; i < length; i += V)
                store(way_ + i, load(image_ + i) + ratio * load(way_ + i));
            power = next;
        }
        return true;
    }

    void cut() {
        for (auto** array : {&predicted_, &pull_, &rest_, &change_, &origin_, &way_, &image_})
            *array = space_.take(field_.length());
    }

    Field& field_;
    const Past& past_;
    GaussNewton system_;
    int tried_order_ = 0;
    double *predicted_ = nullptr, *pull_ = nullptr, *rest_ = nullptr, *change_ = nullptr;
    double *origin_ = nullptr, *way_ = nullptr, *image_ = nullptr;
    Workspace space_;
};

}  // namespace thalweg
