// How far V starts can still go: Field::path_left, with the products that are there already.
#pragma once

#include "lane_start.hpp"

namespace thalweg {

class LaneClosing {
public:
    explicit LaneClosing(const LaneField& field) : field_(field) {
        cut();
        space_.allocate();
        cut();
        least_ = field.metric().empty() ? 0.0 : field.metric()[0];
        for (double d : field.metric()) least_ = std::min(least_, d);
    }

    // Lanes of `due` in which the rest of the way, up to any time, is shorter than `enough`; the
    // last `rhs` was at y. Theory 3.3 with the constants at y, as driver.hpp explains.
    Mask certain(const double* y, Vector loss, Vector enough, Mask due) {
        const double unit = 16 * 2.3e-16 * field_.target_norm();
        const Vector error = root(2 * loss) + unit, above = least_above(y);
        const Vector path = error / (root(0.5 * above) * least_);
        Vector reach{};
        for (int l = 1; l < field_.depth(); ++l) {
            Vector others = broadcast(1.0);
            for (int m = 1; m < field_.depth(); ++m)
                if (m != l) {
                    const Index size = field_.dim(m) * field_.dim(m + 1) * V;
                    others *= path + root(square_sum(size, field_.weight(y, m).at));
                }
            reach = larger(reach, others);
        }
        const Vector moved = path * std::sqrt(field_.depth() - 1.0) * reach;
        return due & (above > 0.0) & (moved <= 0.29 * root(above)) & (path <= enough);
    }

private:
    // A lower bound of the least eigenvalue of R_1 R_1^T by the trace of its inverse; 0 if that is
    // singular.
    Vector least_above(const double* y) {
        if (field_.depth() == 1) return broadcast(1.0);
        const Index n = field_.dim(field_.depth()), cols = field_.dim(1);
        if (n > cols || !(least_ > 0)) return Vector{};
        const LaneMatrix above{field_.above(y), cols, 1};
        multiply(n, n, cols, above, above.transposed(), gram_, n);
        Vector trace{}, inverse{};
        for (Index i = 0; i < n; ++i) trace += load(gram_ + i * (n + 1) * V);
        // lower factor in place, then its inverse column by column: the sum of squares is the trace
        Mask fine = Vector{} == Vector{};
        for (Index j = 0; j < n; ++j)
            for (Index i = j; i < n; ++i) {
                Vector x = load(gram_ + (i * n + j) * V);
                for (Index p = 0; p < j; ++p)
                    x -= load(gram_ + (i * n + p) * V) * load(gram_ + (j * n + p) * V);
                if (i == j) {
                    fine &= x > 0.0;
                    x = 1 / root(x);
                } else {
                    x *= load(gram_ + j * (n + 1) * V);
                }
                store(gram_ + (i * n + j) * V, x);
            }
        for (Index j = 0; j < n; ++j) {
            for (Index i = j; i < n; ++i) {
                Vector x = i == j ? broadcast(1.0) : Vector{};
                for (Index p = j; p < i; ++p)
                    x -= load(gram_ + (i * n + p) * V) * load(column_ + p * V);
                x *= load(gram_ + i * (n + 1) * V);
                store(column_ + i * V, x);
                inverse += x * x;
            }
        }
        fine &= (inverse > 0.0) & (inverse * trace < 1e10);
        return select(fine, 1 / inverse, Vector{});
    }
    void cut() {
        const Index n = field_.dim(field_.depth());
        gram_ = space_.take(n * n * V);
        column_ = space_.take(n * V);
    }

    const LaneField& field_;
    double *gram_ = nullptr, *column_ = nullptr, least_ = 0;
    Workspace space_;
};

}  // namespace thalweg
