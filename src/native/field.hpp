// The flow's vector field, loss and Hessian on weights with padded rows.
//
// Notation: W_l is d_{l+1} x d_l for l = 0..L-1; R_l = W_{L-1} ... W_l is d_y x d_l;
// M = T - R_0 D; N_0 = M D, N_{l+1} = N_l W_l^T; dW_l/dt = R_{l+1}^T N_l.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "cholesky.hpp"

namespace thalweg {

class Field {
public:
    Field(int depth, const std::int64_t* dims, const double* target, const double* metric)
        : depth_(depth), dims_(dims, dims + depth + 1) {
        for (int l = 0; l <= depth_; ++l) stride_.push_back(padded(dims_[l]));
        for (int l = 0; l < depth_; ++l) {
            offset_.push_back(length_);
            length_ += dims_[l + 1] * stride_[l];
            size_ += dims_[l + 1] * dims_[l];
        }
        cut();
        space_.allocate();
        cut();
        const Index rows = outputs();
        for (Index j = 0; j < dims_[0]; ++j) metric_[j] = metric[j];
        double square = 0;
        for (Index i = 0; i < rows; ++i)
            for (Index j = 0; j < dims_[0]; ++j) {
                const double x = target[i * dims_[0] + j];
                target_[i * stride_[0] + j] = x;
                square += x * x;
            }
        target_norm_ = __builtin_sqrt(square);
    }

    Index size() const { return size_; }      // unknowns
    Index length() const { return length_; }  // doubles with padding
    double target_norm() const { return target_norm_; }
    int depth() const { return depth_; }
    Index dim(int l) const { return dims_[l]; }
    Index stride(int l) const { return stride_[l]; }
    Index offset(int l) const { return offset_[l]; }
    const double* metric() const { return metric_; }
    const double* target() const { return target_; }  // rows of stride(0)

    // Size that single weights reach, at most one.
    double reach() const {
        double least = metric_[0];
        for (Index j = 1; j < dims_[0]; ++j) least = metric_[j] < least ? metric_[j] : least;
        const double grown = least > 0 ? std::pow(target_norm_ / least, 1.0 / depth_) : 0;
        return std::min(grown / std::sqrt(double(size_)), 1.0);
    }

    // From rows side by side to padded rows, and back.
    void unpack(const double* packed, double* y) const {
        for (int l = 0; l < depth_; ++l)
            for (Index i = 0; i < dims_[l + 1]; ++i, packed += dims_[l])
                std::memcpy(y + offset_[l] + i * stride_[l], packed, sizeof(double) * dims_[l]);
    }
    void pack(const double* y, double* packed) const {
        for (int l = 0; l < depth_; ++l)
            for (Index i = 0; i < dims_[l + 1]; ++i, packed += dims_[l])
                std::memcpy(packed, y + offset_[l] + i * stride_[l], sizeof(double) * dims_[l]);
    }

    // Loss at y; its negative gradient goes to `slope`.
    double rhs(const double* y, double* slope) {
        const int last = depth_ - 1;
        const Index rows = outputs();
        const double* right = y + offset_[last];
        for (int l = last - 1; l >= 0; --l) {
            multiply(rows, dims_[l], dims_[l + 1], right, stride_[l + 1], y + offset_[l],
                     stride_[l], after_[l], stride_[l]);
            right = after_[l];
        }
        double* signal = last == 0 ? slope : signal_[0];
        Vector square{};
        for (Index i = 0; i < rows; ++i)
            for (Index j = i * stride_[0], k = 0; k < stride_[0]; j += V, k += V) {
                const Vector d = load(metric_ + k);
                const Vector error = load(target_ + j) - load(right + j) * d;
                square += error * error;
                store(signal + j, error * d);
            }
        for (int l = 0; l < last; ++l) {
            multiply_left_transposed(dims_[l + 1], dims_[l], rows, after(y, l + 1), stride_[l + 1],
                                     signal, stride_[l], slope + offset_[l], stride_[l]);
            double* next = l + 1 == last ? slope + offset_[last] : signal_[l + 1];
            multiply_right_transposed(rows, dims_[l + 1], dims_[l], signal, stride_[l],
                                      y + offset_[l], stride_[l], next, stride_[l + 1]);
            signal = next;
        }
        return 0.5 * sum(square);
    }

    // Upper bound of the way that the flow still goes from y, infinite where none is known (theory
    // 3.3, with the constants at y). While the way is so short that R_1 keeps most of its least
    // singular value, |gradient|^2 >= kappa |M|^2 with kappa = sigma_min(R_1)^2 sigma_min(D)^2 / 2.
    double path_left(const double* y, double* slope) {
        const double unit = 16 * 2.3e-16 * target_norm_;  // rounding of M
        const double error = __builtin_sqrt(2 * rhs(y, slope)) + unit;
        double least = metric_[0], reach = 0;
        for (Index j = 1; j < dims_[0]; ++j) least = metric_[j] < least ? metric_[j] : least;
        const double above = least_above(y);  // lower bound of sigma_min(R_1)^2
        if (!(above > 0 && least > 0)) return __builtin_inf();
        const double path = error / (__builtin_sqrt(0.5 * above) * least);
        // R_1 moves by at most the path times sqrt(L - 1) max_l prod_{m != l} (|W_m| + path)
        for (int l = 1; l < depth_; ++l) {
            double others = 1;
            for (int m = 1; m < depth_; ++m)
                if (m != l)
                    others *= path + norm(dims_[m + 1] * stride_[m], y + offset_[m]);
            reach = others > reach ? others : reach;
        }
        const double moved = path * __builtin_sqrt(depth_ - 1.0) * reach;
        return moved <= 0.29 * __builtin_sqrt(above) ? path : __builtin_inf();
    }

    // Hessian of the loss at y times v; the last call of `rhs` must have been at the same y.
    void hessian_product(const double* y, const double* v, double* image) {
        const int last = depth_ - 1;
        const Index rows = outputs();
        const double* right = v + offset_[last];
        for (int l = last - 1; l >= 0; --l) {
            multiply(rows, dims_[l], dims_[l + 1], right, stride_[l + 1], y + offset_[l],
                     stride_[l], after_change_[l], stride_[l]);
            multiply<Mode::add>(rows, dims_[l], dims_[l + 1], after(y, l + 1), stride_[l + 1],
                                v + offset_[l], stride_[l], after_change_[l], stride_[l]);
            right = after_change_[l];
        }
        double* change = last == 0 ? image : signal_change_[0];
        for (Index i = 0; i < rows; ++i)
            for (Index j = i * stride_[0], k = 0; k < stride_[0]; j += V, k += V) {
                const Vector d = load(metric_ + k);
                store(change + j, load(right + j) * d * d);
            }
        for (int l = 0; l < last; ++l) {
            const Index high = dims_[l + 1], low = dims_[l];
            const double* turned = l + 1 == last ? v + offset_[last] : after_change_[l + 1];
            double* out = image + offset_[l];
            multiply_left_transposed(high, low, rows, after(y, l + 1), stride_[l + 1], change,
                                     stride_[l], out, stride_[l]);
            multiply_left_transposed<Mode::subtract>(high, low, rows, turned, stride_[l + 1],
                                                     signal_[l], stride_[l], out, stride_[l]);
            double* next = l + 1 == last ? image + offset_[last] : signal_change_[l + 1];
            // next = change W^T - signal V^T; the second comes first, its sign is turned
            multiply_right_transposed(rows, high, low, signal_[l], stride_[l], v + offset_[l],
                                      stride_[l], next, stride_[l + 1]);
            for (Index j = 0; j < rows * stride_[l + 1]; j += V) store(next + j, -load(next + j));
            multiply_right_transposed<Mode::add>(rows, high, low, change, stride_[l],
                                                 y + offset_[l], stride_[l], next, stride_[l + 1]);
            change = next;
        }
    }

private:
    Index outputs() const { return dims_[depth_]; }
    const double* after(const double* y, int l) const {
        return l == depth_ - 1 ? y + offset_[l] : after_[l];
    }
    // Lower bound of the least eigenvalue of R_1 R_1^T, 1 / trace of the inverse; 0 if singular.
    // The last call of `rhs` must have been at the same y.
    double least_above(const double* y) const {
        if (depth_ == 1) return 1;
        const Index rows = outputs(), side = padded(rows);
        if (rows > dims_[1]) return 0;
        const double* above = after(y, 1);
        Workspace space;
        double* gram = nullptr;
        double* inverse = nullptr;
        double* column = nullptr;
        for (int pass = 0; pass < 2; ++pass) {
            gram = space.take(rows * side);
            inverse = space.take(side);
            column = space.take(side);
            if (pass == 0) space.allocate();
        }
        double total = 0, trace = 0;
        for (Index i = 0; i < rows; ++i) {
            for (Index j = 0; j < rows; ++j)
                gram[i * side + j] = dot(stride_[1], above + i * stride_[1], above + j * stride_[1]);
            total += gram[i * side + i];
        }
        if (!factorize(rows, gram, side, inverse)) return 0;
        for (Index i = 0; i < rows; ++i) {
            for (Index j = 0; j < side; ++j) column[j] = 0;
            column[i] = 1;
            solve(rows, gram, side, inverse, column);
            trace += column[i];
        }
        return trace * total < 1e10 ? 1 / trace : 0;
    }
    void cut() {
        target_ = space_.take(outputs() * stride_[0]);
        metric_ = space_.take(stride_[0]);
        for (auto* arrays : {&after_, &signal_, &after_change_, &signal_change_}) {
            arrays->resize(depth_);
            for (int l = 0; l < depth_; ++l) (*arrays)[l] = space_.take(outputs() * stride_[l]);
        }
    }

    int depth_;
    std::vector<Index> dims_, stride_, offset_;
    Index size_ = 0, length_ = 0;
    double target_norm_ = 0;
    double *target_ = nullptr, *metric_ = nullptr;
    std::vector<double*> after_, signal_, after_change_, signal_change_;
    Workspace space_;
};

}  // namespace thalweg
