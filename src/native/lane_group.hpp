// V starts side by side that may take their next steps together.
#pragma once

#include "lane_rock4.hpp"

namespace thalweg {

struct LaneGroup {
    explicit LaneGroup(const std::vector<Degree>& list) : degrees(list) {
        for (std::int64_t& i : index) i = -1;
    }
    bool alive(int k) const { return index[k] >= 0; }
    bool ready(int k, int kind) const { return alive(k) && wants[k] == kind; }

    void swap(int k, LaneGroup& other, int j, Index length) {
        s.swap(k, other.s, j, length);
        std::swap(index[k], other.index[j]);
        std::swap(over[k], other.over[j]);
        std::swap(wants[k], other.wants[j]);
    }

    LaneState s{};
    LaneDegrees degrees;
    std::int64_t index[V], over[V] = {};  // number of the start, -1 for none; why it has to end
    int wants[V] = {};                    // kind of the next step
};

// Kinds of steps: 0 is order eight, the others are ranges of ROCK4's degrees. Starts that want the
// same kind share the loop over its stages, so the fewer stages in a range, the fewer wait; but
// every change of kind is a change of place.
class LaneKinds {
public:
    LaneKinds(const std::vector<Degree>& degrees, int count) : count_(count) {
        for (const Degree& degree : degrees) {
            int kind = 1;
            while (kind + 1 < count && degree.stages > last_stages[kind - 1]) ++kind;
            of_degree_.push_back(kind);
        }
    }
    int count() const { return count_; }
    int of_degree(int d) const { return of_degree_[d]; }
    static constexpr int most = 8;

private:
    static constexpr int last_stages[] = {5, 6, 8, 11, 16, 28};
    std::vector<int> of_degree_;
    int count_;
};

}  // namespace thalweg
