// SPDX-License-Identifier: Apache-2.0
#include <statiq/graph/network.hpp>
#include <statiq/io/integers.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/choose_numbers.hpp>
#include <statiq/passes/deploy.hpp>

#include <doctest/doctest.h>

#include "support.hpp"
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace sq = statiq;
namespace io = statiq::io;

namespace {

constexpr auto body = sq::input<5, 4, 3> | sq::named<"stem">(sq::conv<7>(sq::kernel<3>) | sq::relu6) |
                      sq::named<"dw">(sq::depthwise(sq::without_bias)) | sq::max_pool | sq::flatten |
                      sq::named<"fc">(sq::dense<5>) | sq::softmax;
struct small final : sq::network<decltype(body)> {};

using int8 = sq::quantized<8, sq::asymmetric_signed>;
using uint8 = sq::quantized<8, sq::asymmetric>;
using per_channel8 = sq::quantized<8, sq::symmetric, sq::per_channel>;
using per_tensor8 = sq::quantized<8, sq::symmetric, sq::per_tensor>;
using asymmetric6 = sq::quantized<6, sq::asymmetric, sq::per_channel>;
using wide = sq::quantized<12, sq::symmetric_full_range, sq::per_tensor>;

template <class Weight, class Activation, class Dense = Weight>
using numbers = sq::numbers_chosen<sq::deployed<small>, Weight, Activation, Dense>;

/// Random integers of every format, with the maps that layers keep or have fixed.
template <class Q>
sq::quantized_parameters<Q> random_integers(std::uint32_t seed) {
    std::mt19937 random(seed);
    const auto any = [&random](const sq::number_format& f) {
        return std::uniform_int_distribution<std::int32_t>(f.lowest, f.highest)(random);
    };
    const auto map_of = [&](const sq::number_format& f) {
        const float scale = std::uniform_real_distribution<float>(0.001F, 2.0F)(random);
        return sq::affine{scale, f.has_zero_point ? any(f) : 0};
    };
    sq::quantized_parameters<Q> made;
    for (std::size_t i = 0; i < sq::node_count<Q>; ++i) {
        const sq::node& n = Q::nodes[i];
        if (n.traits().keeps_numbers)
            made[i].output = made[static_cast<std::size_t>(n.input())].output;
        else if (n.facts->fixed_output != nullptr)
            made[i].output = n.facts->fixed_output(n.numbers.activation);
        else
            made[i].output = map_of(n.numbers.activation);
        if (!n.is_linear()) continue;
        const auto channels = static_cast<std::size_t>(n.out.channels);
        made[i].weight.resize(n.convolution().weight_count());
        for (auto& w : made[i].weight) w = any(n.numbers.weight);
        made[i].weight_map.assign(channels, map_of(n.numbers.weight));
        if (n.numbers.weight.per == sq::granularity::channel)
            for (auto& map : made[i].weight_map) map = map_of(n.numbers.weight);
        made[i].bias.assign(channels, 0);
        if (n.has_bias)
            for (auto& b : made[i].bias) b = std::uniform_int_distribution<std::int32_t>(-1000, 1000)(random);
    }
    return made;
}

template <class Q>
void check_same(const sq::quantized_parameters<Q>& read, const sq::quantized_parameters<Q>& written) {
    for (std::size_t i = 0; i < sq::node_count<Q>; ++i) {
        CAPTURE(Q::nodes[i].name.view());
        CHECK(read[i].output == written[i].output);
        CHECK(read[i].weight == written[i].weight);
        CHECK(read[i].weight_map == written[i].weight_map);
        CHECK(read[i].bias == written[i].bias);
    }
}

template <class Q>
void check_round_trip(std::uint32_t seed) {
    const auto file = std::filesystem::temp_directory_path() / ("statiq-integers-" + std::to_string(seed));
    const auto written = random_integers<Q>(seed);
    sq::save_integers(file, written);
    const auto read = sq::load_integers<Q>(file);
    std::filesystem::remove(file);
    check_same(read, written);
}

/// The file of random integers with its builder changed; what reading it says.
template <class Q>
std::string refusal(const std::function<void(io::safetensors_builder&, const std::string&, io::tensor_view)>& copy) {
    const auto file = std::filesystem::temp_directory_path() / "statiq-integers-refused";
    sq::save_integers(file, random_integers<Q>(3));
    io::safetensors_builder changed;
    {
        const io::safetensors whole = io::read_safetensors(file);
        for (const auto name : whole.names()) copy(changed, std::string(name), whole.at(name));
    }
    io::write_safetensors(file, changed);
    std::string message;
    try {
        (void)sq::load_integers<Q>(file);
    } catch (const io::format_error& error) {
        message = error.what();
    }
    std::filesystem::remove(file);
    return message;
}

void keep(io::safetensors_builder& to, const std::string& name, const io::tensor_view& tensor) {
    to.add(name, tensor.dtype, {tensor.shape.begin(), tensor.shape.end()}, tensor.bytes);
}

bool mentions(const std::string& text, const std::vector<std::string>& parts) {
    for (const auto& part : parts)
        if (text.find(part) == std::string::npos) return false;
    return !text.empty();
}

} // namespace

TEST_CASE("integers come back as they were written, in every format") {
    check_round_trip<numbers<per_channel8, int8, per_tensor8>>(1);
    check_round_trip<numbers<per_tensor8, uint8>>(2);
    check_round_trip<numbers<asymmetric6, uint8>>(3);
    check_round_trip<numbers<wide, uint8>>(4);
}

TEST_CASE("integers that do not fit the types are refused by name") {
    using q = numbers<per_channel8, int8, per_tensor8>;
    const auto without = [](const std::string& absent) {
        return refusal<q>([&](auto& to, const std::string& name, const io::tensor_view& tensor) {
            if (name != absent) keep(to, name, tensor);
        });
    };
    for (const char* name :
         {"stem.weight", "stem.weight.scale", "stem.bias", "stem.scale", "stem.zero_point", "fc.weight"})
        CHECK_MESSAGE(mentions(without(name), {name, "expected"}), without(name));

    const auto replaced = [](const std::string& changed, auto values, std::vector<std::int64_t> shape) {
        return refusal<q>([&](auto& to, const std::string& name, const io::tensor_view& tensor) {
            if (name == changed)
                to.add(name, shape, values);
            else
                keep(to, name, tensor);
        });
    };
    using std::vector;
    CHECK(mentions(replaced("stem.weight.scale", vector<float>{0.5F}, {1}), {"stem.weight.scale", "[7]", "[1]"}));
    CHECK(mentions(replaced("fc.weight.scale", vector<float>(5, 0.5F), {5}), {"fc.weight.scale", "[1]", "[5]"}));
    CHECK(mentions(replaced("stem.scale", vector<float>{0.0F}, {1}), {"stem.scale", "positive"}));
    CHECK(mentions(replaced("stem.scale", vector<float>{NAN}, {1}), {"stem.scale", "positive"}));
    CHECK(mentions(replaced("stem.zero_point", vector<std::int32_t>{128}, {1}), {"stem.zero_point", "127", "128"}));
    CHECK(mentions(replaced("stem.weight.zero_point", vector<std::int32_t>(7, 1), {7}),
                   {"stem.weight.zero_point", "symmetric", "1"}));
    CHECK(mentions(replaced("fc.weight", vector<std::int8_t>(5 * 2 * 2 * 7, -128), {5, 28}),
                   {"fc.weight", "-127", "-128"}));
    CHECK(mentions(replaced("fc.weight", vector<float>(5 * 28, 1.0F), {5, 28}), {"fc.weight", "I8", "F32"}));
    CHECK(mentions(replaced("stem.weight.scale", vector<float>{1, 1, 1, 1, -1, 1, 1}, {7}),
                   {"stem.weight.scale", "positive finite scales", "-1 at [4]"}));
    CHECK(mentions(replaced("stem.weight.zero_point", vector<std::int32_t>{0, 0, 0, 0, 0, 0, 9}, {7}),
                   {"stem.weight.zero_point", "symmetric", "9 at [6]"}));
    vector<std::int8_t> weights(7 * 9, 1);
    weights[3 * 9 + 1 * 3 + 2] = -128; // channel 3, row 1, column 2
    CHECK(mentions(replaced("dw.weight", weights, {7, 1, 3, 3}), {"dw.weight", "-127 to 127", "-128 at [3, 0, 1, 2]"}));
    CHECK(mentions(replaced("dw.weight", vector<std::int8_t>(63, 1), {7, 3, 3}), {"dw.weight", "[7, 1, 3, 3]"}));
}

namespace {
/// Two integers in, one out: y = clamp(round((bias + sum of x w) * s_x s_w / s_y)), x from 0 to 255, zero points 0.
struct one_dense final : sq::network<decltype(sq::input<1, 1, 2> | sq::flatten | sq::named<"fc">(sq::dense<1>))> {};
using dense_numbers = sq::numbers_chosen<sq::deployed<one_dense>, per_tensor8, uint8>;

sq::quantized_parameters<dense_numbers> dense_integers(std::int32_t bias, std::int32_t weight) {
    sq::quantized_parameters<dense_numbers> made;
    for (auto& layer : made.layers) layer.output = {1, 0};
    auto& fc = made[sq::node_count<dense_numbers> - 1];
    fc.weight = {weight, weight};
    fc.weight_map = {{1, 0}};
    fc.bias = {bias};
    return made;
}
std::string save_refusal(const sq::quantized_parameters<dense_numbers>& integers) {
    return io_test::failure([&] { sq::save_integers("/nowhere/x", integers); });
}
} // namespace

TEST_CASE("biases leave the sums room in int32, to the last integer") {
    // |x - z| <= 255 for any zero point, |w| <= 127, two products: 2 * 255 * 127 = 64770.
    constexpr std::int32_t most = 2147483647 - 64770;
    constexpr std::int32_t least = -2147483647 - 1 + 64770;
    for (const std::int32_t bias : {most, least, 0})
        CHECK(save_refusal(dense_integers(bias, 127)).find("a folder that takes a new file") != std::string::npos);
    const auto refused = [](std::int32_t bias, const std::string& found) {
        CHECK(io_test::reports(save_refusal(dense_integers(bias, 127)), "/nowhere/x", "fc.bias",
                               "biases from -2147418878 to 2147418877", found));
    };
    refused(most + 1, "2147418878 at [0]");
    refused(least - 1, "-2147418879 at [0]");
    refused(std::numeric_limits<std::int32_t>::max(), "2147483647 at [0]");
    refused(std::numeric_limits<std::int32_t>::min(), "-2147483648 at [0]");
}

TEST_CASE("a file's biases are held against the proof of the sums") {
    using q = numbers<per_channel8, int8, per_tensor8>;
    const auto message = refusal<q>([&](auto& to, const std::string& name, const io::tensor_view& tensor) {
        std::vector<std::int32_t> biases(7, 5);
        biases[2] = 2146609253; // 2^31 - 1 - 27 products of 255 * 127 is 2146609252
        if (name == "stem.bias")
            to.add(name, {7}, biases);
        else
            keep(to, name, tensor);
    });
    CHECK(mentions(message, {"'stem.bias'", "-2146609253 to 2146609252", "found 2146609253 at [2]"}));
}

TEST_CASE("scales whose multiplier no scheme can hold are refused") {
    const auto with_input = [](float scale) { // M = scale * 1 / 1
        auto integers = dense_integers(0, 1);
        for (auto& layer : integers.layers)
            if (layer.weight.empty()) layer.output.scale = scale;
        return save_refusal(integers);
    };
    for (const float scale : {3e38F, 0x1p30F})
        CHECK(io_test::reports(with_input(scale), "/nowhere/x", "fc.weight.scale", "below 2^30", "1 at [0]"));
    CHECK(with_input(0x1.fffffep29F).find("a folder that takes a new file") != std::string::npos); // the float before

    using q = numbers<per_channel8, int8, per_tensor8>;
    const auto with_scale = [](const std::string& changed, float scale) {
        return refusal<q>([&](auto& to, const std::string& name, const io::tensor_view& tensor) {
            if (name == changed)
                to.add(name, {1}, std::vector<float>{scale});
            else
                keep(to, name, tensor);
        });
    };
    CHECK(mentions(with_scale("input.scale", 3e38F), {"stem.weight.scale", "below 2^30"}));
    CHECK(mentions(with_scale("dw.scale", 1e-45F), {"dw.weight.scale", "below 2^30"}));
}

TEST_CASE("integers of other counts are refused where they are written") {
    auto integers = dense_integers(0, 1);
    integers[sq::node_count<dense_numbers> - 1].weight.pop_back();
    CHECK(io_test::reports(save_refusal(integers), "/nowhere/x", "fc.weight", "2 numbers", "1"));
    integers = dense_integers(0, 1);
    integers[sq::node_count<dense_numbers> - 1].bias.clear();
    CHECK(io_test::reports(save_refusal(integers), "/nowhere/x", "fc.bias", "1 numbers", "0"));
}

namespace {
/// A file of the same numbers as floats, whose order is known; a layer's biases are its scales where `scales` says so.
template <class Net, class Q>
io::safetensors as_floats(const sq::quantized_parameters<Q>& integers, const std::filesystem::path& path, bool scales) {
    sq::parameters<Net> floats;
    for (std::size_t i = 0; i < sq::node_count<Net>; ++i)
        for (std::size_t k = 0; k < sq::node_count<Q>; ++k) {
            if (!Net::nodes[i].is_linear() || Q::nodes[k].name != Net::nodes[i].name) continue;
            floats[i].weight.assign(integers[k].weight.begin(), integers[k].weight.end());
            floats[i].bias.assign(integers[k].bias.begin(), integers[k].bias.end());
            for (std::size_t c = 0; c < floats[i].bias.size() && scales; ++c)
                floats[i].bias[c] = integers[k].weight_map[c].scale;
        }
    sq::save(path, floats);
    return io::read_safetensors(path);
}

/// Integers behind `flatten` stand in their file where the same numbers stand in a file of floats.
template <class Net>
void check_order_behind_flatten(std::uint32_t seed) {
    using q = sq::numbers_chosen<sq::deployed<Net>, per_channel8, int8>;
    const io_test::temporary_folder folder;
    const auto integers = random_integers<q>(seed);
    sq::save_integers(folder.path() / "integers", integers);
    const auto stored = io::read_safetensors(folder.path() / "integers");
    const auto floats = as_floats<Net>(integers, folder.path() / "floats", false);
    const auto scales = as_floats<Net>(integers, folder.path() / "scales", true);
    for (const sq::node& n : Net::nodes) {
        if (!n.is_linear()) continue;
        const std::string layer(n.name.view());
        const auto same = [](const auto& values, const io::tensor_view& reals) {
            const auto expected = io::to_floats(reals);
            return std::ranges::equal(values, expected, [](auto a, float b) { return static_cast<float>(a) == b; });
        };
        CHECK(same(stored.at(layer + ".weight").template values<std::int8_t>(), floats.at(layer + ".weight")));
        CHECK(same(stored.at(layer + ".bias").template values<std::int32_t>(), floats.at(layer + ".bias")));
        CHECK(same(stored.at(layer + ".weight.scale").template values<float>(), scales.at(layer + ".bias")));
    }
    check_same(sq::load_integers<q>(folder.path() / "integers"), integers);
}
struct flat final : sq::network<decltype(sq::input<2, 3, 4> | sq::flatten | sq::named<"fc">(sq::dense<3>))> {};
struct flat_sum final
    : sq::network<decltype(sq::input<2, 3, 4> | sq::flatten | sq::residual(sq::named<"inner">(sq::dense<24>)) |
                           sq::convert | sq::named<"fc">(sq::dense<3>))> {};
} // namespace

TEST_CASE("integers behind flatten are counted as floats are") {
    check_order_behind_flatten<flat>(5);
    check_order_behind_flatten<flat_sum>(6);
}

TEST_CASE("a bias that is refused is named by its place in the file") {
    using q = sq::numbers_chosen<sq::deployed<flat_sum>, per_channel8, int8>;
    auto integers = random_integers<q>(7);
    for (std::size_t i = 0; i < sq::node_count<q>; ++i)
        if (q::nodes[i].name.view() == "inner") integers[i].bias[5] = std::numeric_limits<std::int32_t>::max();
    // Value 5 is channel 1 of pixel 1 (six pixels of four channels): 1 * 6 + 1 in the file.
    CHECK(io_test::reports(io_test::failure([&] { sq::save_integers("/nowhere/x", integers); }), "/nowhere/x",
                           "inner.bias", "biases from", "2147483647 at [7]"));
}
