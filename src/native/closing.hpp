// Jumping onto {P D = T} by minimum-norm Gauss-Newton steps y + J^T X, J J^T X = M, as in
// limit/_closing.py (theory 3.3, 4.8).
//
//   J J^T = sum_l S_l x K_l,   S_l = R_{l+1} R_{l+1}^T,   K_l = (A_l D)^T A_l D,
// is factorized as a whole. While steps shrink M well the factor is kept: what it is wrong by
// costs an iteration, not the direction, which is in the range of J^T at the point at hand.
#pragma once

#include <limits>

#include "field.hpp"

namespace thalweg {

class Closing {
public:
    explicit Closing(const Field& field)
        : field_(field), depth_(field.depth()), rows_(field.dim(depth_)), cols_(field.dim(0)),
          order_(rows_ * cols_), side_(padded(order_)) {
        cut();
        space_.allocate();
        cut();
    }

    // Moves y as far as it comes and returns |M| there, in multiples of what is rounding.
    double run(double* y) {
        linearize(y);
        const double unit = rounding(y);
        double norm = residual(y), shrunk = 1;
        for (int turn = 0; turn < most && norm > unit; ++turn) {
            if (shrunk > stale) {
                if (!prepare()) return std::numeric_limits<double>::quiet_NaN();
                shrunk = 0;
            }
            move(y);
            linearize(trial_);
            const double next = residual(trial_);
            if (!(next < norm)) {
                if (shrunk == 0) break;  // with a factor of this very point
                linearize(y);
                residual(y);
                shrunk = 1;
                continue;
            }
            std::memcpy(y, trial_, sizeof(double) * field_.length());
            shrunk = next / norm;
            norm = next;
        }
        return norm / unit;
    }

private:
    static constexpr int most = 24;
    static constexpr double stale = 0.02;  // share of M left by a step: a new factor pays

    const double* after(const double* y, int l) const {
        return l == depth_ - 1 ? y + field_.offset(l) : after_[l];
    }

    double rounding(const double* y) const {
        double product = 1, top = 0;
        for (int l = 0; l < depth_; ++l)
            product *= norm(field_.dim(l + 1) * field_.stride(l), y + field_.offset(l));
        for (Index j = 0; j < cols_; ++j) top = std::max(top, field_.metric()[j]);
        return 4 * 2.220446049250313e-16 * std::max(field_.target_norm(), product * top);
    }

    // R_l for l > 0, and R_0.
    void linearize(const double* y) {
        const double* right = y + field_.offset(depth_ - 1);
        for (int l = depth_ - 2; l >= 0; --l) {
            multiply(rows_, field_.dim(l), field_.dim(l + 1), right, field_.stride(l + 1),
                     y + field_.offset(l), field_.stride(l), after_[l], field_.stride(l));
            right = after_[l];
        }
    }

    // |M|; M goes to error_.
    double residual(const double* y) {
        const double *whole = after(y, 0), *d = field_.metric(), *goal = field_.target();
        const Index width = field_.stride(0);
        for (Index i = 0; i < rows_; ++i)
            for (Index j = 0; j < width; j += V)
                store(error_ + i * width + j,
                      load(goal + i * width + j) - load(whole + i * width + j) * load(d + j));
        point_ = y;
        return norm(rows_ * width, error_);
    }

    // The factor of J J^T at the point of the last `residual`.
    bool prepare() {
        const Index width = field_.stride(0);
        const double* d = field_.metric();
        for (Index i = 0; i < rows_; ++i)
            std::memset(gram_ + i * cols_ * side_, 0, sizeof(double) * cols_ * side_);
        for (int l = 0; l < depth_; ++l) {
            if (l == 1) {
                for (Index i = 0; i < field_.dim(1); ++i)
                    for (Index j = 0; j < width; j += V)
                        store(before_[1] + i * width + j,
                              load(point_ + field_.offset(0) + i * width + j) * load(d + j));
            } else if (l > 1) {
                multiply(field_.dim(l), cols_, field_.dim(l - 1), point_ + field_.offset(l - 1),
                         field_.stride(l - 1), before_[l - 1], width, before_[l], width);
            }
            if (l > 0)
                multiply_left_transposed(cols_, cols_, field_.dim(l), before_[l], width,
                                         before_[l], width, inner_, width);
            for (Index i = 0; i < rows_; ++i)
                for (Index j = i; j < rows_; ++j) {
                    const Index ld = field_.stride(l + 1);
                    if (l == depth_ - 1 && i != j) continue;
                    const double s =
                        l == depth_ - 1
                            ? 1.0
                            : dot(ld, after(point_, l + 1) + i * ld, after(point_, l + 1) + j * ld);
                    for (Index a = 0; a < cols_; ++a) {
                        double* out = gram_ + (i * cols_ + a) * side_ + j * cols_;
                        if (l == 0) {
                            out[a] += s * d[a] * d[a];
                            continue;
                        }
                        const double* row = inner_ + a * width;
                        for (Index b = 0; b < cols_; ++b) out[b] += s * row[b];
                    }
                }
        }
        return factorize(order_, gram_, side_, inverse_);
    }

    // trial_ = y + J^T X with the factor at hand.
    void move(const double* y) {
        const Index width = field_.stride(0);
        const int last = depth_ - 1;
        for (Index j = order_; j < side_; ++j) multiplier_[j] = 0;
        for (Index i = 0; i < rows_; ++i)
            std::memcpy(multiplier_ + i * cols_, error_ + i * width, sizeof(double) * cols_);
        solve(order_, gram_, side_, inverse_, multiplier_);
        for (Index i = 0; i < rows_; ++i)
            for (Index j = 0; j < cols_; ++j)
                signal_[0][i * width + j] = multiplier_[i * cols_ + j] * field_.metric()[j];
        std::memcpy(trial_, y, sizeof(double) * field_.length());
        for (int l = 0; l < last; ++l) {
            const Index high = field_.dim(l + 1), low = field_.dim(l), ld = field_.stride(l);
            multiply_left_transposed<Mode::add>(high, low, rows_, after(y, l + 1),
                                                field_.stride(l + 1), signal_[l], ld,
                                                trial_ + field_.offset(l), ld);
            multiply_right_transposed(rows_, high, low, signal_[l], ld, y + field_.offset(l), ld,
                                      signal_[l + 1], field_.stride(l + 1));
        }
        const Index ld = field_.stride(last);
        add(rows_ * ld, 1.0, signal_[last], trial_ + field_.offset(last));
    }

    void cut() {
        for (auto* arrays : {&after_, &before_, &signal_}) arrays->resize(depth_);
        for (int l = 0; l < depth_; ++l) {
            after_[l] = space_.take(rows_ * field_.stride(l));
            before_[l] = l ? space_.take(field_.dim(l) * field_.stride(0)) : nullptr;
            signal_[l] = space_.take(rows_ * field_.stride(l));
        }
        error_ = space_.take(rows_ * field_.stride(0));
        inner_ = space_.take(cols_ * field_.stride(0));
        trial_ = space_.take(field_.length());
        gram_ = space_.take(order_ * side_);
        inverse_ = space_.take(side_);
        multiplier_ = space_.take(side_);
    }

    const Field& field_;
    int depth_;
    Index rows_, cols_, order_, side_;
    const double* point_ = nullptr;
    std::vector<double*> after_, before_, signal_;
    double *error_ = nullptr, *inner_ = nullptr, *trial_ = nullptr, *gram_ = nullptr;
    double *inverse_ = nullptr, *multiplier_ = nullptr;
    Workspace space_;
};

}  // namespace thalweg
