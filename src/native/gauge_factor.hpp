// Preconditioner for few unknowns: the whole system of one point near by, factorized.
#pragma once

#include "cholesky.hpp"
#include "gauge_space.hpp"

namespace thalweg {

class GaugeFactor {
public:
    explicit GaugeFactor(const GaugeSpace& space)
        : space_(space), count_(space.unknowns()), stride_(padded(count_)) {
        cut();
        memory_.allocate();
        cut();
        // Layers are coupled with their neighbours only, so the factor is zero beyond the next one.
        for (Index j = 0, begin = 0, last = 0; j < space.hidden(); ++j) {
            const Index n = space.width(int(j)), end = begin + n * (n + 1) / 2;
            const Index m = j + 1 < space.hidden() ? space.width(int(j) + 1) : 0;
            first_.insert(first_.end(), end - begin, last);
            end_.insert(end_.end(), end - begin, end + m * (m + 1) / 2);
            last = begin, begin = end;
        }
    }

    // Takes the system of one lane; false if it is singular.
    bool refresh(const double* y, const double* sums, int lane) {
        std::fill(matrix_, matrix_ + count_ * stride_, 0.0);
        Index first = 0;
        for (int j = 0; j < space_.hidden(); ++j) {
            const Index n = space_.width(j), next = first + n * (n + 1) / 2;
            const double* k = sums + space_.offset(j) + lane;
            for (Index a = 0, row = first; a < n; ++a)
                for (Index b = a; b < n; ++b, ++row)
                    fill_own(n, k, a, b, matrix_ + row * stride_, first);
            if (j + 1 < space_.hidden())
                fill_next(j, space_.weight(y, j + 1).at + lane, first, next);
            first = next;
        }
        double trace = 0;
        for (Index i = 0; i < count_; ++i) trace += matrix_[i * (stride_ + 1)];
        for (Index i = 0; i < count_; ++i)
            matrix_[i * (stride_ + 1)] += 1e-14 * trace / double(count_);
        return factorize(count_, matrix_, stride_, inverse_);
    }

    void apply(const double* rest, double* out) {
        pack(rest);
        forward();
        backward();
        unpack(out);
    }

private:
    static constexpr double root_half = 0.70710678118654752440;
    static constexpr Index strip = 8;  // sums at a time: as many as hide the latency

    // <B_ab, K S + S K> over the symmetric units B_ik with i <= k, from B_ab on.
    void fill_own(Index n, const double* k, Index a, Index b, double* row, Index first) const {
        const double scale = a == b ? 0.5 : root_half;
        for (Index i = 0, col = first; i < n; ++i)
            for (Index m = i; m < n; ++m, ++col) {
                double x = 0;  // of K B_ab + B_ab K at (i, m), where B_ab has 1 at (a, b), (b, a)
                if (m == b) x += k[(i * n + a) * V];
                if (m == a) x += k[(i * n + b) * V];
                if (i == a) x += k[(b * n + m) * V];
                if (i == b) x += k[(a * n + m) * V];
                row[col] = x * scale * (i == m ? 1.0 : 2 * root_half);
            }
    }
    // <B_ik, -2 W^T B_ab W> with B_ik of S_j and B_ab of S_{j+1}
    void fill_next(int j, const double* w, Index first, Index next) const {
        const Index n = space_.width(j), m = space_.width(j + 1);
        for (Index i = 0, row = first; i < n; ++i)
            for (Index k = i; k < n; ++k, ++row)
                for (Index a = 0, col = next; a < m; ++a)
                    for (Index b = a; b < m; ++b, ++col) {
                        const double x = w[(a * n + i) * V] * w[(b * n + k) * V];
                        const double z = w[(b * n + i) * V] * w[(a * n + k) * V];
                        const double scale = (a == b ? 1.0 : 2 * root_half) *
                                             (i == k ? 1.0 : 2 * root_half);
                        matrix_[row * stride_ + col] = -scale * (x + z);
                    }
    }
    void pack(const double* s) {
        double* x = x_;
        for (int j = 0; j < space_.hidden(); ++j)
            for (Index i = 0, n = space_.width(j); i < n; ++i)
                for (Index k = i; k < n; ++k, x += V) {
                    const Vector value = load(s + space_.offset(j) + (i * n + k) * V);
                    store(x, i == k ? value : value * (2 * root_half));
                }
    }
    void unpack(double* s) const {
        const double* x = x_;
        for (int j = 0; j < space_.hidden(); ++j)
            for (Index i = 0, n = space_.width(j); i < n; ++i)
                for (Index k = i; k < n; ++k, x += V) {
                    const Vector value = i == k ? load(x) : load(x) * root_half;
                    store(s + space_.offset(j) + (i * n + k) * V, value);
                    store(s + space_.offset(j) + (k * n + i) * V, value);
                }
    }
    // U^T x = b: a strip of unknowns at a time takes what the earlier ones leave.
    void forward() {
        Index i = 0;
        for (; i + strip <= count_; i += strip) {
            Vector rest[strip];
#pragma GCC unroll 8
            for (Index r = 0; r < strip; ++r) rest[r] = load(x_ + (i + r) * V);
            const double* u = matrix_ + first_[i] * stride_ + i;
            for (Index p = first_[i]; p < i; ++p, u += stride_) {
                const Vector x = load(x_ + p * V);
#pragma GCC unroll 8
                for (Index r = 0; r < strip; ++r) rest[r] -= u[r] * x;
            }
#pragma GCC unroll 8
            for (Index r = 0; r < strip; ++r, u += stride_) {
                rest[r] *= inverse_[i + r];
#pragma GCC unroll 8
                for (Index q = r + 1; q < strip; ++q) rest[q] -= u[q] * rest[r];
                store(x_ + (i + r) * V, rest[r]);
            }
        }
        for (; i < count_; ++i) {
            Vector rest = load(x_ + i * V);
            for (Index p = first_[i]; p < i; ++p) rest -= matrix_[p * stride_ + i] * load(x_ + p * V);
            store(x_ + i * V, rest * inverse_[i]);
        }
    }
    void backward() {
        Index i = count_;
        for (; i % strip; --i) solve_row(i - 1, count_);
        for (; i > 0; i -= strip) {
            Vector rest[strip];
            const double* u = matrix_ + (i - strip) * stride_;
#pragma GCC unroll 8
            for (Index r = 0; r < strip; ++r) rest[r] = load(x_ + (i - strip + r) * V);
            for (Index p = i; p < end_[i - 1]; ++p) {
                const Vector x = load(x_ + p * V);
#pragma GCC unroll 8
                for (Index r = 0; r < strip; ++r) rest[r] -= u[r * stride_ + p] * x;
            }
#pragma GCC unroll 8
            for (Index r = strip - 1; r >= 0; --r) {
#pragma GCC unroll 8
                for (Index q = r + 1; q < strip; ++q) rest[r] -= u[r * stride_ + i - strip + q] * rest[q];
                rest[r] *= inverse_[i - strip + r];
                store(x_ + (i - strip + r) * V, rest[r]);
            }
        }
    }
    // Finishes one unknown from which the columns from `end` on are taken already.
    void solve_row(Index i, Index end) {
        Vector rest = load(x_ + i * V);
        for (Index p = i + 1; p < end; ++p) rest -= matrix_[i * stride_ + p] * load(x_ + p * V);
        store(x_ + i * V, rest * inverse_[i]);
    }
    void cut() {
        matrix_ = memory_.take(count_ * stride_);
        inverse_ = memory_.take(stride_);
        x_ = memory_.take(count_ * V);
    }

    const GaugeSpace& space_;
    Index count_, stride_;
    std::vector<Index> first_, end_;  // where a column of the factor begins and a row ends
    double *matrix_ = nullptr, *inverse_ = nullptr, *x_ = nullptr;
    Workspace memory_;
};

}  // namespace thalweg
