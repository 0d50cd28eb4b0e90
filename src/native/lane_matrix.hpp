// Small matrices whose entries are registers: lane k of every entry belongs to start k.
//
// No operation crosses lanes and every lane runs through the same instructions, so what one start
// computes does not depend on which others are beside it.
#pragma once

#include <cmath>
#include <cstdint>

#include "matrix.hpp"

namespace thalweg {

using Mask = decltype(Vector{} < Vector{});

inline Vector broadcast(double x) { return x - Vector{}; }
inline Vector select(Mask mask, Vector yes, Vector no) { return mask ? yes : no; }
inline Vector smaller(Vector a, Vector b) { return b < a ? b : a; }  // a where b is NaN
inline Vector larger(Vector a, Vector b) { return b > a ? b : a; }
inline Vector root(Vector x) {
    for (int k = 0; k < V; ++k) x[k] = __builtin_sqrt(x[k]);
    return x;
}
inline Mask finite(Vector x) { return (x - x) == Vector{}; }
inline bool any(Mask mask) {
    std::int64_t bits = 0;
    for (int k = 0; k < V; ++k) bits |= mask[k];
    return bits != 0;
}
inline bool all(Mask mask) { return !any(~mask); }

// Where entry (0, 0) is and how far, in entries, the next row and column are.
struct LaneMatrix {
    const double* at;
    Index row, col;
    LaneMatrix transposed() const { return {at, col, row}; }
};

namespace detail {

inline constexpr int lane_rows = many_registers ? 5 : 3, lane_cols = many_registers ? 4 : 3;

// ROWS x COLS registers of C; strides are in doubles. TERMS is known for the smallest products,
// which would spend their time on the loop; else it is 0. Plain arguments stay in registers: a
// structure would go through memory.
template <int ROWS, int COLS, int TERMS, Mode MODE>
[[gnu::always_inline]] inline void lane_block(Index terms, const double* a, Index a_row, Index a_col, const double* b,
                       Index b_row, Index b_col, double* c, Index c_row) {
    Vector sums[ROWS][COLS];
#pragma GCC unroll 8
    for (int i = 0; i < ROWS; ++i)
#pragma GCC unroll 8
        for (int j = 0; j < COLS; ++j)
            sums[i][j] = MODE == Mode::set ? Vector{} : load(c + i * c_row + j * V);
    const auto add = [&] {
        Vector y[COLS];
#pragma GCC unroll 8
        for (int j = 0; j < COLS; ++j) y[j] = load(b + j * b_col);
#pragma GCC unroll 8
        for (int i = 0; i < ROWS; ++i) {
            const Vector x = load(a + i * a_row);
#pragma GCC unroll 8
            for (int j = 0; j < COLS; ++j) {
                if constexpr (MODE == Mode::subtract) sums[i][j] -= x * y[j];
                else sums[i][j] += x * y[j];
            }
        }
        a += a_col, b += b_row;
    };
    if constexpr (TERMS > 0) {
#pragma GCC unroll 8
        for (int p = 0; p < TERMS; ++p) add();
    } else {
        for (Index p = 0; p < terms; ++p) add();
    }
#pragma GCC unroll 8
    for (int i = 0; i < ROWS; ++i)
#pragma GCC unroll 8
        for (int j = 0; j < COLS; ++j) store(c + i * c_row + j * V, sums[i][j]);
}

// Next strip of about equal ones; a division would take longer than a small product.
template <int MOST>
inline Index strip_of(Index rest) {
    return rest <= MOST ? rest : rest < 2 * MOST ? (rest + 1) / 2 : MOST;
}

template <int ROWS, Mode MODE>
inline void lane_strip(Index cols, Index terms, const double* a, Index a_row, Index a_col,
                       const double* b, Index b_row, Index b_col, double* c, Index c_row) {
#define THALWEG_BLOCK(COLS)                                                                    \
    case COLS:                                                                                 \
        if constexpr (COLS <= lane_cols)                                                       \
            lane_block<ROWS, COLS, 0, MODE>(terms, a, a_row, a_col, b, b_row, b_col, c,        \
                                                c_row);                                        \
        break;
    while (cols > 0) {
        const Index count = strip_of<lane_cols>(cols);
        switch (count) {
            THALWEG_BLOCK(1)
            THALWEG_BLOCK(2)
            THALWEG_BLOCK(3)
            THALWEG_BLOCK(4)
        }
        cols -= count, c += count * V, b += count * b_col;
    }
#undef THALWEG_BLOCK
}

template <Mode MODE>
inline void lane_product(Index rows, Index cols, Index terms, LaneMatrix a, LaneMatrix b, double* c,
                         Index c_row) {
    const Index a_row = a.row * V, a_col = a.col * V, b_row = b.row * V, b_col = b.col * V;
    const double *left = a.at, *right = b.at;
#define THALWEG_STRIP(ROWS)                                                                    \
    case ROWS:                                                                                 \
        if constexpr (ROWS <= lane_rows)                                                       \
            lane_strip<ROWS, MODE>(cols, terms, left, a_row, a_col, right, b_row,       \
                                          b_col, c, c_row);                                    \
        break;
    while (rows > 0) {
        const Index count = strip_of<lane_rows>(rows);
        switch (count) {
            THALWEG_STRIP(1)
            THALWEG_STRIP(2)
            THALWEG_STRIP(3)
            THALWEG_STRIP(4)
            THALWEG_STRIP(5)
        }
        rows -= count, c += count * c_row, left += count * a_row;
    }
#undef THALWEG_STRIP
}

}  // namespace detail

// C = (+=, -=) A B with A: rows x terms, B: terms x cols; rows of C are `row` entries apart.
template <Mode MODE = Mode::set>
inline void multiply(Index rows, Index cols, Index terms, LaneMatrix a, LaneMatrix b, double* c,
                     Index row) {
    using namespace detail;
    lane_product<MODE>(rows, cols, terms, a, b, c, row * V);
}

}  // namespace thalweg
