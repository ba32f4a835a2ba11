// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/language.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>

namespace statiq {

struct affine;
struct interval;
struct node;
struct number_format;
struct parameter_tensor;
struct shape_context;

/// How output channels follow from input channels. Files need to know it, because they count the channels of flattened
/// images in another order (io/channel_order.hpp).
enum class channel_flow : std::uint8_t {
    kept,       ///< computed channel by channel
    made,       ///< new: a channel of the output is no channel of the input
    summed,     ///< each combines the inputs' channels of its place
    joined,     ///< the second input's stand behind the first's
    reshaped,   ///< spread over other extents in HWC order
    transposed, ///< moved among the axes
    repeated    ///< kept, or one repeated for all
};

/// What graphs, passes, plans, executions and training ask of any operation. Each says what holds where it is set.
struct operation_traits {
    bool source = false;         ///< it reads nothing: the network's input
    bool joins = false;          ///< it reads two tensors or more, which are stored as its output is
    bool linear = false;         ///< sums of inputs times weights, and a bias
    bool flat = false;           ///< its weights are a matrix on a flat vector
    bool windowed = false;       ///< a window moves over the image
    bool normalizes = false;     ///< batch norm
    bool clamps = false;         ///< it is its node's clamp, and nothing else
    bool takes_clamp = false;    ///< it clamps its result as its node says
    bool converts = false;       ///< from one number format to another
    bool keeps_numbers = false;  ///< its integers are its input's, at the same scale and zero point
    bool moves_no_data = false;  ///< its output is its input's memory
    bool homogeneous = false;    ///< f(a x) = a f(x) channel by channel, for a > 0
    bool rounds = false;         ///< its integers are rounded anew: neither moved nor kept
    bool keeps_input = false;    ///< its way back reads what it has read
    bool keeps_output = false;   ///< its way back reads what it has written
    bool gradient_stays = false; ///< its way back may write an input's gradient over its output's
    channel_flow channels = channel_flow::kept;
    friend constexpr bool operator==(const operation_traits&, const operation_traits&) = default;
};

/// Why an operation cannot be computed in some formats. Each becomes a rejection (passes/choose_numbers.hpp).
enum class number_defect : unsigned char {
    none,
    batch_norm,
    activation_scales,
    float_weights,
    weight_groups,
    softmax_format,
    table_softmax_inputs,
    format,
    overflow,
    no_proof,
    no_integers,
    no_reals
};

/// Describes an operation to nodes: its word, its traits, and its functions that call no kernels. A function that the
/// operation does not have is null.
struct operation_facts {
    std::string_view word{};
    operation_traits traits{};
    void (*shape)(shape_context&) = nullptr;
    /// Every value that its sums can take in integers, whatever the data and the zero points: the proof that they fit.
    interval (*sums)(const node&, const number_format& input) = nullptr;
    number_defect (*find_defect)(const node&, const number_format& input) = nullptr;
    /// The largest real multiplier that its preparation makes of its inputs' scales and its output's; 0 where it makes
    /// none. Where it is absent, the largest s_x / s_y counts.
    double (*multiplier)(std::span<const float> inputs, float output) = nullptr;
    affine (*fixed_output)(const number_format&) = nullptr; ///< the output's map, where it depends on no data
    std::string_view (*word_of)(const node&) = nullptr;     ///< where nodes of one operation have several words
    /// Floats that its integers read, and `fill_table` writes.
    std::size_t (*table_size)(const node&, const number_format& input) = nullptr;
    const parameter_tensor* tensors = nullptr;
    std::size_t tensor_count = 0;
    std::uint64_t fingerprint = 0; ///< tells operations of one word apart in stored parameters
    bool has_reals = false;        ///< a definition in float, or nothing to define
    bool has_integers = false;     ///< a definition in integers, or nothing to define
    bool has_gradient = false;
    bool has_parameter_gradient = false;
};

namespace detail {

/// An argument to ask whether an operation has a function that takes calls.
struct any_call {};

template <class Op>
concept has_reals = requires {
    &Op::template reals<any_call>;
};
template <class Op>
concept has_integers = requires {
    &Op::template integers<any_call>;
};
template <class Op>
concept has_prepare = requires {
    &Op::template prepare<any_call>;
};
template <class Op>
concept has_gradient = requires {
    &Op::template gradient<any_call>;
};

template <class Op>
concept has_parameter_gradient = requires {
    &Op::template parameter_gradient<any_call>;
};

template <class Op>
constexpr operation_facts make_facts() {
    constexpr operation_traits traits = Op::traits;
    constexpr bool by_executions = traits.source || traits.moves_no_data || traits.linear;
    operation_facts facts{.word = Op::word,
                          .traits = traits,
                          .shape = Op::shape,
                          .has_reals = by_executions || has_reals<Op>,
                          .has_integers = by_executions || has_integers<Op>,
                          .has_gradient = by_executions || traits.normalizes || has_gradient<Op>,
                          .has_parameter_gradient = has_parameter_gradient<Op>};
    if constexpr (requires { Op::sums; }) facts.sums = Op::sums;
    if constexpr (requires { Op::find_defect; }) facts.find_defect = Op::find_defect;
    if constexpr (requires { Op::multiplier; }) facts.multiplier = Op::multiplier;
    if constexpr (requires { Op::fixed_output; }) facts.fixed_output = Op::fixed_output;
    if constexpr (requires { Op::word_of; }) facts.word_of = Op::word_of;
    if constexpr (requires { Op::table_size; }) facts.table_size = Op::table_size;
    if constexpr (requires { Op::fingerprint; }) facts.fingerprint = Op::fingerprint;
    if constexpr (requires { Op::tensors; }) {
        facts.tensors = Op::tensors.data();
        facts.tensor_count = Op::tensors.size();
    }
    return facts;
}

} // namespace detail

/// The facts of an operation, a struct with `word`, `traits`, `shape` and what else it has (docs/extending.md). Their
/// address stands for the operation.
template <class Op>
inline constexpr operation_facts facts_of = detail::make_facts<Op>();

/// The types of some operations. Nodes name operations by address; a list finds the types again.
template <class... Ops>
struct operation_list {};

namespace detail {

/// Calls f(std::type_identity<Op>{}) with the operation of the list whose facts these are.
/// @return whether there is one
template <class... Ops, class F>
constexpr bool visit_operation(operation_list<Ops...>, const operation_facts* facts, F&& f) {
    return ((facts == &facts_of<Ops> ? (f(std::type_identity<Ops>{}), true) : false) || ...);
}

template <class... Ops>
constexpr bool holds_operation(operation_list<Ops...>, const operation_facts* facts) {
    return ((facts == &facts_of<Ops>) || ...);
}

/// Where an operation stands in a list; behind the list's end if it is not there.
template <class... Ops>
constexpr std::size_t place_in(operation_list<Ops...>, const operation_facts* facts) {
    std::size_t place = 0;
    static_cast<void>(((facts == &facts_of<Ops> || (++place, false)) || ...));
    return place;
}
template <std::size_t Place, class List>
struct operation_in;
template <std::size_t Place, class... Ops>
struct operation_in<Place, operation_list<Ops...>> {
    static constexpr bool listed = Place < sizeof...(Ops);
    static_assert(listed, "statiq: a pass puts in an operation that its `adds` does not name");
    using type = std::tuple_element_t<listed ? Place : 0, std::tuple<Ops...>>;
};

template <class... Ops>
struct type_set : std::type_identity<Ops>... {};

template <class List, class... More>
struct list_with {
    using type = List;
};
template <class... Ops, class Next, class... More>
struct list_with<operation_list<Ops...>, Next, More...>
    : list_with<std::conditional_t<std::is_base_of_v<std::type_identity<Next>, type_set<Ops...>>,
                                   operation_list<Ops...>, operation_list<Ops..., Next>>,
                More...> {};
template <class List, class Other>
struct joined_lists;
template <class List, class... Others>
struct joined_lists<List, operation_list<Others...>> : list_with<List, Others...> {};

} // namespace detail

/// The operations of two lists, each once.
template <class List, class Other>
using operations_of_both = typename detail::joined_lists<List, Other>::type;

} // namespace statiq
