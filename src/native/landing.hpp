// Closing the tail of a run inside the basin of the global minima, as in trajectory/_decide.py:
// Gauss-Newton steps predict the limit. The error of a prediction falls with the square of the way
// that is left, so two of them tell at which loss the next one will be good enough.
#pragma once

#include <algorithm>

#include "closing.hpp"
#include "limits.hpp"

namespace thalweg {

class Landing {
public:
    explicit Landing(const Field& field) : field_(field), closing_(field) {
        for (int pass = 0; pass < 2; ++pass) {
            if (pass) space_.allocate();
            now_ = space_.take(field.length());
            before_ = space_.take(field.length());
        }
    }

    // Predicts the limit from y and says whether to go on, then down to `tail.loss_stop`. `going`:
    // nothing but the loss has stopped the run.
    bool goes_on(const double* y, double loss, bool going, Tail& tail) {
        const Index length = field_.length();
        const bool known = tail.predictions++ > 0 && tail.rest <= settled;
        const double before = tail.length;
        std::swap(now_, before_);
        std::memcpy(now_, y, sizeof(double) * length);
        tail.rest = closing_.run(now_);
        tail.length = apart(now_, y);
        const bool converged = tail.rest <= settled;
        const double size = std::max(norm(length, now_), 1e-300);
        if (converged && known) {
            const double change = apart(now_, before_), share = tail.length / before;
            tail.error = (before > 0 ? change * std::min(1.0, share * share) : 0) / size;
        }
        if (converged && tail.length <= 1e-14 * size) tail.error = tail.length / size;
        const double excess = loss - tail.least;
        tail.landed = converged && (tail.error <= tail.goal || !going || excess <= tail.smallest);
        if (tail.landed || !going || excess <= tail.smallest) return false;
        // Where J J^T is nearly singular, eigenvectors do better than going on.
        if (!converged && !(tail.rest > far)) return false;
        const double curvature =
            tail.error > 0 && tail.length > 0 ? tail.error * size / (tail.length * tail.length)
                                              : 1 / size;
        double share = highest;
        if (converged && tail.length > 0)
            share = 0.25 * tail.goal * size / (curvature * tail.length * tail.length);
        share = std::min(std::max(share, lowest), highest);
        tail.loss_stop = tail.least + std::max(share * excess, 0.5 * tail.smallest);
        return true;
    }
    const double* point() const { return now_; }

private:
    static constexpr double settled = 1e3, far = 1e9;  // |M| in multiples of its rounding
    static constexpr double lowest = 1e-8, highest = 0.04;  // as in _decide.py

    double apart(const double* one, const double* two) const {
        double square = 0;
        for (Index i = 0; i < field_.length(); ++i) square += (one[i] - two[i]) * (one[i] - two[i]);
        return std::sqrt(square);
    }

    const Field& field_;
    Closing closing_;
    double *now_ = nullptr, *before_ = nullptr;
    Workspace space_;
};

}  // namespace thalweg
