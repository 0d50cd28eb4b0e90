// Row-major matrices whose rows are padded with zeros to whole vector registers, and their products.
//
// Every kernel adds the terms of one entry in a fixed order that does not depend on how the loops
// are blocked, so equal input gives equal bits. Padding is zero on entry and stays exactly zero.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

namespace thalweg {

#if defined(__AVX512F__)
inline constexpr int V = 8;  // doubles per register
#elif defined(__AVX2__)
inline constexpr int V = 4;
#else
inline constexpr int V = 2;
#endif
inline constexpr bool many_registers = V == 8;  // 32 instead of 16
inline constexpr int max_rows = V == 8 ? 8 : V == 4 ? 6 : 4;  // of a register block

using Index = std::ptrdiff_t;
using Vector = double __attribute__((vector_size(8 * V), may_alias));
using LooseVector = double __attribute__((vector_size(8 * V), aligned(8), may_alias));

constexpr Index padded(Index n) { return (n + V - 1) / V * V; }

inline Vector load(const double* p) { return *reinterpret_cast<const Vector*>(p); }
inline void store(double* p, Vector v) { *reinterpret_cast<Vector*>(p) = v; }
inline Vector load_loose(const double* p) { return *reinterpret_cast<const LooseVector*>(p); }
inline void store_loose(double* p, Vector v) { *reinterpret_cast<LooseVector*>(p) = v; }

// Sum of the lanes, halves first.
inline double sum(Vector v) {
    double x[V];
    std::memcpy(x, &v, sizeof v);
    for (int half = V / 2; half > 0; half /= 2)
        for (int i = 0; i < half; ++i) x[i] += x[i + half];
    return x[0];
}

// One zeroed, aligned block from which arrays are cut: `take` is run through twice by the owner,
// first to count (it returns null), then, after `allocate`, to hand out.
class Workspace {
public:
    Workspace() = default;
    Workspace(const Workspace&) = delete;
    Workspace& operator=(const Workspace&) = delete;
    ~Workspace() { std::free(base_); }

    double* take(Index count) {
        double* start = base_ ? base_ + used_ : nullptr;
        used_ += (count + 7) / 8 * 8;  // every array starts on a cache line
        return start;
    }
    void allocate() {
        const std::size_t bytes = sizeof(double) * static_cast<std::size_t>(used_ + 8);
        base_ = static_cast<double*>(std::aligned_alloc(64, bytes));
        if (base_ == nullptr) throw std::bad_alloc();
        std::memset(base_, 0, bytes);
        used_ = 0;
    }

private:
    double* base_ = nullptr;
    Index used_ = 0;
};

enum class Mode { set, add, subtract };

namespace detail {

// ROWS x COLS registers of C = (+=, -=) A B. `a` advances by `row` from row to row of C and by
// `col` along the sum.
template <int ROWS, int COLS, Mode MODE>
inline void block(Index terms, const double* a, Index row, Index col, const double* b, Index ldb,
                  double* c, Index ldc) {
    Vector sums[ROWS][COLS];
#pragma GCC unroll 8
    for (int i = 0; i < ROWS; ++i)
#pragma GCC unroll 8
        for (int v = 0; v < COLS; ++v)
            sums[i][v] = MODE == Mode::set ? Vector{} : load(c + i * ldc + v * V);
    for (Index p = 0; p < terms; ++p, a += col, b += ldb) {
        Vector right[COLS];
#pragma GCC unroll 8
        for (int v = 0; v < COLS; ++v) right[v] = load(b + v * V);
#pragma GCC unroll 8
        for (int i = 0; i < ROWS; ++i) {
            const double left = a[i * row];
#pragma GCC unroll 8
            for (int v = 0; v < COLS; ++v) {
                if constexpr (MODE == Mode::subtract) sums[i][v] -= left * right[v];
                else sums[i][v] += left * right[v];
            }
        }
    }
#pragma GCC unroll 8
    for (int i = 0; i < ROWS; ++i)
#pragma GCC unroll 8
        for (int v = 0; v < COLS; ++v) store(c + i * ldc + v * V, sums[i][v]);
}

// Registers side by side that ROWS leave room for: a power of two.
constexpr int width_for(int rows) {
    const int room = many_registers ? 24 : 12;
    return rows * 8 <= room && rows <= 2 ? 8 : rows * 4 <= room ? 4 : rows * 2 <= room ? 2 : 1;
}

template <int ROWS, int COLS, Mode MODE>
inline void strip(Index registers, Index terms, const double* a, Index row, Index col,
                  const double* b, Index ldb, double* c, Index ldc) {
    for (; registers >= COLS; registers -= COLS, b += COLS * V, c += COLS * V)
        block<ROWS, COLS, MODE>(terms, a, row, col, b, ldb, c, ldc);
    if constexpr (COLS > 1)
        if (registers > 0)
            strip<ROWS, COLS / 2, MODE>(registers, terms, a, row, col, b, ldb, c, ldc);
}

// TRANSPOSED: A is stored as its transpose, so that neighbouring rows of C are neighbours in it.
template <Mode MODE, bool TRANSPOSED>
inline void product(Index rows, Index cols, Index terms, const double* a, Index lda,
                    const double* b, Index ldb, double* c, Index ldc) {
    const Index row = TRANSPOSED ? 1 : lda, col = TRANSPOSED ? lda : 1;
    const Index registers = (cols + V - 1) / V;
    Index strips = (rows + max_rows - 1) / max_rows;
    for (Index first = 0; first < rows; --strips) {
        const Index count = (rows - first + strips - 1) / strips;  // strips of about equal height
        const double* ai = a + first * row;
        double* ci = c + first * ldc;
#define THALWEG_STRIP(ROWS)                                                                  \
    case ROWS:                                                                               \
        if constexpr (ROWS <= max_rows)                                                      \
            strip<ROWS, width_for(ROWS), MODE>(registers, terms, ai, TRANSPOSED ? 1 : row,   \
                                               TRANSPOSED ? col : 1, b, ldb, ci, ldc);       \
        break;
        switch (count) {
            THALWEG_STRIP(1)
            THALWEG_STRIP(2)
            THALWEG_STRIP(3)
            THALWEG_STRIP(4)
            THALWEG_STRIP(5)
            THALWEG_STRIP(6)
            THALWEG_STRIP(7)
            THALWEG_STRIP(8)
        }
#undef THALWEG_STRIP
        first += count;
    }
}

// Swap the off-diagonal squares of side S of two rows: one step of the transposition of V rows.
template <int S, int... LANE>
inline void exchange(Vector& x, Vector& y, std::integer_sequence<int, LANE...>) {
    const Vector upper = __builtin_shufflevector(x, y, (LANE & S ? V + LANE - S : LANE)...);
    y = __builtin_shufflevector(x, y, (LANE & S ? V + LANE : LANE + S)...);
    x = upper;
}

template <int S = 1>
inline void transpose_registers(Vector (&rows)[V]) {
    if constexpr (S < V) {
#pragma GCC unroll 8
        for (int i = 0; i < V; ++i)
            if (!(i & S)) exchange<S>(rows[i], rows[i + S], std::make_integer_sequence<int, V>{});
        transpose_registers<2 * S>(rows);
    }
}

}  // namespace detail

// C = (+=, -=) A B with A: rows x terms, B: terms x cols, C: rows x cols.
template <Mode MODE = Mode::set>
inline void multiply(Index rows, Index cols, Index terms, const double* a, Index lda,
                     const double* b, Index ldb, double* c, Index ldc) {
    detail::product<MODE, false>(rows, cols, terms, a, lda, b, ldb, c, ldc);
}

// C = (+=, -=) A^T B with A: terms x rows.
template <Mode MODE = Mode::set>
inline void multiply_left_transposed(Index rows, Index cols, Index terms, const double* a,
                                     Index lda, const double* b, Index ldb, double* c, Index ldc) {
    detail::product<MODE, true>(rows, cols, terms, a, lda, b, ldb, c, ldc);
}

// C = (+=) A B^T with A: rows x terms, B: cols x terms, as scalar products of rows; good when A
// has few rows. Rows of C are padded.
template <Mode MODE = Mode::set>
inline void multiply_right_transposed(Index rows, Index cols, Index terms, const double* a,
                                      Index lda, const double* b, Index ldb, double* c,
                                      Index ldc) {
    static_assert(MODE != Mode::subtract);
    for (Index j = 0; j < cols; j += V) {
        const Index live = cols - j < V ? cols - j : V;
        const double* bj = b + j * ldb;
        for (Index i = 0; i < rows; ++i) {
            Vector sums[V] = {};
            const double* ai = a + i * lda;
            if (live == V) {
                for (Index p = 0; p < terms; p += V) {
                    const Vector left = load(ai + p);
#pragma GCC unroll 8
                    for (int r = 0; r < V; ++r) sums[r] += left * load(bj + r * ldb + p);
                }
            } else {
#pragma GCC unroll 8
                for (int r = 0; r < V - 1; ++r)
                    if (r < live)
                        for (Index p = 0; p < terms; p += V)
                            sums[r] += load(ai + p) * load(bj + r * ldb + p);
            }
            detail::transpose_registers(sums);
#pragma GCC unroll 8
            for (int half = V / 2; half > 0; half /= 2)
#pragma GCC unroll 8
                for (int r = 0; r < half; ++r) sums[r] += sums[r + half];
            double* target = c + i * ldc + j;
            store(target, MODE == Mode::set ? sums[0] : load(target) + sums[0]);
        }
    }
}

// B = A^T with A: rows x cols, B: cols x rows; only the rows of A and B themselves are touched.
inline void transpose(Index rows, Index cols, const double* a, Index lda, double* b, Index ldb) {
    for (Index i = 0; i < rows; i += V)
        for (Index j = 0; j < cols; j += V) {
            Vector square[V];
#pragma GCC unroll 8
            for (int r = 0; r < V; ++r)
                square[r] = i + r < rows ? load(a + (i + r) * lda + j) : Vector{};
            detail::transpose_registers(square);
#pragma GCC unroll 8
            for (int r = 0; r < V; ++r)
                if (j + r < cols) store(b + (j + r) * ldb + i, square[r]);
        }
}

}  // namespace thalweg
