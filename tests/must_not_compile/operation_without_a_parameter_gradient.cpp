// SPDX-License-Identifier: Apache-2.0
// Training moves an operation's parameters by the gradients that it defines.
// rejects: operation_lacks<statiq::layer_name<'g', 'a', 'i', 'n'>, statiq::definition_of_parameter_gradient>
#include <statiq/operations/library.hpp>
#include <statiq/train/training_network.hpp>

using namespace statiq;

struct gain {
    static constexpr std::string_view word = "gain";
    static constexpr operation_traits traits{.keeps_input = true};
    static constexpr std::size_t one(const node&) { return 1; }
    static constexpr std::array<parameter_tensor, 1> tensors{{{"factor", &layer_parameters::weight, one, 1.0F}}};

    static constexpr void shape(shape_context& c) { c.n.out = c.n.in; }
    template <class Call>
    static void reals(const Call& c) noexcept {
        for (std::size_t i = 0; i < c.n.out.size(); ++i) c.output[i] = c.parameters.weights[0] * c.input(0)[i];
    }
    template <class Call>
    static void gradient(const Call& c) noexcept {
        for (std::size_t i = 0; i < c.n.out.size(); ++i) c.gradient[i] = c.parameters[0] * c.output_gradient[i];
    }
#ifndef STATIQ_REJECT
    template <class Call>
    static void parameter_gradient(const Call& c) noexcept {
        for (std::size_t i = 0; i < c.n.out.size(); ++i) c.gradient[0] += c.output_gradient[i] * c.input(0)[i];
    }
#endif
};

constexpr auto body = input<1, 1, 8> | dense<4> | layer_of<gain>;
struct net final : network<decltype(body)> {};
static_assert(sizeof(training_network<net>) > 0);
