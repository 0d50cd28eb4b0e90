// Systems (shift I + sum_l S_l x K_l) z = b with symmetric S_l of order `rows` and K_l of order
// `cols`, where K_0 is diagonal and the last S_l is the identity; z is a matrix of rows x cols.
//
// Where they are small they are inverted as a whole. Otherwise z is turned by U, which
// diagonalizes a weighted sum of the S_l, and solved for row by row. That is exact for two terms,
// where the S_l commute; for more it is the preconditioner of a few conjugate gradients.
#pragma once

#include "field.hpp"
#include "vectors.hpp"

namespace thalweg {

// Inverse of a positive definite matrix in place (Gauss-Jordan).
inline bool invert_plain(Index n, double* a, Index lda) {
    for (Index p = 0; p < n; ++p) {
        double* pivot = a + p * lda;
        const double inverse = 1.0 / pivot[p];
        if (!(inverse > 0) || !std::isfinite(inverse)) return false;
        pivot[p] = 1;
        for (Index j = 0; j < lda; j += V) store(pivot + j, inverse * load(pivot + j));
        for (Index i = 0; i < n; ++i) {
            double* row = a + i * lda;
            const double factor = row[p];
            if (i == p || factor == 0) continue;
            row[p] = 0;
            add(lda, -factor, pivot, row);
        }
    }
    return true;
}

// The same by blocks of eight pivots; `space` holds 8 (lda + n + 8) doubles.
inline bool invert(Index n, double* a, Index lda, double* space) {
    constexpr Index side = 8;
    double *pivots = space, *strip = space + side * side, *column = strip + side * lda;
    for (Index k = 0; k < n; k += side) {
        const Index count = n - k < side ? n - k : side, end = k + count;
        for (Index i = 0; i < side * side; ++i) pivots[i] = 0;
        for (Index i = 0; i < count; ++i)
            for (Index j = 0; j < count; ++j) pivots[i * side + j] = a[(k + i) * lda + k + j];
        if (!invert_plain(count, pivots, side)) return false;
        multiply(count, lda, count, pivots, side, a + k * lda, lda, strip, lda);
        for (Index i = 0; i < n; ++i)
            for (Index j = 0; j < count; ++j) {
                column[i * side + j] = a[i * lda + k + j];
                a[i * lda + k + j] = 0;
            }
        for (Index i = 0; i < count; ++i)
            for (Index j = 0; j < count; ++j) strip[i * lda + k + j] = pivots[i * side + j];
        multiply<Mode::subtract>(k, lda, count, column, side, strip, lda, a, lda);
        multiply<Mode::subtract>(n - end, lda, count, column + end * side, side, strip, lda,
                                 a + end * lda, lda);
        std::memcpy(a + k * lda, strip, sizeof(double) * count * lda);
    }
    return true;
}

// Rows of `basis` become eigenvectors of the symmetric `a`, which is overwritten: rotations that
// make the rows of `a` orthogonal (one-sided Jacobi).
inline void diagonalize(Index n, double* a, double* basis, Index ld) {
    for (Index i = 0; i < n; ++i)
        for (Index j = 0; j < ld; ++j) basis[i * ld + j] = i == j;
    for (int sweep = 0; sweep < 12; ++sweep) {
        bool still = true;
        for (Index p = 0; p < n; ++p)
            for (Index q = p + 1; q < n; ++q) {
                double *x = a + p * ld, *y = a + q * ld;
                const double xx = dot(ld, x, x), yy = dot(ld, y, y), xy = dot(ld, x, y);
                if (!(std::fabs(xy) > 1e-12 * std::sqrt(xx * yy))) continue;
                still = false;
                const double zeta = (yy - xx) / (2 * xy);
                const double t = std::copysign(1.0, zeta) /
                                 (std::fabs(zeta) + std::sqrt(1 + zeta * zeta));
                const double c = 1 / std::sqrt(1 + t * t), s = c * t;
                for (double* rows : {a, basis})
                    for (Index j = 0; j < ld; j += V) {
                        const Vector u = load(rows + p * ld + j), v = load(rows + q * ld + j);
                        store(rows + p * ld + j, c * u - s * v);
                        store(rows + q * ld + j, s * u + c * v);
                    }
            }
        if (still) break;
    }
}

class KroneckerSum {
public:
    KroneckerSum(int terms, Index rows, Index widest)
        : terms_(terms), rows_(rows), widest_(widest), side_(padded(rows)) {
        cut();
        space_.allocate();
        cut();
    }

    Index side() const { return side_; }
    double* outer(int l) { return outer_[l]; }  // S_l, rows of `side`; the last is not stored
    double* inner(int l) { return inner_[l]; }  // K_l for l > 0, rows of padded(cols)

    // After a change of the S_l: the basis, with the weights of the terms.
    void turn(const double* weights) {
        if (terms_ == 1) return;
        for (Index i = 0; i < rows_ * side_; ++i) total_[i] = 0;
        for (int l = 0; l < terms_ - 1; ++l) add(rows_ * side_, weights[l], outer_[l], total_);
        diagonalize(rows_, total_, basis_, side_);
        transpose(rows_, rows_, basis_, side_, turned_, side_);
    }

    // K_0 is the square of `metric`; `radius` is about the largest eigenvalue of the sum without
    // the shift. False if rounding is in the way.
    bool factorize(Index cols, const double* metric, double shift, double radius) {
        cols_ = cols, width_ = padded(cols), shift_ = shift;
        // An error here comes back enlarged by radius / shift (gauss_newton.hpp).
        enough_ = std::min(loosest, margin * shift / radius);
        for (Index j = 0; j < width_; ++j) square_[j] = j < cols ? metric[j] * metric[j] : 0;
        for (int l = 1; l < terms_; ++l)
            for (Index i = 0; i < cols; ++i)
                for (Index j = cols; j < width_; ++j) inner_[l][i * width_ + j] = 0;
        whole_ = terms_ > 2 && rows_ * width_ <= small;
        return whole_ ? invert_whole() : invert_rows();
    }

    // z <- solution for z, whose rows are padded(cols) long and whose padding is zero.
    void solve(double* z) {
        const Index size = rows_ * width_;
        if (whole_) {
            std::memcpy(other_, z, sizeof(double) * size);
            multiply(1, size, size, other_, size, inverse_, size, z, size);
        } else if (terms_ <= 2) {
            precondition(z, z);
        } else {
            conjugate_gradients(z);
        }
    }

private:
    static constexpr Index small = 64;  // order up to which the sum is inverted as a whole
    static constexpr double loosest = 0.003, margin = 0.3;  // of the first residual
    static constexpr int most_turns = 200;

    bool invert_whole() {
        const Index order = rows_ * width_;
        for (Index i = 0; i < rows_; ++i)
            for (Index a = 0; a < cols_; ++a) {
                double* row = inverse_ + (i * width_ + a) * order;
                for (Index j = 0; j < rows_; ++j, row += width_) {
                    for (Index b = 0; b < width_; b += V) {
                        Vector total{};
                        for (int l = 1; l < terms_; ++l) {
                            const double s =
                                l == terms_ - 1 ? double(i == j) : outer_[l][i * side_ + j];
                            total += s * load(inner_[l] + a * width_ + b);
                        }
                        store(row + b, total);
                    }
                    row[a] += outer_[0][i * side_ + j] * square_[a];
                    if (i == j) row[a] += shift_;
                }
            }
        for (Index i = 0; i < rows_; ++i)
            for (Index a = cols_; a < width_; ++a) {  // padding: apart from the rest
                double* row = inverse_ + (i * width_ + a) * order;
                for (Index j = 0; j < order; ++j) row[j] = j == i * width_ + a;
            }
        return invert(order, inverse_, order, space_of_inverse_);
    }

    bool invert_rows() {
        for (Index i = 0; i < rows_; ++i) {
            double* block = inverse_ + i * cols_ * width_;
            for (Index j = 0; j < cols_ * width_; ++j) block[j] = 0;
            for (int l = 0; l < terms_; ++l) {
                double share = l == terms_ - 1;
                if (l < terms_ - 1) {
                    multiply(1, rows_, rows_, basis_ + i * side_, side_, outer_[l], side_, row_,
                             side_);
                    share = dot(side_, row_, basis_ + i * side_);
                }
                if (l > 0) add(cols_ * width_, share, inner_[l], block);
                else
                    for (Index j = 0; j < cols_; ++j) block[j * width_ + j] += share * square_[j];
            }
            for (Index j = 0; j < cols_; ++j) block[j * width_ + j] += shift_;
            if (!invert(cols_, block, width_, space_of_inverse_)) return false;
        }
        return true;
    }

    // `to` may be `from`.
    void precondition(const double* from, double* to) {
        const bool turn = terms_ > 1;
        if (turn) multiply(rows_, cols_, rows_, basis_, side_, from, width_, other_, width_);
        else std::memcpy(other_, from, sizeof(double) * rows_ * width_);
        double* target = turn ? spare_ : to;
        for (Index i = 0; i < rows_; ++i)
            multiply(1, cols_, cols_, other_ + i * width_, width_, inverse_ + i * cols_ * width_,
                     width_, target + i * width_, width_);
        if (turn) multiply(rows_, cols_, rows_, turned_, side_, spare_, width_, to, width_);
    }

    void apply(const double* z, double* image) {
        for (Index i = 0; i < rows_ * width_; i += V) store(image + i, shift_ * load(z + i));
        for (int l = 0; l < terms_; ++l) {
            const double* turned = z;
            if (l < terms_ - 1) {
                multiply(rows_, cols_, rows_, outer_[l], side_, z, width_, other_, width_);
                turned = other_;
            }
            if (l > 0)
                multiply<Mode::add>(rows_, cols_, cols_, turned, width_, inner_[l], width_, image,
                                    width_);
            else
                for (Index i = 0; i < rows_ * width_; i += width_)
                    for (Index j = 0; j < width_; j += V)
                        store(image + i + j, load(image + i + j) +
                                                 load(turned + i + j) * load(square_ + j));
        }
    }

    void conjugate_gradients(double* z) {
        const Index size = rows_ * width_;
        std::memcpy(rest_, z, sizeof(double) * size);
        std::memset(z, 0, sizeof(double) * size);
        precondition(rest_, way_);
        double power = dot(size, rest_, way_);
        const double goal = enough_ * enough_ * power;
        for (int turn = 0; turn < most_turns && power > goal; ++turn) {
            apply(way_, image_);
            const double step = power / dot(size, way_, image_);
            add(size, step, way_, z);
            add(size, -step, image_, rest_);
            precondition(rest_, image_);
            const double next = dot(size, rest_, image_);
            const double ratio = next / power;
            for (Index i = 0; i < size; i += V)
                store(way_ + i, load(image_ + i) + ratio * load(way_ + i));
            power = next;
        }
    }

    void cut() {
        const Index most = padded(widest_), blocks = rows_ * widest_ * most;
        for (auto* arrays : {&outer_, &inner_}) arrays->resize(terms_);
        for (int l = 0; l < terms_; ++l) {
            outer_[l] = space_.take(rows_ * side_);
            inner_[l] = l ? space_.take(widest_ * most) : nullptr;
        }
        for (double** array : {&total_, &basis_, &turned_}) *array = space_.take(rows_ * side_);
        row_ = space_.take(side_);
        square_ = space_.take(most);
        for (double** array : {&other_, &spare_, &rest_, &way_, &image_})
            *array = space_.take(rows_ * most);
        space_of_inverse_ = space_.take(8 * (2 * (most > small ? most : small) + 8));
        inverse_ = space_.take(terms_ > 2 && blocks < small * small ? small * small : blocks);
    }

    int terms_;
    Index rows_, widest_, side_, cols_ = 0, width_ = 0;
    double shift_ = 0, enough_ = loosest;
    bool whole_ = false;
    std::vector<double*> outer_, inner_;
    double *total_ = nullptr, *basis_ = nullptr, *turned_ = nullptr, *row_ = nullptr;
    double *square_ = nullptr, *other_ = nullptr, *spare_ = nullptr, *rest_ = nullptr;
    double *way_ = nullptr, *image_ = nullptr, *inverse_ = nullptr;
    double* space_of_inverse_ = nullptr;
    Workspace space_;
};

}  // namespace thalweg
