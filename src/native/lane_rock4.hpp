// One step of the method of rock4.hpp for V starts, each with its own length and stage number.
#pragma once

#include <utility>
#include <vector>

#include "lane_field.hpp"
#include "rock4.hpp"

namespace thalweg {

class LaneRock4 {
public:
    explicit LaneRock4(LaneField& field) : field_(field), degrees_(read_degrees()) {
        cut();
        space_.allocate();
        cut();
        for (int k = 0; k < V; ++k) set(k, 0);
    }

    double longest() const { return degrees_.back().length; }
    double first_length() const { return degrees_.front().length; }
    Vector stages() const { return load(count_); }

    // Give lane k the cheapest degree that is stable for `stiffness`; it depends on nothing else.
    void choose(int k, double stiffness) {
        int d = degree_[k];
        const int top = static_cast<int>(degrees_.size()) - 1;
        while (d > 0 && degrees_[d - 1].length >= stiffness) --d;
        while (d < top && !(degrees_[d].length >= stiffness)) ++d;
        if (d != degree_[k]) set(k, d);
    }
    int stages(int k) const { return degrees_[degree_[k]].stages; }
    int most_stages() const {
        int most = 0;
        for (int k = 0; k < V; ++k) most = std::max(most, stages(k));
        return most;
    }

    // Sums over the unknowns of the squares of error, new slope and new point.
    struct Sums {
        Vector loss, error, slope, size;
    };

    Sums step(const double* y, const double* slope, Vector h, double* result,
              double* result_slope) {
        const Index length = field_.length();
        double *before = arrays_[0], *now = arrays_[1], *point = arrays_[2];
        double *f1 = arrays_[3], *f2 = arrays_[4], *f3 = arrays_[5], *f4 = arrays_[6];
        const Vector first = h * load(mu_);
        for (Index i = 0; i < length; i += V) {
            store(before + i, load(y + i));
            store(now + i, load(y + i) + first * load(slope + i));
        }
        const Vector recurrence = load(count_) - 4;
        const int most = most_stages() - 4;
        for (int j = 1; j < most; ++j) {
            field_.rhs(now, f1);
            // a lane that needs fewer stages waits; NaN times zero would not leave it alone
            const Mask busy = recurrence > double(j);
            const Vector mu = h * load(mu_ + j * V), kappa = load(kappa_ + j * V);
            for (Index i = 0; i < length; i += V) {
                const Vector x = load(now + i), change = kappa * (x - load(before + i));
                store(before + i, select(busy, x + (mu * load(f1 + i) + change), x));
            }
            std::swap(before, now);
        }
        const double* c = finish_;  // b1..b4, a21..a43, embedded b1..b5
        field_.rhs(now, f1);
        combine<1>(now, h, c + 4 * V, {f1}, point);
        field_.rhs(point, f2);
        combine<2>(now, h, c + 5 * V, {f1, f2}, point);
        field_.rhs(point, f3);
        combine<3>(now, h, c + 7 * V, {f1, f2, f3}, point);
        field_.rhs(point, f4);
        combine<4>(now, h, c, {f1, f2, f3, f4}, result);
        Sums sums{field_.rhs(result, result_slope), {}, {}, {}};
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
        const Index most = degrees_.back().stages * V;
        mu_ = space_.take(most);
        kappa_ = space_.take(most);
        finish_ = space_.take(15 * V);
        count_ = space_.take(V);
    }

    LaneField& field_;
    std::vector<Degree> degrees_;
    int degree_[V] = {};
    double* arrays_[7] = {};
    double *mu_ = nullptr, *kappa_ = nullptr, *finish_ = nullptr, *count_ = nullptr;
    Workspace space_;
};

}  // namespace thalweg
