// One step of the stabilized explicit method of order four (A. Abdulle, SIAM J. Sci. Comput. 23
// (2002) 2041-2054); the coefficients come from generate_rock4.py.
#pragma once

#include <utility>
#include <vector>

#include "field.hpp"
#include "vectors.hpp"

namespace thalweg {

#include "rock4_coefficients.inc"

struct Degree {
    int stages;
    double length;
    const double *b, *a, *embedded, *mu, *kappa;
};

inline std::vector<Degree> read_degrees() {
    std::vector<Degree> out;
    const double* p = rock4_table;
    for (int i = 0; i < rock4_degrees; ++i) {
        const int stages = static_cast<int>(p[0]), m = stages - 4;
        out.push_back({stages, p[16], p + 1, p + 5, p + 11, p + 17, p + 17 + m});
        p += 17 + 2 * m;
    }
    return out;
}

class Rock4 {
public:
    explicit Rock4(Field& field) : field_(field), degrees_(read_degrees()) {
        for (auto& array : arrays_) array = space_.take(field.length());
        space_.allocate();
        for (auto& array : arrays_) array = space_.take(field.length());
    }

    const Degree& degree(Index position) const { return degrees_[position]; }
    double longest() const { return degrees_.back().length; }
    Index choose(double stiffness) const {
        for (std::size_t i = 0; i < degrees_.size(); ++i)
            if (degrees_[i].length >= stiffness) return static_cast<Index>(i);
        return static_cast<Index>(degrees_.size()) - 1;
    }

    // Loss at the new point; the new point, its slope and the error estimate are written.
    double step(const double* y, const double* slope, double h, Index position, double* result,
                double* result_slope, double* error) {
        const Degree& degree = degrees_[position];
        const Index length = field_.length();
        double *before = arrays_[0], *now = arrays_[1], *point = arrays_[2];
        double *f1 = arrays_[3], *f2 = arrays_[4], *f3 = arrays_[5], *f4 = arrays_[6];
        const double first = degree.mu[0] * h;
        for (Index i = 0; i < length; i += V) {
            store(before + i, load(y + i));
            store(now + i, load(y + i) + first * load(slope + i));
        }
        for (int j = 1; j < degree.stages - 4; ++j) {
            field_.rhs(now, f1);
            const double mu = degree.mu[j] * h, kappa = degree.kappa[j], both = 1 + kappa;
            for (Index i = 0; i < length; i += V)
                store(before + i,
                      mu * load(f1 + i) + both * load(now + i) - kappa * load(before + i));
            std::swap(before, now);
        }
        const double* a = degree.a;
        field_.rhs(now, f1);
        combine<1>(now, h, {a[0]}, {f1}, point);
        field_.rhs(point, f2);
        combine<2>(now, h, {a[1], a[2]}, {f1, f2}, point);
        field_.rhs(point, f3);
        combine<3>(now, h, {a[3], a[4], a[5]}, {f1, f2, f3}, point);
        field_.rhs(point, f4);
        const double *b = degree.b, *e = degree.embedded;
        combine<4>(now, h, {b[0], b[1], b[2], b[3]}, {f1, f2, f3, f4}, result);
        const double loss = field_.rhs(result, result_slope);
        for (Index i = 0; i < length; i += V)
            store(error + i, h * ((b[0] - e[0]) * load(f1 + i) + (b[1] - e[1]) * load(f2 + i) +
                                  (b[2] - e[2]) * load(f3 + i) + (b[3] - e[3]) * load(f4 + i) -
                                  e[4] * load(result_slope + i)));
        return loss;
    }

private:
    template <int COUNT>
    void combine(const double* y, double h, const double (&c)[COUNT],
                 const double* const (&f)[COUNT], double* out) const {
        for (Index i = 0; i < field_.length(); i += V) {
            Vector total = load(y + i);
#pragma GCC unroll 4
            for (int k = 0; k < COUNT; ++k) total += (h * c[k]) * load(f[k] + i);
            store(out + i, total);
        }
    }

    Field& field_;
    std::vector<Degree> degrees_;
    double* arrays_[7] = {};
    Workspace space_;
};

}  // namespace thalweg
