// A product of fixed sizes, cut into register blocks once: small products would otherwise spend
// most of their time on deciding which block comes next.
#pragma once

#include <array>
#include <vector>

#include "lane_matrix.hpp"

namespace thalweg {

class LaneProduct {
public:
    // C = A B; the matrices give the strides, their addresses come with each call.
    LaneProduct(Index rows, Index cols, Index terms, LaneMatrix a, LaneMatrix b, Index c_row) {
        using namespace detail;
        for (Index i = 0, high; i < rows; i += high) {
            high = strip_of<lane_rows>(rows - i);
            for (Index j = 0, wide; j < cols; j += wide) {
                wide = strip_of<lane_cols>(cols - j);
                tiles_.push_back({kernel(high, wide, terms), terms, i * a.row * V, a.row * V,
                                  a.col * V, j * b.col * V, b.row * V, b.col * V,
                                  (i * c_row + j) * V, c_row * V});
            }
        }
    }

    void operator()(const double* a, const double* b, double* c) const {
        for (const Tile& tile : tiles_) tile.run(tile, a, b, c);
    }

private:
    struct Tile;
    using Kernel = void (*)(const Tile&, const double*, const double*, double*);
    struct Tile {
        Kernel run;
        Index terms, a, a_row, a_col, b, b_row, b_col, c, c_row;
    };

    template <int ROWS, int COLS, int TERMS>
    static void block(const Tile& t, const double* a, const double* b, double* c) {
        detail::lane_block<ROWS, COLS, TERMS, Mode::set>(
            t.terms, a + t.a, t.a_row, t.a_col, b + t.b, t.b_row, t.b_col, c + t.c, t.c_row);
    }
    template <int TERMS, int... K>
    static Kernel choose(Index position, std::integer_sequence<int, K...>) {
        using namespace detail;
        // not static: the loader would share it between the libraries of two instruction sets
        const Kernel table[] = {
            block<K / lane_cols + 1, K % lane_cols + 1, TERMS>...};
        return table[position];
    }
    static Kernel kernel(Index rows, Index cols, Index terms) {
        using namespace detail;
        const Index position = (rows - 1) * lane_cols + cols - 1;
        constexpr auto every = std::make_integer_sequence<int, lane_rows * lane_cols>{};
        switch (terms) {
            case 2: return choose<2>(position, every);
            case 3: return choose<3>(position, every);
            case 4: return choose<4>(position, every);
            case 5: return choose<5>(position, every);
            default: return choose<0>(position, every);
        }
    }

    std::vector<Tile> tiles_;
};

}  // namespace thalweg
