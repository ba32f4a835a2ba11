// SPDX-License-Identifier: Apache-2.0
// Functions of integers, with the scheme `gemmlowp`, against TensorFlow Lite Micro's reference kernels, bit for bit.
#include <statiq/execute/constants.hpp>
#include <statiq/execute/integer_call.hpp>
#include <statiq/kernels/look_up.hpp>
#include <statiq/operations/functions.hpp>

#include <doctest/doctest.h>

#include "golden.hpp"
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

using namespace kernel_test;
namespace functions = statiq::functions;
namespace reference = statiq::kernels::reference;

namespace {

template <class T>
using number =
    std::conditional_t<sizeof(T) == 2, statiq::quantized<16, statiq::symmetric_full_range>,
                       std::conditional_t<std::is_signed_v<T>, statiq::quantized<8, statiq::asymmetric_signed>,
                                          statiq::quantized<8, statiq::asymmetric>>>;

/// A layer of one function between integers of type T.
template <class Operation, class T, class Scheme>
class layer {
  public:
    layer(const statiq::affine& input, const statiq::affine& output) : input_(input) {
        for (statiq::node& n : nodes_) {
            n.facts = &statiq::facts_of<Operation>;
            n.numbers.activation = number<T>::format;
        }
        nodes_[1].input_count = 1;
        constants_.output = output;
        table_.resize(Operation::table_size(nodes_[1], number<T>::format));
        const auto map_of = [&](std::size_t) -> const statiq::affine& { return input_; };
        statiq::detail::fill_table<statiq::operation_list<Operation>, Scheme>(nodes_, nodes_[1], map_of, output,
                                                                              nullptr, table_.data());
    }
    /// The first bytes of the table.
    [[nodiscard]] std::vector<std::uint8_t> bytes() const {
        std::vector<std::uint8_t> all(reference::byte_count);
        std::memcpy(all.data(), table_.data(), all.size());
        return all;
    }
    template <class Arch>
    void run(Arch arch, std::span<const T> input, T* output) {
        if constexpr (sizeof(T) == 1) {
            statiq::kernels::look_up(
                reference::look_up_arguments<T, T>{.input = input.data(),
                                                   .size = input.size(),
                                                   .table = reinterpret_cast<const unsigned char*>(table_.data()),
                                                   .output = output},
                arch);
            return;
        }
        nodes_[1].out = {1, 1, static_cast<int>(input.size())};
        const T* from = input.data();
        const statiq::sequential here;
        Operation::integers(statiq::detail::integer_call<T, T, Scheme, const statiq::sequential>{
            nodes_.data(), nodes_[1], &from, &input_.zero_point, constants_, table_.data(), output, here});
    }

  private:
    statiq::affine input_;
    std::array<statiq::node, 2> nodes_{};
    statiq::node_constants<Scheme> constants_{};
    std::vector<float> table_;
};
template <class F, class Scheme>
std::vector<std::uint8_t> table_of(const statiq::affine& input, const statiq::affine& output) {
    return layer<statiq::operations::elementwise<F>, std::int8_t, Scheme>(input, output).bytes();
}
statiq::affine map_of(const json& one, const std::string& tensor) {
    return {scale_of(one, (tensor + "_scale").c_str()), one.at(tensor + "_zero_point").get<std::int32_t>()};
}

/// @param prepare prepare(one) before a case's table is made
template <class Operation, class T, class Prepare>
void compare(const std::string& name, Prepare prepare) {
    const auto data = golden(name);
    tally result;
    for (const json& one : data.cases) {
        prepare(one);
        layer<Operation, T, statiq::gemmlowp> of(map_of(one, "input"), map_of(one, "output"));
        result.compare(data.values<T>(one, "output"),
                       [&](auto arch, T* output) { of.run(arch, data.values<T>(one, "input"), output); });
    }
    result.check(data);
}
template <class F, class T = std::int8_t, bool FixedNumbers = false>
void compare(const std::string& name) {
    compare<statiq::operations::elementwise<F, FixedNumbers>, T>(name, [](const json&) {});
}

/// `functions::leaky_relu` of a slope that the cases give.
struct leaky_relu_of_slope {
    static constexpr std::string_view word = "leaky_relu";
    static inline float slope = 0;
    float operator()(float x) const { return x < 0.0F ? slope * x : x; }
    struct of_shorts : reference::leaky_relu {
        of_shorts() = default;
        explicit of_shorts(const statiq::function_numbers& numbers)
            : reference::leaky_relu(numbers.input.scale, numbers.output.scale, slope) {}
    };
    static std::optional<std::int32_t> tensorflow_lite(std::int32_t centred, const statiq::function_numbers& numbers) {
        return of_shorts(numbers)(centred);
    }
    static void take(const json& one) { slope = scale_of(one, "alpha"); }
};
using leaky = statiq::operations::elementwise<leaky_relu_of_slope>;

} // namespace

TEST_CASE("functions of bytes have TensorFlow Lite's bits") {
    SUBCASE("sigmoid") { compare<functions::sigmoid>("ops2/logistic_int8"); }
    SUBCASE("tanh") { compare<functions::tanh>("ops2/tanh_int8"); }
    SUBCASE("tanh, unsigned") { compare<functions::tanh, std::uint8_t>("ops2/tanh_uint8"); }
    SUBCASE("hard swish") { compare<functions::hard_swish>("ops2/hard_swish_int8"); }
    SUBCASE("ELU, whose rule is the table's own") { compare<functions::elu>("ops2/elu_int8"); }
    SUBCASE("leaky ReLU") { compare<leaky, std::int8_t>("ops2/leaky_relu_int8", leaky_relu_of_slope::take); }
}

TEST_CASE("functions of 16-bit integers have TensorFlow Lite's bits") {
    SUBCASE("sigmoid") { compare<functions::sigmoid, std::int16_t, true>("ops2/logistic_int16"); }
    SUBCASE("tanh") { compare<functions::tanh, std::int16_t, true>("ops2/tanh_int16"); }
    SUBCASE("leaky ReLU") { compare<leaky, std::int16_t>("ops2/leaky_relu_int16", leaky_relu_of_slope::take); }
}

TEST_CASE("leaky ReLU of a constant slope is that of the cases") {
    leaky_relu_of_slope::slope = 0.125F;
    const statiq::affine input{0.037F, -5}, output{0.019F, 31};
    CHECK(table_of<functions::leaky_relu<0.125>, statiq::gemmlowp>(input, output) ==
          table_of<leaky_relu_of_slope, statiq::gemmlowp>(input, output));
}

TEST_CASE("other schemes look up the real function, rounded once") {
    // hard_swish(1) = 1 * 4/6 at steps of 1/96 is 64. TensorFlow Lite's rule at input steps of 1/32:
    // the 16-bit multipliers of 96/4096 = 0.0234375 and 1/4096 / (3/32768) = 8/3 are 24576 * 2^-5 and
    // 21845.33 -> 21845 * 2^2. x = 32 * 128 = 4096; p = 4096 * 24576 / 2^15 = 3072;
    // share = 4096 * 2 = 8192, * 21845 / 2^15 = 5461.25 -> 5461, * 2 = 10922, (10922 + 32768) / 2 = 21845;
    // 21845 * 3072 / 32768 = 2047.97 -> 2047; / 2^5 = 63.97 -> 64.
    // At 2.75: x = 88 * 128 = 11264; p = 8448; share = 22528 * 21845 / 2^15 = 15018.4 -> 15018, * 2 = 30036,
    // (30036 + 32768) / 2 = 31402; 31402 * 8448 / 32768 = 8095.8 -> 8095; / 32 = 252.97 -> 253 (beyond int8).
    CHECK(reference::hard_swish(32, 1.0F / 32, 1.0F / 96) == 64);
    CHECK(reference::hard_swish(88, 1.0F / 32, 1.0F / 96) == 253);
    const statiq::affine input{1.0F / 32, 0}, output{1.0F / 96, -128};
    const auto real = table_of<functions::hard_swish, statiq::float_multiplier>(input, output);
    for (int q = -128; q < 128; ++q) {
        const double x = q / 32.0;
        const double y = x * std::clamp(x + 3, 0.0, 6.0) / 6 * 96 - 128;
        CHECK(std::abs(static_cast<std::int8_t>(real[static_cast<std::uint8_t>(q)]) - std::clamp(y, -128.0, 127.0)) <=
              0.5 + 1e-4);
    }
}

TEST_CASE("a rule that does not take the numbers leaves the real function") {
    // An output step of less than 1/128 of an input's: TensorFlow Lite refuses it.
    CHECK_FALSE(reference::fits_hard_swish(1.0F, 1.0F / 128));
    CHECK(reference::fits_hard_swish(1.0F, 1.0F / 127));
    const statiq::affine input{1.0F, 0}, fine{1.0F / 256, -128};
    CHECK(table_of<functions::hard_swish, statiq::gemmlowp>(input, fine) ==
          table_of<functions::hard_swish, statiq::single_rounding>(input, fine));
    // Calibrated numbers of a sigmoid are not TensorFlow Lite's.
    const statiq::affine calibrated{1.0F / 255, -128}, fixed{1.0F / 256, -128};
    CHECK(table_of<functions::sigmoid, statiq::gemmlowp>(input, calibrated) ==
          table_of<functions::sigmoid, statiq::float_multiplier>(input, calibrated));
    // At scale 1 its rule counts from 15 on as 1: the real function gives 255.99 -> 256, which the clamp makes 127,
    // too. Below -15 it gives -128: sigmoid(-15) = 3e-7.
    CHECK(table_of<functions::sigmoid, statiq::gemmlowp>(input, fixed) ==
          table_of<functions::sigmoid, statiq::float_multiplier>(input, fixed));
}
