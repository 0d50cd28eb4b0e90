// Systems (shift I + J^T J) x = b with the Gauss-Newton part of the Hessian.
//
// J maps weights to M = T - R_0 D, so with J = (R_{l+1} . A_l D)_l and A_l = W_{l-1} ... W_0,
//   (shift I + J^T J)^-1 = (I - J^T (shift I + J J^T)^-1 J) / shift,
//   J J^T = sum_l S_l x K_l,   S_l = R_{l+1} R_{l+1}^T,   K_l = (A_l D)^T A_l D.
// Only columns of M whose D is large are stiff; the others are left out of J.
#pragma once

#include "kronecker.hpp"

namespace thalweg {

class GaussNewton {
public:
    explicit GaussNewton(const Field& field)
        : field_(field), depth_(field.depth()), rows_(field.dim(depth_)),
          widest_(columns_that_fit(field)), system_(depth_, rows_, widest_) {
        cut();
        space_.allocate();
        cut();
    }

    // J at y.
    void linearize(const double* y) {
        const int last = depth_ - 1;
        const Index cols = field_.stride(0);
        const double* d = field_.metric();
        std::memcpy(weights_, y, sizeof(double) * field_.length());
        for (int l = last - 1; l > 0; --l)
            multiply(rows_, field_.dim(l), field_.dim(l + 1), after(l + 1), field_.stride(l + 1),
                     weights(l), field_.stride(l), after_[l], field_.stride(l));
        for (int l = 1; l <= last; ++l) {
            const Index high = field_.dim(l);
            if (l > 1)
                multiply(high, field_.dim(0), field_.dim(l - 1), weights(l - 1),
                         field_.stride(l - 1), before_[l - 1], cols, before_[l], cols);
            else
                for (Index i = 0; i < high; ++i)
                    for (Index j = 0; j < cols; j += V)
                        store(before_[1] + i * cols + j,
                              load(weights(0) + i * cols + j) * load(d + j));
        }
        for (int l = 0; l < last; ++l) {
            const Index ld = field_.stride(l + 1), side = system_.side();
            const double* r = after(l + 1);
            for (Index i = 0; i < rows_; ++i)
                for (Index j = 0; j <= i; ++j) {
                    const double s = dot(ld, r + i * ld, r + j * ld);
                    system_.outer(l)[i * side + j] = system_.outer(l)[j * side + i] = s;
                }
            share_[l] = l ? dot(field_.dim(l) * cols, before_[l], before_[l]) : dot(cols, d, d);
        }
        system_.turn(share_.data());
    }

    // Prepares `solve`. Stiff are the columns whose share of the spectral radius, as D_j^2 is, is
    // above a share of the shift. False if rounding is in the way.
    bool factorize(double shift, double radius) {
        const double* d = field_.metric();
        double top = 0;
        for (Index j = 0; j < field_.dim(0); ++j) top = d[j] * d[j] > top ? d[j] * d[j] : top;
        cols_ = 0;
        for (Index j = 0; j < widest_; ++j)
            if (radius * d[j] * d[j] > mild * shift * top) cols_ = j + 1;
        shift_ = shift;
        if (cols_ == 0) return true;
        width_ = padded(cols_);
        for (Index j = 0; j < width_; ++j) stiff_[j] = j < cols_ ? d[j] : 0;
        for (int l = 1; l < depth_; ++l)
            multiply_left_transposed(cols_, cols_, field_.dim(l), before_[l], field_.stride(0),
                                     before_[l], field_.stride(0), system_.inner(l), width_);
        return system_.factorize(cols_, stiff_, shift, radius);
    }

    // x = factor (shift I + J^T J)^-1 b
    void solve(const double* b, double factor, double* x) {
        const int last = depth_ - 1;
        const double scale = factor / shift_;
        for (Index i = 0; i < field_.length(); i += V) store(x + i, scale * load(b + i));
        if (cols_ == 0) return;
        const double* right = x + field_.offset(last);
        for (int l = last - 1; l >= 0; --l) {
            const Index cols = l ? field_.dim(l) : cols_, to = l ? field_.stride(l) : width_;
            double* next = l ? change_[l] : signal_;
            multiply(rows_, cols, field_.dim(l + 1), right, field_.stride(l + 1), weights(l),
                     field_.stride(l), next, to);
            multiply<Mode::add>(rows_, cols, field_.dim(l + 1), after(l + 1), field_.stride(l + 1),
                                x + field_.offset(l), field_.stride(l), next, to);
            right = next;
        }
        const Index from = last == 0 ? field_.stride(0) : width_;
        for (Index i = 0; i < rows_; ++i)
            for (Index j = 0; j < width_; j += V)
                store(signal_ + i * width_ + j, load(right + i * from + j) * load(stiff_ + j));
        system_.solve(signal_);
        for (Index i = 0; i < rows_; ++i)
            for (Index j = 0; j < width_; j += V)
                store(signal_ + i * width_ + j,
                      load(signal_ + i * width_ + j) * load(stiff_ + j));
        const double* signal = signal_;
        for (int l = 0; l <= last; ++l) {
            const Index cols = l ? field_.dim(l) : cols_, ld = l ? field_.stride(l) : width_;
            double* out = x + field_.offset(l);
            if (l == last) {
                for (Index i = 0; i < rows_; ++i)
                    for (Index j = 0; j < ld; j += V) {
                        double* target = out + i * field_.stride(l) + j;
                        store(target, load(target) - load(signal + i * ld + j));
                    }
                break;
            }
            multiply_left_transposed<Mode::subtract>(field_.dim(l + 1), cols, rows_, after(l + 1),
                                                     field_.stride(l + 1), signal, ld, out,
                                                     field_.stride(l));
            multiply_right_transposed(rows_, field_.dim(l + 1), cols, signal, ld, weights(l),
                                      field_.stride(l), change_[l + 1], field_.stride(l + 1));
            signal = change_[l + 1];
        }
    }

private:
    static constexpr double mild = 0.2;  // of the shift: curvature that needs no system

    // Columns of M that systems may be about: their inverses shall not outgrow the weights much.
    static Index columns_that_fit(const Field& field) {
        const Index rows = field.dim(field.depth()), most = 16 * field.length();
        Index cols = field.dim(0);
        while (cols > 1 && rows * cols * padded(cols) > (most > 262144 ? most : 262144)) --cols;
        return cols;
    }
    const double* weights(int l) const { return weights_ + field_.offset(l); }
    const double* after(int l) const { return l == depth_ - 1 ? weights(l) : after_[l]; }

    void cut() {
        const Index most = padded(widest_);
        weights_ = space_.take(field_.length());
        share_.resize(depth_);
        for (auto* arrays : {&after_, &before_, &change_}) arrays->resize(depth_);
        for (int l = 0; l < depth_; ++l) {
            after_[l] = space_.take(rows_ * field_.stride(l));
            before_[l] = l ? space_.take(field_.dim(l) * field_.stride(0)) : nullptr;
            change_[l] = space_.take(rows_ * field_.stride(l));
        }
        stiff_ = space_.take(most);
        signal_ = space_.take(rows_ * most);
    }

    const Field& field_;
    int depth_;
    Index rows_, widest_, cols_ = 0, width_ = 0;
    double shift_ = 0;
    KroneckerSum system_;
    std::vector<double> share_;
    std::vector<double*> after_, before_, change_;
    double *weights_ = nullptr, *stiff_ = nullptr, *signal_ = nullptr;
    Workspace space_;
};

}  // namespace thalweg
