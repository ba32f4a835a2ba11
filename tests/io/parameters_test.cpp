// SPDX-License-Identifier: Apache-2.0
#include <statiq/execute/float_network.hpp>
#include <statiq/io/parameters.hpp>

#include <doctest/doctest.h>

#include "../support/random_network.hpp"
#include "../support/random_parameters.hpp"
#include "support.hpp"
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <vector>

using namespace statiq;
using io_test::failure;
using io_test::reports;

namespace {

constexpr std::string_view source = "made.safetensors";

io::safetensors file_of(const io::safetensors_builder& tensors) {
    io_test::temporary_folder folder;
    const auto path = folder.path() / source;
    io::write_safetensors(path, tensors);
    return io::parse_safetensors(io::read_file(path), std::string(source));
}

std::vector<float> counting_floats(std::size_t count, float first = 0) {
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count; ++i) values[i] = first + static_cast<float>(i);
    return values;
}

struct layouts final : network<decltype(input<4, 4, 6> | named<"grouped">(conv<4>(kernel<2, 3>, groups<2>)) |
                                        named<"depthwise">(depthwise_multiplied<3>(kernel<3, 1>)) |
                                        named<"plain">(conv<5>(kernel<1, 2>, without_bias)) | global_average_pool |
                                        named<"fc">(dense<2>))> {};

} // namespace

TEST_CASE("save and load give every parameter back, bit for bit") {
    io_test::temporary_folder folder;
    const auto path = folder.path() / "network.safetensors";
    std::mt19937 random(181);
    support::for_each_random_network([&]<class Net>() {
        const auto before = support::random_parameters<Net>(random);
        save(path, before, {{"origin", "a test"}});
        CHECK(load<Net>(path) == before);
        CHECK(folder.files() == 1);
    });
}

TEST_CASE("files have PyTorch's layouts: [out, in / groups, row, column], depthwise [out, 1, row, column]") {
    io::safetensors_builder tensors;
    tensors.add("grouped.weight", {4, 3, 2, 3}, counting_floats(72));
    tensors.add("grouped.bias", {4}, counting_floats(4, 100));
    tensors.add("depthwise.weight", {12, 1, 3, 1}, counting_floats(36));
    tensors.add("depthwise.bias", {12}, counting_floats(12, 200));
    tensors.add("plain.weight", {5, 12, 1, 2}, counting_floats(120));
    tensors.add("fc.weight", {2, 5}, counting_floats(10));
    tensors.add("fc.bias", {2}, counting_floats(2, 300));
    tensors.add("something.else", {1}, counting_floats(1)); // not the network's: left alone
    const auto read = io::read_parameters<layouts>(file_of(tensors));

    for (std::size_t o = 0; o < 4; ++o)
        for (std::size_t c = 0; c < 3; ++c)
            for (std::size_t ky = 0; ky < 2; ++ky)
                for (std::size_t kx = 0; kx < 3; ++kx)
                    CHECK(read[1].weight[((o * 2 + ky) * 3 + kx) * 3 + c] ==
                          static_cast<float>(((o * 3 + c) * 2 + ky) * 3 + kx));
    for (std::size_t o = 0; o < 12; ++o)
        for (std::size_t ky = 0; ky < 3; ++ky) CHECK(read[2].weight[ky * 12 + o] == static_cast<float>(o * 3 + ky));
    for (std::size_t o = 0; o < 5; ++o)
        for (std::size_t c = 0; c < 12; ++c)
            for (std::size_t kx = 0; kx < 2; ++kx)
                CHECK(read[3].weight[(o * 2 + kx) * 12 + c] == static_cast<float>((o * 12 + c) * 2 + kx));
    CHECK(read[5].weight == counting_floats(10));
    CHECK(read[1].bias == counting_floats(4, 100));
    CHECK(read[2].bias == counting_floats(12, 200));
    CHECK(read[3].bias.empty());
    CHECK(read[5].bias == counting_floats(2, 300));
}

namespace {

struct flattened final
    : network<decltype(input<3, 2, 4> | flatten | named<"fc">(dense<3>) | relu | named<"last">(dense<2>))> {};
struct with_relu final : network<decltype(input<3, 2, 4> | flatten | relu | named<"fc">(dense<3>))> {};
struct with_norm final
    : network<decltype(input<3, 2, 4> | flatten | named<"norm">(batch_norm) | relu6 | named<"fc">(dense<3>))> {};

/// What PyTorch flattens: channel, row, column. `image` is HWC.
std::vector<float> channel_first(std::span<const float> image, int height, int width, int channels) {
    std::vector<float> values;
    for (int c = 0; c < channels; ++c)
        for (int y = 0; y < height; ++y)
            for (int x = 0; x < width; ++x)
                values.push_back(image[static_cast<std::size_t>((y * width + x) * channels + c)]);
    return values;
}

std::vector<float> random_floats(std::mt19937& random, std::size_t count, double low, double high) {
    std::vector<float> values(count);
    for (float& value : values) value = support::uniform(random, low, high);
    return values;
}

/// weight * x + bias in double: [out][in].
std::vector<double> dense_of(const std::vector<float>& weight, const std::vector<float>& bias,
                             const std::vector<double>& x) {
    std::vector<double> y(bias.begin(), bias.end());
    for (std::size_t o = 0; o < y.size(); ++o)
        for (std::size_t i = 0; i < x.size(); ++i) y[o] += static_cast<double>(weight[o * x.size() + i]) * x[i];
    return y;
}

void check_close(std::span<const float> got, const std::vector<double>& expected) {
    REQUIRE(got.size() == expected.size());
    // At most 25 terms of at most 6 in each of two layers, each term rounded at most 30 times.
    for (std::size_t i = 0; i < got.size(); ++i)
        CHECK(std::abs(static_cast<double>(got[i]) - expected[i]) <= 2 * 30 * 0x1p-24 * 25 * 6);
}

} // namespace

TEST_CASE("a dense layer behind flatten counts channel first in files, and computes the same") {
    std::mt19937 random(182);
    const auto weight = random_floats(random, 72, -1, 1);
    const auto bias = random_floats(random, 3, -1, 1);
    const auto image = random_floats(random, 24, -1, 1);
    const auto chw = channel_first(image, 3, 2, 4);
    std::vector<double> x(chw.begin(), chw.end());

    SUBCASE("directly; the next one counts as it is") {
        const auto last = random_floats(random, 6, -0.3, 0.3);
        io::safetensors_builder tensors;
        tensors.add("fc.weight", {3, 24}, weight).add("fc.bias", {3}, bias);
        tensors.add("last.weight", {2, 3}, last).add("last.bias", {2}, std::vector<float>(2));
        const auto read = io::read_parameters<flattened>(file_of(tensors));
        CHECK(read[4].weight == last);
        auto hidden = dense_of(weight, bias, x);
        for (double& h : hidden) h = std::max(h, 0.0);
        float_network network(read);
        check_close(network(image), dense_of(last, {0, 0}, hidden));
    }
    SUBCASE("through an activation") {
        io::safetensors_builder tensors;
        tensors.add("fc.weight", {3, 24}, weight).add("fc.bias", {3}, bias);
        for (double& value : x) value = std::max(value, 0.0);
        float_network network(io::read_parameters<with_relu>(file_of(tensors)));
        check_close(network(image), dense_of(weight, bias, x));
    }
    SUBCASE("through a batch norm, whose channels are counted alike") {
        const auto gamma = random_floats(random, 24, 0.5, 1.5);
        const auto beta = random_floats(random, 24, -1, 1);
        const auto mean = random_floats(random, 24, -1, 1);
        const auto variance = random_floats(random, 24, 0.5, 2);
        io::safetensors_builder tensors;
        tensors.add("norm.bn.gamma", {24}, gamma).add("norm.bn.beta", {24}, beta);
        tensors.add("norm.bn.mean", {24}, mean).add("norm.bn.var", {24}, variance);
        tensors.add("fc.weight", {3, 24}, weight).add("fc.bias", {3}, bias);
        for (std::size_t i = 0; i < x.size(); ++i) {
            const double scale = static_cast<double>(gamma[i]) / std::sqrt(static_cast<double>(variance[i]) + 1e-3);
            x[i] = scale * (x[i] - static_cast<double>(mean[i])) + static_cast<double>(beta[i]);
            x[i] = std::min(std::max(x[i], 0.0), 6.0);
        }
        const auto read = io::read_parameters<with_norm>(file_of(tensors));
        float_network network(read);
        check_close(network(image), dense_of(weight, bias, x));
        io_test::temporary_folder folder;
        save(folder.path() / "norm.safetensors", read);
        const io::safetensors file = io::read_safetensors(folder.path() / "norm.safetensors");
        CHECK(file.at("norm.bn.mean").values<float>()[5] == mean[5]);
        CHECK(load<with_norm>(folder.path() / "norm.safetensors") == read);
    }
}

namespace {

struct net final : network<decltype(input<3, 3, 1> | named<"conv">(conv<2>(kernel<3>)) | batch_norm |
                                    global_average_pool | named<"fc">(dense<2>))> {};

struct tensor {
    std::string name;
    std::vector<std::int64_t> shape;
    std::vector<float> values;
};

/// The tensors of `net`.
std::vector<tensor> complete() {
    return {{"conv.weight", {2, 1, 3, 3}, counting_floats(18)},
            {"conv.bn.gamma", {2}, {1, 1}},
            {"conv.bn.beta", {2}, {0, 0}},
            {"conv.bn.mean", {2}, {0, 0}},
            {"conv.bn.var", {2}, {1, 1}},
            {"fc.weight", {2, 2}, counting_floats(4)},
            {"fc.bias", {2}, {0, 0}}};
}

io::safetensors file_of(const std::vector<tensor>& tensors) {
    io::safetensors_builder builder;
    for (const tensor& t : tensors) builder.add(t.name, t.shape, t.values);
    return file_of(builder);
}

std::string read_failure(const io::safetensors& file) {
    return failure([&] { (void)io::read_parameters<net>(file); });
}

} // namespace

TEST_CASE("the tensors asked for are exactly the network's") {
    CHECK(read_failure(file_of(complete())) == "");
    CHECK(io::read_parameters<net>(file_of(complete()))[1].bias.empty()); // batch norm follows
}

TEST_CASE("a missing tensor, another shape, a NaN or an infinity is refused with the file and the tensor") {
    for (std::size_t i = 0; i < complete().size(); ++i) {
        const std::string name = complete()[i].name;
        CAPTURE(name);
        auto without = complete();
        without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
        const std::string missing = read_failure(file_of(without));
        CHECK(missing.starts_with(source));
        CHECK(missing.find("'" + name + "'") != std::string::npos);

        auto longer = complete();
        longer[i].shape[0] = 3;
        longer[i].values.resize(longer[i].values.size() / 2 * 3);
        CHECK(reports(read_failure(file_of(longer)), source, name, "F32[2", "F32[3"));

        auto flat = complete();
        flat[i].shape.push_back(1);
        CHECK(reports(read_failure(file_of(flat)), source, name, "F32[2", ", 1]"));

        auto holed = complete();
        holed[i].values[1] = std::numeric_limits<float>::quiet_NaN();
        const std::string place = complete()[i].shape.size() == 4   ? " at [0, 0, 0, 1]"
                                  : complete()[i].shape.size() == 2 ? " at [0, 1]"
                                                                    : " at [1]";
        CHECK(reports(read_failure(file_of(holed)), source, name, "finite numbers", "a NaN" + place));
        holed[i].values[1] = -std::numeric_limits<float>::infinity();
        CHECK(reports(read_failure(file_of(holed)), source, name, "finite numbers", "minus an infinity" + place));
    }
}

TEST_CASE("a negative variance is refused, zero of either sign is one") {
    auto tensors = complete();
    tensors[4].values = {0.0F, -0.0F};
    CHECK(read_failure(file_of(tensors)) == "");
    tensors[4].values[1] = -0.25F;
    CHECK(reports(read_failure(file_of(tensors)), source, "conv.bn.var", "of at least 0", "-0.25 at [1]"));
    tensors[4].values[1] = -std::numeric_limits<float>::denorm_min();
    CHECK(reports(read_failure(file_of(tensors)), source, "conv.bn.var", "of at least 0", "-1e-45 at [1]"));
}

TEST_CASE("what load would refuse is not saved") {
    const io_test::temporary_folder folder;
    auto values = zero_parameters<net>();
    values[1].weight[3] = std::numeric_limits<float>::quiet_NaN(); // row 1, column 0 of the first kernel
    const auto path = folder.path() / "x.safetensors";
    CHECK(reports(failure([&] { save(path, values); }), path.string(), "conv.weight", "finite numbers",
                  "a NaN at [0, 0, 1, 0]"));
    CHECK(folder.files() == 0);
}

TEST_CASE("other floating-point types are converted, integers are refused") {
    auto without = complete();
    without.pop_back(); // fc.bias comes in other types
    const auto with_last = [&](auto... values) {
        io::safetensors_builder builder;
        for (const tensor& t : without) builder.add(t.name, t.shape, t.values);
        using element = std::common_type_t<decltype(values)...>;
        builder.add("fc.bias", {2}, std::vector<element>{values...});
        return file_of(builder);
    };
    CHECK(io::read_parameters<net>(with_last(0.5, -3.0))[4].bias == std::vector<float>{0.5F, -3});
    CHECK(reports(read_failure(with_last(std::int32_t{1}, std::int32_t{2})), source, "fc.bias", "F64, F32, F16 or BF16",
                  "I32"));
    CHECK(reports(read_failure(with_last(1e300, 0.0)), source, "fc.bias", "finite numbers",
                  "1e+300, an infinity in float, at [0]"));
    // Half a unit beyond the greatest float rounds to infinity, the double before it to the greatest float.
    CHECK(reports(read_failure(with_last(0.0, -0x1.ffffffp127)), source, "fc.bias", "finite numbers", "at [1]"));
    CHECK(io::read_parameters<net>(with_last(0.0, std::nextafter(0x1.ffffffp127, 0.0)))[4].bias[1] ==
          std::numeric_limits<float>::max());
    CHECK(reports(read_failure(with_last(0.0, std::numeric_limits<double>::quiet_NaN())), source, "fc.bias",
                  "finite numbers", "a NaN at [1]"));
    // Halves: 0x7C00 and 0x7F80 are the infinities, 0x7BFF and 0x7F7F the greatest numbers before them.
    CHECK(read_failure(with_last(io::float16{0x7BFF}, io::float16{0xFBFF})) == "");
    CHECK(reports(read_failure(with_last(io::float16{0}, io::float16{0x7C00})), source, "fc.bias", "finite numbers",
                  "an infinity at [1]"));
    CHECK(reports(read_failure(with_last(io::float16{0xFC01}, io::float16{0})), source, "fc.bias", "finite numbers",
                  "a NaN at [0]"));
    CHECK(read_failure(with_last(io::bfloat16{0x7F7F}, io::bfloat16{0xFF7F})) == "");
    CHECK(reports(read_failure(with_last(io::bfloat16{0}, io::bfloat16{0xFFFF})), source, "fc.bias", "finite numbers",
                  "a NaN at [1]"));
}

TEST_CASE("a file that cannot be read or written is named") {
    io_test::temporary_folder folder;
    const auto nowhere = folder.path() / "nowhere" / "x.safetensors";
    CHECK(failure([&] { (void)load<net>(nowhere); }).starts_with(nowhere.string()));
    CHECK(failure([&] { save(nowhere, zero_parameters<net>()); }).find("nowhere") != std::string::npos);
    CHECK(folder.files() == 0);
}
