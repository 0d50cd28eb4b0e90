// Backward differentiation formulas of order one to five with variable steps, as in _bdf.py.
//
// The memory is the last accepted points: the predictor is the polynomial through k + 1 of them,
// and the new point is where the polynomial through it and k of them has the slope of the flow.
// The equation is solved by Newton's method with the Gauss-Newton part of the Hessian.
#pragma once

#include <algorithm>
#include <cmath>

#include "gauss_newton.hpp"
#include "vectors.hpp"

namespace thalweg {

// Last accepted points, newest first.
class Past {
public:
    static constexpr int most = 7;

    void cut(Workspace& space, Index length) {
        for (double*& point : points_) point = space.take(length);
    }
    void push(double t, const double* y, Index length) {
        double* oldest = points_[most - 1];
        for (int i = most - 1; i > 0; --i) points_[i] = points_[i - 1], times_[i] = times_[i - 1];
        std::memcpy(oldest, y, sizeof(double) * length);
        points_[0] = oldest;
        times_[0] = t;
        count_ = std::min(count_ + 1, most);
    }
    void clear() { count_ = 0; }
    int count() const { return count_; }
    double time(int i) const { return times_[i]; }
    const double* point(int i) const { return points_[i]; }

    // To and from `memory`: count, times, then points without padding.
    static Index room(Index size) { return 1 + most + most * size; }
    void save(const Field& field, double* memory) const {
        memory[0] = count_;
        for (int i = 0; i < count_; ++i) {
            memory[1 + i] = times_[i];
            field.pack(points_[i], memory + 1 + most + i * field.size());
        }
    }
    void restore(const Field& field, const double* memory) {
        count_ = static_cast<int>(memory[0]);
        for (int i = 0; i < count_; ++i) {
            times_[i] = memory[1 + i];
            field.unpack(memory + 1 + most + i * field.size(), points_[i]);
        }
    }

private:
    int count_ = 0;
    double times_[most] = {};
    double* points_[most] = {};
};

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
    };
    Plan plan;
    std::int64_t order_taken() const { return tried_order_ > 0 ? tried_order_ : 1; }
    const double* linearized() const { return origin_; }
    void restore(const double* origin) {
        if (plan.shift == 0) return;
        std::memcpy(origin_, origin, sizeof(double) * field_.length());
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
            extrapolate(w, k, t, 1);
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
            extrapolate(ahead, k, t, 0);
            shift = differentiate(behind, k, t);
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
            extrapolate(w, other, t, 0);
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
    static constexpr double oldest = 30, enough = 0.1;  // of the tolerance: Newton's error
    using Weights = double[highest + 2];

    // Weights of the points first.. of the polynomial of degree k through k + 1 of them, at t.
    void extrapolate(Weights& w, int k, double t, int first) const {
        for (int j = 0; j <= k; ++j) {
            w[j] = 1;
            const double tj = past_.time(first + j);
            for (int m = 0; m <= k; ++m)
                if (m != j) w[j] *= (t - past_.time(first + m)) / (tj - past_.time(first + m));
        }
    }
    // Slope at t of the polynomial through the new point and k past ones: shift times the new
    // point plus the weighted past ones.
    double differentiate(Weights& w, int k, double t) const {
        double shift = 0;
        for (int j = 0; j < k; ++j) {
            const double tj = past_.time(j);
            w[j] = 1 / (tj - t);
            for (int m = 0; m < k; ++m)
                if (m != j) w[j] *= (t - past_.time(m)) / (tj - past_.time(m));
            shift += 1 / (t - tj);
        }
        return shift;
    }

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
        for (int turn = 0; turn < 4; ++turn) {
            system_.solve(rest_, factor, change_);
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
            if (!(rate <= 0.9)) return false;
            before = after, moved_before = moved;
        }
        return false;
    }

    void cut() {
        for (auto** array : {&predicted_, &pull_, &rest_, &change_, &origin_})
            *array = space_.take(field_.length());
    }

    Field& field_;
    const Past& past_;
    GaussNewton system_;
    int tried_order_ = 0;
    double *predicted_ = nullptr, *pull_ = nullptr, *rest_ = nullptr, *change_ = nullptr;
    double* origin_ = nullptr;
    Workspace space_;
};

}  // namespace thalweg
