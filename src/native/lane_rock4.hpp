// One step of the method of rock4.hpp for V starts, each with its own length and stage number.
#pragma once

#include <utility>
#include <vector>

#include "lane_start.hpp"
#include "rock4.hpp"

namespace thalweg {

// Coefficients of V lanes, each of its own degree.
class LaneDegrees {
public:
    explicit LaneDegrees(const std::vector<Degree>& degrees) : degrees_(degrees) {
        cut();
        space_.allocate();
        cut();
        for (int k = 0; k < V; ++k) set(k, 0);
    }

    // Give lane k the cheapest degree that is stable for `stiffness`; it depends on nothing else.
    void choose(int k, double stiffness) {
        const int d = cheapest(degrees_, stiffness, degree_[k]);
        if (d != degree_[k]) set(k, d);
    }
    static int cheapest(const std::vector<Degree>& degrees, double stiffness, int guess) {
        const int top = static_cast<int>(degrees.size()) - 1;
        while (guess > 0 && degrees[guess - 1].length >= stiffness) --guess;
        while (guess < top && !(degrees[guess].length >= stiffness)) ++guess;
        return guess;
    }
    Vector stages() const { return load(count_); }
    const double* mu(int j) const { return mu_ + j * V; }
    const double* kappa(int j) const { return kappa_ + j * V; }
    const double* finish() const { return finish_; }  // b1..b4, a21..a43, embedded b1..b5

private:
    void set(int k, int d) {
        const Degree& degree = degrees_[d];
        degree_[k] = d;
        count_[k] = degree.stages;
        for (int j = 0; j < degree.stages - 4; ++j) {
            mu_[j * V + k] = degree.mu[j];
            kappa_[j * V + k] = degree.kappa[j];
        }
        for (int j = 0; j < 15; ++j) finish_[j * V + k] = degree.b[j];
    }
    void cut() {
        const Index most = degrees_.back().stages * V;
        mu_ = space_.take(most);
        kappa_ = space_.take(most);
        finish_ = space_.take(15 * V);
        count_ = space_.take(V);
    }

    const std::vector<Degree>& degrees_;
    int degree_[V] = {};
    double *mu_ = nullptr, *kappa_ = nullptr, *finish_ = nullptr, *count_ = nullptr;
    Workspace space_;
};

class LaneRock4 {
public:
    explicit LaneRock4(LaneField& field) : field_(field), degrees_(read_degrees()) {
        cut();
        space_.allocate();
        cut();
    }

    const std::vector<Degree>& degrees() const { return degrees_; }
    double longest() const { return degrees_.back().length; }
    double first_length() const { return degrees_.front().length; }

    // One step with `most` stages; lanes that need fewer wait.
    LaneSums step(const LaneDegrees& lanes, int most, const double* y, const double* slope,
                  Vector h, double* result, double* result_slope) {
        const Index length = field_.length();
        double *before = arrays_[0], *now = arrays_[1], *point = arrays_[2];
        double *f1 = arrays_[3], *f2 = arrays_[4], *f3 = arrays_[5], *f4 = arrays_[6];
        const Vector first = h * load(lanes.mu(0));
        for (Index i = 0; i < length; i += V) {
            store(before + i, load(y + i));
            store(now + i, load(y + i) + first * load(slope + i));
        }
        const Vector recurrence = lanes.stages() - 4;
        for (int j = 1; j < most - 4; ++j) {
            field_.rhs(now, f1);
            // a lane that needs fewer stages waits; NaN times zero would not leave it alone
            const Mask busy = recurrence > double(j);
            const Vector mu = h * load(lanes.mu(j)), kappa = load(lanes.kappa(j));
            for (Index i = 0; i < length; i += V) {
                const Vector x = load(now + i), change = kappa * (x - load(before + i));
                store(before + i, select(busy, x + (mu * load(f1 + i) + change), x));
            }
            std::swap(before, now);
        }
        const double* c = lanes.finish();
        field_.rhs(now, f1);
        combine<1>(now, h, c + 4 * V, {f1}, point);
        field_.rhs(point, f2);
        combine<2>(now, h, c + 5 * V, {f1, f2}, point);
        field_.rhs(point, f3);
        combine<3>(now, h, c + 7 * V, {f1, f2, f3}, point);
        field_.rhs(point, f4);
        combine<4>(now, h, c, {f1, f2, f3, f4}, result);
        LaneSums sums{field_.rhs(result, result_slope), {}, {}, {}, {}};
        Vector e[5];
        for (int k = 0; k < 4; ++k) e[k] = h * (load(c + k * V) - load(c + (10 + k) * V));
        e[4] = h * load(c + 14 * V);
        for (Index i = 0; i < length; i += V) {
            const Vector f5 = load(result_slope + i), x = load(result + i);
            const Vector error = e[0] * load(f1 + i) + e[1] * load(f2 + i) + e[2] * load(f3 + i) +
                                 e[3] * load(f4 + i) - e[4] * f5;
            sums.error += error * error;
            sums.slope += f5 * f5;
            sums.size += x * x;
        }
        return sums;
    }

private:
    template <int COUNT>
    void combine(const double* y, Vector h, const double* c, const double* const (&f)[COUNT],
                 double* out) const {
        Vector factor[COUNT];
        for (int k = 0; k < COUNT; ++k) factor[k] = h * load(c + k * V);
        for (Index i = 0; i < field_.length(); i += V) {
            Vector total = load(y + i);
#pragma GCC unroll 4
            for (int k = 0; k < COUNT; ++k) total += factor[k] * load(f[k] + i);
            store(out + i, total);
        }
    }
    void cut() {
        for (auto& array : arrays_) array = space_.take(field_.length());
    }

    LaneField& field_;
    std::vector<Degree> degrees_;
    double* arrays_[7] = {};
    Workspace space_;
};

}  // namespace thalweg
