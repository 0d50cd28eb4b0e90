// Drift of the conserved matrices at the end of V starts, and its repair: as in _project.py.
//
// The symmetric S_j solve a semidefinite system by conjugate gradients, every lane with its own
// number of iterations; W_j <- (I + S_j)^{-1} W_j, W_{j+1} <- W_{j+1} (I + S_j) keeps the product.
// Every round squares the drift, so its system need not be solved better than that.
#pragma once

#include "lane_field.hpp"

namespace thalweg {

class LaneGauge {
public:
    explicit LaneGauge(const LaneField& field) : field_(field) {
        for (int l = 0, hidden = field.depth() - 1; l < hidden; ++l) {
            offset_.push_back(length_);
            length_ += field.dim(l + 1) * field.dim(l + 1) * V;
            widest_ = std::max(widest_, field.dim(l + 1));
        }
        for (int l = 0; l <= field.depth(); ++l) widest_ = std::max(widest_, field.dim(l));
        cut();
        space_.allocate();
        cut();
    }

    // Bound on the relative drift (theory 2.2) before and after the repair of y.
    void repair(const double* start, double* y, Vector& before, Vector& after) {
        matrices(start, conserved_);
        scales(start);
        Vector error = measure(y);
        before = after = error;
        if (length_ == 0) return;
        for (int round = 0; round < 4; ++round) {
            const Mask worth = error > enough;
            if (!any(worth)) break;
            solve(y, error, worth);
            std::memcpy(moved_, y, sizeof(double) * field_.length());
            move(moved_);
            const Vector now = measure(moved_);
            const Mask better = worth & (now < error);
            if (!any(better)) break;
            for (Index i = 0; i < field_.length(); i += V)
                store(y + i, select(better, load(moved_ + i), load(y + i)));
            error = measure(y);
        }
        after = error;
    }

private:
    static constexpr double enough = 1e-14;  // relative drift that is not repaired further

    int hidden() const { return static_cast<int>(offset_.size()); }
    Index width(int j) const { return field_.dim(j + 1); }

    // W_{j+1}^T W_{j+1} - W_j W_j^T, or the sum of the two
    template <Mode MODE = Mode::subtract>
    void matrices(const double* y, double* out) const {
        for (int j = 0; j < hidden(); ++j) {
            const LaneMatrix above = field_.weight(y, j + 1), below = field_.weight(y, j);
            const Index n = width(j);
            multiply(n, n, field_.dim(j + 2), above.transposed(), above, out + offset_[j], n);
            multiply<MODE>(n, n, field_.dim(j), below, below.transposed(), out + offset_[j], n);
        }
    }
    // Fills `error_`; returns the largest relative change of any C_j.
    Vector measure(const double* y) {
        matrices(y, error_);
        Vector largest{};
        for (int j = 0; j < hidden(); ++j) {
            Vector square{};
            for (Index i = offset_[j]; i < offset_[j] + width(j) * width(j) * V; i += V) {
                const Vector x = load(error_ + i) - load(conserved_ + i);
                store(error_ + i, x);
                square += x * x;
            }
            largest = larger(largest, root(square) / load(scale_ + j * V));
        }
        return largest;
    }
    // max(|W_j|^2, |W_{j+1}|^2) from below: squared Frobenius norms, divided by the rank.
    void scales(const double* start) {
        Vector last{};
        for (int l = 0; l < field_.depth(); ++l) {
            const double* w = field_.weight(start, l).at;
            const Index low = field_.dim(l), high = field_.dim(l + 1);
            Vector square{};
            for (Index i = 0; i < low * high * V; i += V) square += load(w + i) * load(w + i);
            square /= double(std::min(low, high));
            const Vector size = larger(square, last);
            if (l > 0) store(scale_ + (l - 1) * V, select(size > Vector{}, size, broadcast(1.0)));
            last = square;
        }
    }
    // K_j S_j + S_j K_j - 2 W_{j+1}^T S_{j+1} W_{j+1} - 2 W_j S_{j-1} W_j^T
    void apply(const double* y, const double* s, double* image) {
        for (int j = 0; j < hidden(); ++j) {
            const Index n = width(j);
            double *out = image + offset_[j], *half = series_;  // out = half + its transpose
            multiply(n, n, n, {sums_ + offset_[j], n, 1}, {s + offset_[j], n, 1}, half, n);
            for (int other : {j - 1, j + 1}) {
                if (other < 0 || other >= hidden()) continue;
                LaneMatrix w = field_.weight(y, std::max(j, other));
                if (other > j) w = w.transposed();
                const Index m = width(other);
                multiply(n, m, m, w, {s + offset_[other], m, 1}, scratch_, m);
                multiply<Mode::subtract>(n, n, m, {scratch_, m, 1}, w.transposed(), half, n);
            }
            for (Index i = 0; i < n; ++i)
                for (Index k = 0; k <= i; ++k) {
                    const Vector x = load(half + (i * n + k) * V) + load(half + (k * n + i) * V);
                    store(out + (i * n + k) * V, x);
                    store(out + (k * n + i) * V, x);
                }
        }
    }
    Vector dot(const double* a, const double* b) const {
        Vector out{};
        for (Index i = 0; i < length_; i += V) out += load(a + i) * load(b + i);
        return out;
    }
    // The diagonal of the system as preconditioner: K_ii + K_kk for entry (i, k).
    void find_pivots() {
        for (int j = 0; j < hidden(); ++j) {
            const double* sum = sums_ + offset_[j];
            for (Index i = 0, n = width(j), at = offset_[j]; i < n; ++i)
                for (Index k = 0; k < n; ++k, at += V) {
                    const Vector pivot =
                        load(sum + i * (n + 1) * V) + load(sum + k * (n + 1) * V);
                    store(pivots_ + at, select(pivot > Vector{}, 1 / pivot, Vector{}));
                }
        }
    }
    // Fills s_ from error_, so that the part `drift` of it is left.
    void solve(const double* y, Vector drift, Mask busy) {
        matrices<Mode::add>(y, sums_);
        find_pivots();
        Vector power{};
        for (Index i = 0; i < length_; i += V) {
            const Vector rest = -load(error_ + i), way = rest * load(pivots_ + i);
            store(s_ + i, Vector{});
            store(rest_ + i, rest);
            store(way_ + i, way);
            power += rest * way;
        }
        const Vector part = 0.1 * larger(smaller(drift, broadcast(1.0)), 0.1 * enough / drift);
        const Vector goal = part * part * power;
        busy &= power > Vector{};
        const Index most = 2 * length_ / V;
        for (Index count = 0; count < most && any(busy); ++count) {
            apply(y, way_, image_);
            const Vector curve = dot(way_, image_);
            busy &= curve > Vector{};
            const Vector step = select(busy, power / curve, Vector{});
            Vector now{};
            for (Index i = 0; i < length_; i += V) {
                const Vector rest = load(rest_ + i) - step * load(image_ + i);
                store(s_ + i, load(s_ + i) + step * load(way_ + i));
                store(rest_ + i, select(busy, rest, load(rest_ + i)));
                now += rest * rest * load(pivots_ + i);
            }
            const Vector grow = select(busy, now / power, Vector{});
            for (Index i = 0; i < length_; i += V)
                store(way_ + i, load(rest_ + i) * load(pivots_ + i) + grow * load(way_ + i));
            power = now;
            busy &= now > goal;
        }
    }
    void move(double* y) {
        for (int j = 0; j < hidden(); ++j) {
            const Index n = width(j), low = field_.dim(j), high = field_.dim(j + 2);
            const LaneMatrix s{s_ + offset_[j], n, 1};
            undo(n, low, s, field_.weight(y, j));
            double* above = field_.weight(y, j + 1);
            multiply(high, n, n, {above, n, 1}, s, scratch_, n);
            for (Index i = 0; i < high * n * V; i += V)
                store(above + i, load(above + i) + load(scratch_ + i));
        }
    }
    // W <- (I + S)^{-1} W by its series: S is as small as the drift. A lane is done where terms
    // are below rounding.
    void undo(Index rows, Index cols, LaneMatrix s, double* w) {
        const Index length = rows * cols * V;
        double *term = scratch_, *next = series_;
        std::memcpy(term, w, sizeof(double) * length);
        Mask busy = Vector{} == Vector{};
        for (int order = 1; order <= 16 && any(busy); ++order) {
            multiply(rows, cols, rows, s, {term, cols, 1}, next, cols);
            Vector size{}, whole{};
            for (Index i = 0; i < length; i += V) {
                const Vector x = -load(next + i), old = load(w + i);
                store(next + i, x);
                store(w + i, select(busy, old + x, old));
                size += x * x;
                whole += old * old;
            }
            busy &= size > 1e-34 * whole;
            std::swap(term, next);
        }
    }
    void cut() {
        for (auto** array : {&conserved_, &error_, &sums_, &s_, &rest_, &way_, &image_, &pivots_})
            *array = space_.take(length_);
        for (auto** array : {&scratch_, &series_}) *array = space_.take(widest_ * widest_ * V);
        moved_ = space_.take(field_.length());
        scale_ = space_.take(field_.depth() * V);
    }

    const LaneField& field_;
    std::vector<Index> offset_;
    Index length_ = 0, widest_ = 1;
    double *conserved_ = nullptr, *error_ = nullptr, *sums_ = nullptr, *s_ = nullptr;
    double *rest_ = nullptr, *way_ = nullptr, *image_ = nullptr, *pivots_ = nullptr;
    double *scratch_ = nullptr, *series_ = nullptr, *moved_ = nullptr, *scale_ = nullptr;
    Workspace space_;
};

}  // namespace thalweg
