// Whether what is left of a gradient is rounding.
//
// A gradient may be tiny because the start is: near the zero saddle of a deep network it is the
// start's size to the power of the depth, and still exact to many digits. So no single number will
// do; every entry is compared with the sum of the sizes of all terms that it is made of.
#pragma once

#include "lane_start.hpp"

namespace thalweg {

class LaneRest {
public:
    explicit LaneRest(LaneField& field) : field_(field) {
        cut();
        space_.allocate();
        cut();
        strength_ = units * field.target_norm() * field.largest_metric();
    }

    // Whether the start in lane k has come to rest. Costs a right-hand side, after `near` only.
    bool reached(const BatchLimits& limits, const LaneState& s, int k) {
        if (limits.rest <= 0 || !near(limits, s, k)) return false;
        for (Index i = 0; i < field_.length(); i += V) {
            const Vector x = load(s.y + i);
            store(sizes_ + i, larger(x, -x));
        }
        field_.rounding(sizes_, bound_);
        for (Index i = k; i < field_.length(); i += V)
            if (!(std::fabs(s.slope[i]) <= units * bound_[i])) return false;
        return true;
    }

private:
    static constexpr double units = 1000 * std::numeric_limits<double>::epsilon();

    // By norms: |W_1| ... |W_L| without one factor is at most (|y|^2 / (L - 1))^((L - 1) / 2).
    bool near(const BatchLimits& limits, const LaneState& s, int k) const {
        double bound = 1;
        const int others = field_.depth() - 1;
        for (int j = 0; j < others; ++j) bound *= s.size[k] / std::sqrt(double(others));
        return s.slope_norm[k] <= std::max(limits.rest, strength_ * bound);
    }
    void cut() {
        sizes_ = space_.take(field_.length());
        bound_ = space_.take(field_.length());
    }

    LaneField& field_;
    double *sizes_ = nullptr, *bound_ = nullptr, strength_ = 0;
    Workspace space_;
};

}  // namespace thalweg
