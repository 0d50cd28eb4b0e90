// The conserved matrices of computed points put right, V points at a time: as in _project.py.
//
// Symmetric S_j solve a semidefinite system by conjugate gradients, every lane with its own number
// of iterations; W_j <- (I - S_j) W_j, W_{j+1} <- W_{j+1} (I - S_j)^{-1} keeps the product.
// Neighbouring points have similar systems, so that of one of them is the preconditioner of the
// others until that costs more iterations than a new one.
#pragma once

#include <optional>

#include "gauge_basis.hpp"
#include "gauge_factor.hpp"

namespace thalweg {

class Gauge {
public:
    // Rows of `conserved`: all C_j of the points, one after the other. `enough` is the error of any
    // C_j that may remain, in Frobenius norm.
    Gauge(int depth, const std::int64_t* dims, const double* conserved, double enough)
        : space_(depth, dims), enough_(enough) {
        if (space_.unknowns() <= few) factor_.emplace(space_);
        else basis_.emplace(space_);
        cut();
        memory_.allocate();
        cut();
        for (Index i = 0; i < space_.length(); i += V) store(given_ + i, broadcast(*conserved++));
        if (factor_) conserved_ = given_;
    }

    // Repairs `count` packed points, in place if `out` is `rows`; the largest errors of any C_j, and
    // what is good enough for each point, are written.
    void repair(Index count, const double* rows, double* out, double* before, double* after,
                double* good) {
        for (Index first = 0; first < count; first += V) {
            const Index live = std::min<Index>(V, count - first);
            gather(live, rows + first * space_.size());
            Vector then, now, goal;
            if (space_.hidden() > 0) repair_lanes(then, now, goal);
            else then = now = goal = Vector{};
            if (out != rows || any(now < then)) scatter(live, out + first * space_.size());
            for (Index k = 0; k < live; ++k)
                before[first + k] = then[k], after[first + k] = now[k], good[first + k] = goal[k];
        }
    }

private:
    static constexpr Index few = 160;  // unknowns up to which whole systems are factorized
    static constexpr int rounds = 4, most = 60;
    static constexpr double rounding = 2.5e-16;  // of the Gram matrices: no repair below
    static constexpr int patience = 2;           // iterations that a new preconditioner costs

    void repair_lanes(Vector& before, Vector& after, Vector& good) {
        if (basis_ && stale_) refresh_basis();
        Vector size, error = measure(y_, size);
        before = after = error;
        good = larger(broadcast(enough_), rounding * size);
        Mask busy = (error > good) & finite(error);
        if (!any(busy)) return;
        if (factor_ && stale_ && !factor_->refresh(framed_, sums_, V / 2)) return;
        if (stale_) excess_ = 0, usual_ = most;
        stale_ = false;
        for (int round = 0; round < rounds && any(busy); ++round) {
            const int count = solve(error, size, good, busy, round == 0);
            if (round == 0) {
                usual_ = std::min(usual_, count);
                excess_ += count - usual_;
                stale_ = excess_ > patience;
            }
            std::memcpy(moved_, y_, sizeof(double) * space_.size() * V);
            const Mask small = move(moved_);
            const Vector now = space_.measure(moved_, given_, sums_, error_, size);
            const Mask better = busy & small & (now < error);
            if (!any(better)) break;
            if (all(better)) std::swap(y_, moved_);
            else
                for (Index i = 0; i < space_.size() * V; i += V)
                    store(y_ + i, select(better, load(moved_ + i), load(y_ + i)));
            busy = better & (now < 0.5 * error) & (now > good);
            error = select(better, now, error);
            after = error;
            if (any(busy)) measure(y_, size);
        }
    }
    // Fills `sums_` and `error_`, in the present coordinates.
    Vector measure(const double* y, Vector& size) {
        if (!basis_) return space_.measure(framed_ = y, conserved_, sums_, error_, size);
        basis_->turn(y, turned_);
        return space_.measure(framed_ = turned_, conserved_, sums_, error_, size);
    }
    // From the last group, whose weights are in the present coordinates, or at first from this one.
    void refresh_basis() {
        basis_->refresh(framed_ ? turned_ : y_, V / 2);
        basis_->turn_hidden(given_, conserved_);
        warm_ = false;
    }
    // Fills `s_` from `error_`; returns the iterations.
    int solve(Vector error, Vector size, Vector good, Mask busy, bool warm) {
        if (basis_) basis_->prepare(framed_, sums_);
        // A round squares the error, so its system need not be solved better than that.
        const Vector part = smaller(broadcast(0.01), error / size);
        const Vector goal = larger(0.3 * good, part * error);
        const int count = iterate(goal * goal, busy, warm);
        if (warm) std::memcpy(last_, s_, sizeof(double) * space_.length());
        if (basis_) {
            basis_->turn_back(s_, rest_);
            std::swap(s_, rest_);
        }
        return count;
    }
    int iterate(Vector goal, Mask busy, bool warm) {
        const Index length = space_.length();
        if (warm && warm_) begin_from_last();
        else begin_from_zero();
        busy &= dot(rest_, rest_) > goal;
        warm_ = true;
        if (!any(busy)) return 0;
        precondition(rest_, way_);
        Vector power = dot(rest_, way_);
        int count = 0;
        busy &= power > Vector{};
        for (; count < most && any(busy); ++count) {
            space_.apply(framed_, sums_, way_, image_);
            const Vector curve = dot(way_, image_);
            busy &= curve > Vector{};
            const Vector step = select(busy, power / curve, Vector{});
            Vector square{};
            for (Index i = 0; i < length; i += V) {
                const Vector rest = load(rest_ + i) - step * load(image_ + i);
                store(s_ + i, load(s_ + i) + step * load(way_ + i));
                store(rest_ + i, rest);
                square += rest * rest;
            }
            busy &= square > goal;
            if (!any(busy)) break;
            precondition(rest_, image_);
            const Vector now = dot(rest_, image_);
            const Vector grow = select(busy, now / power, Vector{});
            for (Index i = 0; i < length; i += V)
                store(way_ + i, load(image_ + i) + grow * load(way_ + i));
            power = select(busy, now, power);
        }
        return count;
    }
    void begin_from_zero() {
        for (Index i = 0; i < space_.length(); i += V) {
            store(s_ + i, Vector{});
            store(rest_ + i, -load(error_ + i));
        }
    }
    // The solution of the last point before is a good guess where the residual says so.
    void begin_from_last() {
        for (Index i = 0; i < space_.length(); i += V)
            store(s_ + i, broadcast(last_[i + V - 1]));
        space_.apply(framed_, sums_, s_, image_);
        Vector guess{}, none{};
        for (Index i = 0; i < space_.length(); i += V) {
            const Vector e = load(error_ + i), rest = -e - load(image_ + i);
            guess += rest * rest;
            none += e * e;
            store(rest_ + i, rest);
        }
        const Mask use = guess < none;
        for (Index i = 0; i < space_.length(); i += V) {
            store(s_ + i, select(use, load(s_ + i), Vector{}));
            store(rest_ + i, select(use, load(rest_ + i), -load(error_ + i)));
        }
    }
    void precondition(const double* rest, double* out) {
        if (factor_) factor_->apply(rest, out);
        else basis_->apply(rest, out);
    }
    Vector dot(const double* a, const double* b) const {
        Vector one{}, two{};
        Index i = 0;
        for (; i + 2 * V <= space_.length(); i += 2 * V) {
            one += load(a + i) * load(b + i);
            two += load(a + i + V) * load(b + i + V);
        }
        if (i < space_.length()) one += load(a + i) * load(b + i);
        return one + two;
    }
    // As corrections, so that only the last addition rounds; says where S is small enough for that.
    Mask move(double* y) {
        Mask small = Vector{} == Vector{};
        for (int j = 0; j < space_.hidden(); ++j) {
            const Index n = space_.width(j), low = space_.dim(j), high = space_.dim(j + 2);
            double *s = s_ + space_.offset(j), *below = space_.weight(y, j);
            Vector square{};
            for (Index i = 0; i < n * n * V; i += V) square += load(s + i) * load(s + i);
            small &= square < broadcast(0.01);
            const LaneMatrix own{s, n, 1};
            multiply(n, low, n, own, {below, low, 1}, image_, low);
            for (Index i = 0; i < n * low * V; i += V)
                store(below + i, load(below + i) - load(image_ + i));
            double* above = space_.weight(y, j + 1);
            multiply(high, n, n, {above, n, 1}, inverse(own, square), image_, n);
            for (Index i = 0; i < high * n * V; i += V)
                store(above + i, load(above + i) + load(image_ + i));
        }
        return small;
    }
    // (I - S)^{-1} - I = S + S^2 + ..., up to rounding.
    LaneMatrix inverse(LaneMatrix s, Vector square) {
        const Index n = s.row;
        double most = 0, term;
        for (int k = 0; k < V; ++k) most = square[k] < 0.01 && square[k] > most ? square[k] : most;
        term = most;
        if (!(most > 1e-17)) return s;
        double *sum = way_, *next = rest_;
        std::memcpy(sum, s.at, sizeof(double) * n * n * V);
        for (; term > 1e-17; term *= std::sqrt(most)) {
            std::memcpy(next, s.at, sizeof(double) * n * n * V);
            multiply<Mode::add>(n, n, n, s, {sum, n, 1}, next, n);
            std::swap(sum, next);
        }
        return {sum, n, 1};
    }
    // Lanes beyond the last point repeat it.
    void gather(Index live, const double* rows) {
        const Index size = space_.size();
        Index i = 0;
        for (; i + V <= size; i += V) {
            Vector square[V];
            for (Index k = 0; k < V; ++k)
                square[k] = load_loose(rows + std::min(k, live - 1) * size + i);
            detail::transpose_registers(square);
            for (Index k = 0; k < V; ++k) store(y_ + (i + k) * V, square[k]);
        }
        for (; i < size; ++i)
            for (Index k = 0; k < V; ++k) y_[i * V + k] = rows[std::min(k, live - 1) * size + i];
    }
    void scatter(Index live, double* rows) const {
        const Index size = space_.size();
        Index i = 0;
        for (; i + V <= size; i += V) {
            Vector square[V];
            for (Index k = 0; k < V; ++k) square[k] = load(y_ + (i + k) * V);
            detail::transpose_registers(square);
            for (Index k = 0; k < live; ++k) store_loose(rows + k * size + i, square[k]);
        }
        for (; i < size; ++i)
            for (Index k = 0; k < live; ++k) rows[k * size + i] = y_[i * V + k];
    }
    void cut() {
        const Index longest = std::max(space_.length(), space_.widest() * space_.widest() * V);
        for (auto** array : {&given_, &conserved_, &sums_, &error_, &s_, &rest_, &way_, &image_,
                              &last_})
            *array = memory_.take(longest);
        for (auto** array : {&y_, &moved_, &turned_}) *array = memory_.take(space_.size() * V);
    }

    GaugeSpace space_;
    double enough_;
    std::optional<GaugeFactor> factor_;
    std::optional<GaugeBasis> basis_;
    bool stale_ = true, warm_ = false;
    int excess_ = 0, usual_ = most;
    const double* framed_ = nullptr;
    double *given_ = nullptr, *conserved_ = nullptr, *sums_ = nullptr, *error_ = nullptr;
    double *s_ = nullptr, *rest_ = nullptr, *way_ = nullptr, *image_ = nullptr;
    double* last_ = nullptr;  // S_j of the last group, in the present coordinates
    double *y_ = nullptr, *moved_ = nullptr, *turned_ = nullptr;
    Workspace memory_;
};

}  // namespace thalweg
