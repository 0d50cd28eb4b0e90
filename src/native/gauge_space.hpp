// Weights and hidden symmetric matrices of V points at once: shapes, Gram matrices, and the linear
// system that changes of hidden coordinates solve.
#pragma once

#include <algorithm>
#include <vector>

#include "lane_matrix.hpp"

namespace thalweg {

class GaugeSpace {
public:
    GaugeSpace(int depth, const std::int64_t* dims) : depth_(depth), dims_(dims, dims + depth + 1) {
        for (int l = 0; l < depth_; ++l) {
            at_.push_back(size_ * V);
            size_ += dims_[l + 1] * dims_[l];
        }
        for (int j = 0; j + 1 < depth_; ++j) {
            offset_.push_back(length_);
            length_ += width(j) * width(j) * V;
            unknowns_ += width(j) * (width(j) + 1) / 2;
        }
        widest_ = *std::max_element(dims_.begin(), dims_.end());
        cut();
        space_.allocate();
        cut();
    }

    int depth() const { return depth_; }
    int hidden() const { return depth_ - 1; }
    Index dim(int l) const { return dims_[l]; }
    Index width(int j) const { return dims_[j + 1]; }
    Index widest() const { return widest_; }
    Index size() const { return size_; }          // weights of one point
    Index length() const { return length_; }      // doubles of all S_j of V points
    Index unknowns() const { return unknowns_; }  // of one point
    Index offset(int j) const { return offset_[j]; }
    LaneMatrix weight(const double* y, int l) const { return {y + at_[l], dims_[l], 1}; }
    double* weight(double* y, int l) const { return y + at_[l]; }
    LaneMatrix block(const double* s, int j) const { return {s + offset_[j], width(j), 1}; }

    // K_j = W_{j+1}^T W_{j+1} + W_j W_j^T and the error of their difference; returns the largest
    // Frobenius norm of any error. `size` is that of the Gram matrices.
    Vector measure(const double* y, const double* conserved, double* sums, double* error,
                   Vector& size) const {
        Vector largest{};
        size = Vector{};
        for (int j = 0; j < hidden(); ++j) {
            const LaneMatrix above = weight(y, j + 1), below = weight(y, j);
            const Index n = width(j);
            double *k = sums + offset_[j], *e = error + offset_[j];
            const double* c = conserved + offset_[j];
            lower(n, dims_[j + 2], above.transposed(), above, k);
            lower(n, dims_[j], below, below.transposed(), e);
            Vector square{}, high{}, low{};
            for (Index i = 0; i < n; ++i)
                for (Index m = 0; m <= i; ++m) {
                    const Index one = (i * n + m) * V, two = (m * n + i) * V;
                    const Vector a = load(k + one), b = load(e + one), x = a - b - load(c + one);
                    const double times = m < i ? 2.0 : 1.0;
                    square += times * x * x;
                    high += times * a * a;
                    low += times * b * b;
                    store(k + one, a + b);
                    store(k + two, a + b);
                    store(e + one, x);
                    store(e + two, x);
                }
            largest = larger(largest, square);
            size = larger(size, larger(high, low));
        }
        size = root(size);
        return root(largest);
    }

    // K_j S_j + S_j K_j - 2 W_{j+1}^T S_{j+1} W_{j+1} - 2 W_j S_{j-1} W_j^T
    void apply(const double* y, const double* sums, const double* s, double* image) {
        for (int j = 0; j < hidden(); ++j) {
            const Index n = width(j);
            double* out = image + offset_[j];  // half + its transpose
            multiply(n, n, n, block(sums, j), block(s, j), half_, n);
            for (int other : {j - 1, j + 1}) {
                if (other < 0 || other >= hidden()) continue;
                LaneMatrix w = weight(y, std::max(j, other));
                if (other > j) w = w.transposed();
                const Index m = width(other);
                multiply(n, m, m, w, block(s, other), scratch_, m);
                multiply<Mode::subtract>(n, n, m, {scratch_, m, 1}, w.transposed(), half_, n);
            }
            for (Index i = 0; i < n; ++i)
                for (Index k = 0; k <= i; ++k) {
                    const Vector x = load(half_ + (i * n + k) * V) + load(half_ + (k * n + i) * V);
                    store(out + (i * n + k) * V, x);
                    store(out + (k * n + i) * V, x);
                }
        }
    }

private:
    // Lower triangle, and a little more, of a symmetric product.
    static void lower(Index n, Index terms, LaneMatrix a, LaneMatrix b, double* c) {
        constexpr Index strip = detail::lane_rows;
        for (Index i = 0; i < n; i += strip) {
            const Index rows = std::min(strip, n - i);
            multiply(rows, i + rows, terms, {a.at + i * a.row * V, a.row, a.col}, b, c + i * n * V,
                     n);
        }
    }
    void cut() {
        half_ = space_.take(widest_ * widest_ * V);
        scratch_ = space_.take(widest_ * widest_ * V);
    }

    int depth_;
    std::vector<Index> dims_, at_, offset_;
    Index size_ = 0, length_ = 0, unknowns_ = 0, widest_ = 1;
    double *half_ = nullptr, *scratch_ = nullptr;
    Workspace space_;
};

}  // namespace thalweg
