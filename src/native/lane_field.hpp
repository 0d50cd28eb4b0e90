// The flow's vector field for V starts at once; notation as in field.hpp.
#pragma once

#include <algorithm>
#include <vector>

#include "lane_product.hpp"

namespace thalweg {

class LaneField {
public:
    LaneField(int depth, const std::int64_t* dims, const double* target, const double* metric)
        : depth_(depth), dims_(dims, dims + depth + 1), metric_(metric, metric + dims[0]),
          target_(target, target + dims[0] * dims[depth]) {
        for (int l = 0; l < depth_; ++l) {
            offset_.push_back(size_ * V);
            size_ += dims_[l + 1] * dims_[l];
        }
        double square = 0;
        for (double x : target_) square += x * x;
        target_norm_ = std::sqrt(square);
        cut();
        space_.allocate();
        cut();
        const Index rows = dims_[depth_];
        for (int l = 0; l + 1 < depth_; ++l) {
            const Index high = dims_[l + 1], low = dims_[l];
            const LaneMatrix back{nullptr, high, 1}, pull{nullptr, low, 1}, w{nullptr, low, 1};
            backward_.emplace_back(rows, low, high, back, w, low);
            outer_.emplace_back(high, low, rows, back.transposed(), pull, low);
            forward_.emplace_back(rows, high, low, pull, w.transposed(), high);
        }
    }

    int depth() const { return depth_; }
    Index dim(int l) const { return dims_[l]; }
    Index size() const { return size_; }          // unknowns
    Index length() const { return size_ * V; }    // doubles of V starts
    double target_norm() const { return target_norm_; }
    const std::vector<double>& metric() const { return metric_; }
    double largest_metric() const {
        return metric_.empty() ? 0.0 : *std::max_element(metric_.begin(), metric_.end());
    }
    LaneMatrix weight(const double* y, int l) const { return {y + offset_[l], dims_[l], 1}; }
    double* weight(double* y, int l) const { return y + offset_[l]; }

    // Loss of every lane at y; the negative gradient goes to `slope`.
    Vector rhs(const double* y, double* slope) { return evaluate<false>(y, slope); }

    // The same sums with every term made positive, from `sizes` = |y|: rounding in any entry of the
    // slope is some units of the last place of that entry here.
    void rounding(const double* sizes, double* out) { evaluate<true>(sizes, out); }

    // W_L ... W_1 at the argument of the last `rhs`; and at any y, leaving the former alone.
    const double* product(const double* y) const { return after(y, 0).at; }
    const double* multiplied(const double* y) {
        for (int l = depth_ - 2; l >= 0; --l)
            backward_[l](turned(y, l + 1).at, y + offset_[l], turned_[l]);
        return turned(y, 0).at;
    }

    // Hessian of the loss times v; the last call of `rhs` must have been at the same y.
    void hessian_product(const double* y, const double* v, double* image) {
        const int last = depth_ - 1;
        const Index rows = dims_[depth_];
        for (int l = last - 1; l >= 0; --l) {
            multiply(rows, dims_[l], dims_[l + 1], turned(v, l + 1), weight(y, l), turned_[l],
                     dims_[l]);
            multiply<Mode::add>(rows, dims_[l], dims_[l + 1], after(y, l + 1), weight(v, l),
                                turned_[l], dims_[l]);
        }
        const double* total = turned(v, 0).at;
        double* change = last == 0 ? image : change_[0];
        for (Index i = 0, k = 0; i < rows; ++i)
            for (Index j = 0; j < dims_[0]; ++j, ++k)
                store(change + k * V, load(total + k * V) * (metric_[j] * metric_[j]));
        for (int l = 0; l < last; ++l) {
            const Index high = dims_[l + 1], low = dims_[l];
            const LaneMatrix pull{signal_[l], low, 1}, moved{change, low, 1};
            double* out = image + offset_[l];
            multiply(high, low, rows, after(y, l + 1).transposed(), moved, out, low);
            multiply<Mode::subtract>(high, low, rows, turned(v, l + 1).transposed(), pull, out, low);
            double* next = l + 1 == last ? image + offset_[last] : change_[l + 1];
            multiply(rows, high, low, moved, weight(y, l).transposed(), next, high);
            multiply<Mode::subtract>(rows, high, low, pull, weight(v, l).transposed(), next, high);
            change = next;
        }
    }

private:
    template <bool SIZES>
    Vector evaluate(const double* y, double* slope) {
        const int last = depth_ - 1;
        const Index rows = dims_[depth_];
        for (int l = last - 1; l >= 0; --l)
            backward_[l](after(y, l + 1).at, y + offset_[l], after_[l]);
        const double* total = after(y, 0).at;
        double* signal = last == 0 ? slope : signal_[0];
        Vector square{};
        for (Index i = 0, k = 0; i < rows; ++i)
            for (Index j = 0; j < dims_[0]; ++j, ++k) {
                const Vector map = load(total + k * V) * metric_[j];
                const Vector error = SIZES ? std::fabs(target_[k]) + map : target_[k] - map;
                square += error * error;
                store(signal + k * V, error * metric_[j]);
            }
        for (int l = 0; l < last; ++l) {
            outer_[l](after(y, l + 1).at, signal, slope + offset_[l]);
            double* next = l + 1 == last ? slope + offset_[last] : signal_[l + 1];
            forward_[l](signal, y + offset_[l], next);
            signal = next;
        }
        return 0.5 * square;
    }

    LaneMatrix after(const double* y, int l) const {
        return {l == depth_ - 1 ? y + offset_[l] : after_[l], dims_[l], 1};
    }
    LaneMatrix turned(const double* v, int l) const {
        return {l == depth_ - 1 ? v + offset_[l] : turned_[l], dims_[l], 1};
    }
    void cut() {
        for (auto* arrays : {&after_, &signal_, &turned_, &change_}) {
            arrays->resize(depth_);
            for (int l = 0; l < depth_; ++l)
                (*arrays)[l] = space_.take(dims_[depth_] * dims_[l] * V);
        }
    }

    int depth_;
    std::vector<Index> dims_, offset_;
    std::vector<double> metric_, target_;
    Index size_ = 0;
    double target_norm_ = 0;
    std::vector<LaneProduct> backward_, outer_, forward_;  // R_l; R_{l+1}^T N_l; N_{l+1}
    std::vector<double*> after_, signal_, turned_, change_;
    Workspace space_;
};

}  // namespace thalweg
