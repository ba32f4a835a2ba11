// SPDX-License-Identifier: Apache-2.0
#include <statiq/numeric/number.hpp>
#include <statiq/operations/library.hpp>

#include <doctest/doctest.h>

#include "plan_laws.hpp"
#include <cstddef>
#include <initializer_list>
#include <random>
#include <span>
#include <vector>

using namespace statiq;
using namespace plan_test;

namespace {

/// Grows the nodes of a network, block by block, as far as planning looks at them.
template <std::size_t Size>
class grower {
  public:
    grower(std::mt19937& random, number_format format) : random_(&random), format_(format) {
        nodes[0].facts = &facts_of<operations::input>;
        nodes[0].out = {uniform(8, 96), uniform(8, 96), 3};
        nodes[0].numbers.activation = format;
        current_ = convolution(0, channels(), uniform(1, 2));
    }

    node_array<Size> nodes{};

    void grow_blocks() {
        while (left() > 0) {
            if (left() < 10) {
                current_ = convolution(current_, channels(), 1);
                continue;
            }
            switch (uniform(0, 7)) {
            case 0:
            case 1:
                current_ = convolution(current_, channels(), uniform(1, 2));
                break;
            case 2:
                residual();
                break;
            case 3:
                beside();
                break;
            case 4:
                downsampling();
                break;
            case 5:
                squeezed();
                break;
            case 6:
                through_a_vector();
                break;
            default:
                from_afar();
                break;
            }
            levels_.push_back(current_);
        }
    }

    /// Tensors of any size, each read by any later ones: graphs nobody would write.
    void grow_wildly() {
        while (left() > 0) {
            std::vector<int> inputs{count_ - 1};
            for (int k = uniform(0, 3); k > 0; --k) inputs.push_back(uniform(std::max(0, count_ - 14), count_ - 1));
            if (uniform(0, 5) == 0)
                append(&facts_of<operations::reshape>, {inputs.data(), 1}, at(inputs[0]).out);
            else
                append(&facts_of<operations::add>, inputs, {1, 1, uniform(1, 5000)});
        }
    }

    /// One in so many tensors is an output.
    void name_outputs(int one_in) {
        int place = 0;
        for (std::size_t i = 1; i < Size; ++i)
            if (uniform(1, one_in) == 1) nodes[i].output = ++place;
    }

  private:
    int uniform(int low, int high) {
        return low + static_cast<int>((*random_)() % static_cast<unsigned>(high - low + 1));
    }
    int channels() { return 8 * uniform(1, 12); }
    [[nodiscard]] int left() const { return static_cast<int>(Size) - count_; }
    [[nodiscard]] const node& at(int index) const { return nodes[static_cast<std::size_t>(index)]; }

    int append(const operation_facts* kind, std::span<const int> inputs, extents out) {
        node& n = nodes[static_cast<std::size_t>(count_)];
        n.facts = kind;
        n.in = at(inputs[0]).out;
        n.out = out;
        n.input_count = static_cast<int>(inputs.size());
        for (std::size_t k = 0; k < inputs.size(); ++k) n.inputs[k] = inputs[k];
        n.numbers.activation = format_;
        return count_++;
    }
    int append(const operation_facts* kind, std::initializer_list<int> inputs, extents out) {
        return append(kind, std::span<const int>(inputs.begin(), inputs.size()), out);
    }
    int convolution(int from, int out_channels, int stride) {
        const extents in = at(from).out;
        return append(&facts_of<operations::convolution>, {from},
                      {(in.height + stride - 1) / stride, (in.width + stride - 1) / stride, out_channels});
    }

    void residual() {
        int branch = current_;
        for (int k = uniform(1, 3); k > 0; --k) branch = convolution(branch, channels(), 1);
        branch = convolution(branch, at(current_).out.channels, 1);
        current_ = append(&facts_of<operations::add>, {branch, current_}, at(current_).out);
    }
    void downsampling() {
        const int out = channels();
        const int branch = convolution(convolution(current_, channels(), 2), out, 1);
        const int shortcut = convolution(current_, out, 2);
        current_ = append(&facts_of<operations::add>, {branch, shortcut}, at(branch).out);
    }
    void beside() {
        std::vector<int> ends;
        extents out = at(current_).out;
        out.channels = 0;
        for (int branches = uniform(2, 4); branches > 0; --branches) {
            int branch = current_;
            for (int k = uniform(0, 2); k > 0 && left() > branches; --k) branch = convolution(branch, channels(), 1);
            ends.push_back(branch);
            out.channels += at(branch).out.channels;
        }
        current_ = append(&facts_of<operations::concat>, ends, out);
    }
    /// A vector of gates computed from the image, then added to it (repeated over the image).
    void squeezed() {
        const extents whole = at(current_).out;
        const int mean = append(&facts_of<operations::global_average_pool>, {current_}, {1, 1, whole.channels});
        const int gates = append(&facts_of<operations::dense>, {mean}, {1, 1, whole.channels});
        const int spread = append(&facts_of<operations::broadcast>, {gates}, whole);
        current_ = append(&facts_of<operations::add>, {current_, spread}, whole);
    }
    void through_a_vector() {
        const extents whole = at(current_).out;
        const int flat = append(&facts_of<operations::reshape>, {current_}, {1, 1, static_cast<int>(whole.size())});
        const int made = append(&facts_of<operations::dense>, {flat}, {1, 1, static_cast<int>(whole.size())});
        current_ = append(&facts_of<operations::reshape>, {made}, whole);
    }
    void from_afar() {
        const int far = levels_.empty() ? current_ : levels_[random_->operator()() % levels_.size()];
        const extents here = at(current_).out;
        const int pooled =
            append(&facts_of<operations::max_pool>, {far}, {here.height, here.width, at(far).out.channels});
        current_ = append(&facts_of<operations::concat>, {current_, pooled},
                          {here.height, here.width, here.channels + at(pooled).out.channels});
    }

    std::mt19937* random_;
    number_format format_;
    int count_ = 1;
    int current_ = 0;
    std::vector<int> levels_;
};

const number_format formats[] = {quantized<8, asymmetric>::format, quantized<16>::format, float32::format};

template <std::size_t Size>
void check_blocks(int networks) {
    std::mt19937 random(static_cast<unsigned>(Size));
    int optimal = 0;
    for (int k = 0; k < networks; ++k) {
        CAPTURE(k);
        grower<Size> network(random, formats[k % 3]);
        network.grow_blocks();
        if (k % 4 == 1) network.name_outputs(20);
        const auto plan = statiq::detail::plan_memory(network.nodes);
        REQUIRE(broken_law(network.nodes, plan) == "");
        REQUIRE(within_five_percent(plan));
        optimal += plan.arena_bytes == plan.largest_live_set;
    }
    CHECK(100 * optimal >= 99 * networks);
}

template <std::size_t Size>
void check_wild(int networks) {
    std::mt19937 random(static_cast<unsigned>(Size));
    for (int k = 0; k < networks; ++k) {
        CAPTURE(k);
        grower<Size> network(random, formats[k % 3]);
        network.grow_wildly();
        if (k % 2 == 1) network.name_outputs(8);
        REQUIRE(broken_law(network.nodes, statiq::detail::plan_memory(network.nodes)) == "");
    }
}

} // namespace

TEST_CASE("random networks of real blocks keep the laws, within five percent of the bound") {
    check_blocks<3>(50);
    check_blocks<14>(400);
    check_blocks<29>(400);
    check_blocks<60>(300);
    check_blocks<120>(100);
}

TEST_CASE("no graph, however wild, breaks a plan's laws") {
    check_wild<2>(20);
    check_wild<9>(300);
    check_wild<33>(300);
    check_wild<90>(100);
}
