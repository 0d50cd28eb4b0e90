// Preconditioner for many unknowns: hidden coordinates in which the K_j of a point near by are
// nearly diagonal. There every entry (i, k) of the S_j is coupled with itself in the next layer
// only: a tridiagonal system for each.
#pragma once

#include "gauge_space.hpp"
#include "vectors.hpp"

namespace thalweg {

class GaugeBasis {
public:
    explicit GaugeBasis(const GaugeSpace& space) : space_(space) {
        for (int j = 0; j < space.hidden(); ++j)
            longest_ = std::max(longest_, padded(space.dim(j)) + padded(space.dim(j + 2)));
        cut();
        memory_.allocate();
        cut();
        for (int j = 0; j < space.hidden(); ++j)
            for (Index i = 0, n = space.width(j); i < n; ++i)
                basis_[j][i * padded(n) + i] = 1;
        spread();
    }

    // Turns the coordinates further, from the weights of one lane in the present ones: rotations
    // of the rows of (W_j, W_{j+1}^T), whose Gram matrix is K_j, until they are nearly orthogonal.
    void refresh(const double* y, int lane) {
        for (int j = 0; j < space_.hidden(); ++j) {
            const Index n = space_.width(j), low = space_.dim(j), high = space_.dim(j + 2);
            const Index first = padded(low);
            std::fill(rows_, rows_ + n * longest_, 0.0);
            const double* below = space_.weight(y, j).at + lane;
            const double* above = space_.weight(y, j + 1).at + lane;
            for (Index i = 0; i < n; ++i) {
                for (Index k = 0; k < low; ++k) rows_[i * longest_ + k] = below[(i * low + k) * V];
                for (Index k = 0; k < high; ++k)
                    rows_[i * longest_ + first + k] = above[(k * n + i) * V];
            }
            rotate(n, basis_[j]);
        }
        spread();
    }

    // Q_{j+1} W_j Q_j^T, the weights in these coordinates.
    void turn(const double* y, double* out) {
        for (int l = 0; l < space_.depth(); ++l) {
            const Index low = space_.dim(l), high = space_.dim(l + 1);
            LaneMatrix w = space_.weight(y, l);
            double* to = space_.weight(out, l);
            if (l + 1 < space_.depth()) {
                double* half = l > 0 ? scratch_ : to;
                multiply(high, low, high, {spread_[l], high, 1}, w, half, low);
                w = {half, low, 1};
            }
            if (l > 0) multiply(high, low, low, w, LaneMatrix{spread_[l - 1], low, 1}.transposed(), to, low);
        }
    }
    // Q C Q^T of all hidden layers, and Q^T S Q.
    void turn_hidden(const double* in, double* out) { conjugate<false>(in, out); }
    void turn_back(const double* in, double* out) { conjugate<true>(in, out); }

    // Factorizes the tridiagonal systems of all lanes.
    void prepare(const double* y, const double* sums) {
        for (int j = 0; j < space_.hidden(); ++j) {
            const Index n = space_.width(j), before = j > 0 ? space_.width(j - 1) : 0;
            const double* k = sums + space_.offset(j);
            const double* w = space_.weight(y, j).at;
            for (Index i = 0; i < n; ++i)
                for (Index m = 0; m <= i; ++m) {
                    const Index at = space_.offset(j) + (i * n + m) * V;
                    const Vector whole = load(k + i * (n + 1) * V) + load(k + m * (n + 1) * V);
                    Vector pivot = whole, factor{};
                    if (i < before) {
                        const auto entry = [&](Index a, Index b) { return load(w + (a * before + b) * V); };
                        Vector link = entry(i, i) * entry(m, m) + entry(i, m) * entry(m, i);
                        link *= i == m ? -1.0 : -2.0;
                        factor = link * load(pivots_ + space_.offset(j - 1) + (i * before + m) * V);
                        pivot -= factor * link;
                    }
                    store(factors_ + at, factor);
                    store(pivots_ + at, select(pivot > 1e-12 * whole, 1 / pivot, Vector{}));
                }
        }
    }
    void apply(const double* rest, double* out) const {
        const int hidden = space_.hidden();
        for (int j = 0; j < hidden; ++j) {
            const Index n = space_.width(j), before = j > 0 ? space_.width(j - 1) : 0;
            const Index own = space_.offset(j);
            for (Index i = 0; i < n; ++i)
                for (Index m = 0; m <= i; ++m) {
                    const Index at = own + (i * n + m) * V;
                    Vector x = load(rest + at);
                    if (i < before)
                        x -= load(factors_ + at) *
                             load(out + space_.offset(j - 1) + (i * before + m) * V);
                    store(out + at, x);
                }
        }
        for (int j = hidden - 1; j >= 0; --j) {
            const Index n = space_.width(j), after = j + 1 < hidden ? space_.width(j + 1) : 0;
            const Index own = space_.offset(j);
            for (Index i = 0; i < n; ++i)
                for (Index m = 0; m <= i; ++m) {
                    const Index at = own + (i * n + m) * V;
                    Vector x = load(out + at) * load(pivots_ + at);
                    if (i < after) {
                        const Index next = space_.offset(j + 1) + (i * after + m) * V;
                        x -= load(factors_ + next) * load(out + next);
                    }
                    store(out + at, x);
                    store(out + own + (m * n + i) * V, x);
                }
        }
    }

private:
    static constexpr double nearly = 0.02;  // cosine between rows that may remain
    static constexpr int sweeps = 12;

    template <bool BACK>
    void conjugate(const double* in, double* out) {
        for (int j = 0; j < space_.hidden(); ++j) {
            const Index n = space_.width(j);
            const LaneMatrix q{spread_[j], n, 1}, left = BACK ? q.transposed() : q;
            multiply(n, n, n, left, space_.block(in, j), scratch_, n);
            multiply(n, n, n, {scratch_, n, 1}, left.transposed(), out + space_.offset(j), n);
        }
    }
    void rotate(Index n, double* basis) {
        const Index side = padded(n);
        for (Index i = 0; i < n; ++i) squares_[i] = square(i);
        for (int sweep = 0; sweep < sweeps; ++sweep) {
            bool done = true;
            for (Index i = 0; i < n; ++i)
                for (Index k = i + 1; k < n; ++k) {
                    double *a = rows_ + i * longest_, *b = rows_ + k * longest_;
                    const double x = dot(longest_, a, b), size = squares_[i] * squares_[k];
                    if (!(x * x > nearly * nearly * size)) continue;
                    done = false;
                    const double ratio = (squares_[k] - squares_[i]) / (2 * x);
                    const double sign = ratio < 0 ? -1.0 : 1.0;
                    const double tangent = sign / (std::fabs(ratio) + std::hypot(1.0, ratio));
                    const double c = 1 / std::sqrt(1 + tangent * tangent), s = c * tangent;
                    mix(longest_, c, s, a, b);
                    mix(side, c, s, basis + i * side, basis + k * side);
                    squares_[i] = square(i);
                    squares_[k] = square(k);
                }
            if (done) break;
        }
        for (Index i = 0; i < n; ++i) {  // in order of size, which pairs the layers
            Index top = i;
            for (Index k = i + 1; k < n; ++k)
                if (squares_[k] > squares_[top]) top = k;
            if (top == i) continue;
            std::swap(squares_[i], squares_[top]);
            std::swap_ranges(basis + i * side, basis + (i + 1) * side, basis + top * side);
        }
    }
    double square(Index i) const {
        return dot(longest_, rows_ + i * longest_, rows_ + i * longest_);
    }
    static void mix(Index length, double c, double s, double* a, double* b) {
        for (Index k = 0; k < length; k += V) {
            const Vector x = load(a + k), y = load(b + k);
            store(a + k, c * x - s * y);
            store(b + k, s * x + c * y);
        }
    }
    void spread() {
        for (int j = 0; j < space_.hidden(); ++j)
            for (Index i = 0, n = space_.width(j); i < n; ++i)
                for (Index k = 0; k < n; ++k)
                    store(spread_[j] + (i * n + k) * V, broadcast(basis_[j][i * padded(n) + k]));
    }
    void cut() {
        const Index widest = space_.widest();
        basis_.resize(space_.hidden());
        spread_.resize(space_.hidden());
        for (int j = 0; j < space_.hidden(); ++j) {
            const Index n = space_.width(j);
            basis_[j] = memory_.take(n * padded(n));
            spread_[j] = memory_.take(n * n * V);
        }
        rows_ = memory_.take(widest * longest_);
        squares_ = memory_.take(widest);
        scratch_ = memory_.take(widest * widest * V);
        pivots_ = memory_.take(space_.length());
        factors_ = memory_.take(space_.length());
    }

    const GaugeSpace& space_;
    Index longest_ = 0;
    std::vector<double*> basis_, spread_;  // rows are the new coordinates; the same in all lanes
    double *rows_ = nullptr, *squares_ = nullptr, *scratch_ = nullptr;
    double *pivots_ = nullptr, *factors_ = nullptr;
    Workspace memory_;
};

}  // namespace thalweg
