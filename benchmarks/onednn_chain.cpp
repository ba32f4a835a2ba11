// SPDX-License-Identifier: Apache-2.0
#include "onednn_chain.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <dlfcn.h>
#include <new>
#include <oneapi/dnnl/dnnl.hpp>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace benchmarks {
namespace {

using dnnl::memory;
using statiq::node;
using statiq::operation;
using tag = memory::format_tag;

/// oneDNN's own OpenMP runtime, whichever the compiler of this program would link.
template <class Function>
Function* openmp(const char* name) {
    return reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, name));
}
void use_threads(int count) {
    static auto* const set = openmp<void(int)>("omp_set_num_threads");
    if (set != nullptr) set(count);
}

struct aligned_bytes {
    explicit aligned_bytes(std::size_t size)
        : data(static_cast<std::byte*>(::operator new (size, std::align_val_t{64}))) {
        std::fill_n(data, size, std::byte{});
    }
    aligned_bytes(aligned_bytes&& other) noexcept : data(std::exchange(other.data, nullptr)) {}
    aligned_bytes& operator=(aligned_bytes&&) = delete;
    aligned_bytes(const aligned_bytes&) = delete;
    aligned_bytes& operator=(const aligned_bytes&) = delete;
    ~aligned_bytes() { ::operator delete (data, std::align_val_t{64}); }
    std::byte* data;
};

/// A tensor between primitives: its layout, and which of the shared buffers holds it.
struct place {
    memory::desc layout;
    int buffer = -1;
};

struct argument {
    int name;
    place at;        ///< where, unless it is
    memory constant; ///< a constant
};

struct step {
    dnnl::primitive primitive;
    std::vector<argument> arguments;
    std::vector<memory> memories{};
    std::vector<dnnl_exec_arg_t> bound{};
};

memory::dims image(const statiq::extents& e) { return {1, e.channels, e.height, e.width}; }

template <class T>
constexpr memory::data_type type_of() {
    if constexpr (std::is_same_v<T, std::int8_t>) return memory::data_type::s8;
    if constexpr (std::is_same_v<T, std::int32_t>) return memory::data_type::s32;
    return memory::data_type::f32;
}

} // namespace

struct onednn_chain::state {
    dnnl::engine engine{dnnl::engine::kind::cpu, 0};
    dnnl::stream stream{engine};
    std::span<const node> nodes;
    std::span<const statiq::quantized_layer> integers{};
    std::span<const statiq::layer_parameters> reals{};
    int threads;

    std::vector<place> places;
    std::vector<int> last_reader;     ///< of each node
    std::vector<int> residual_of;     ///< for a convolution whose sum is a post-op: the sum's node, else -1
    std::vector<std::size_t> sizes{}; ///< of the buffers
    std::vector<int> free_buffers{};
    std::vector<step> steps{};
    std::vector<aligned_bytes> buffers{};

    state(std::span<const node> graph, int count)
        : nodes(graph), threads(count), places(graph.size()), last_reader(graph.size(), static_cast<int>(graph.size())),
          residual_of(graph.size(), -1) {
        use_threads(threads);
    }

    [[nodiscard]] bool in_integers() const { return !integers.empty(); }
    [[nodiscard]] memory::data_type activations() const {
        return in_integers() ? memory::data_type::u8 : memory::data_type::f32;
    }
    [[nodiscard]] float scale(int i) const { return integers[static_cast<std::size_t>(i)].output.scale; }
    [[nodiscard]] static place& at(std::vector<place>& list, int i) { return list[static_cast<std::size_t>(i)]; }

    // ---- buffers -----------------------------------------------------------------------------------------------

    int take_buffer(const memory::desc& layout) {
        int buffer = static_cast<int>(sizes.size());
        if (free_buffers.empty()) {
            sizes.push_back(0);
        } else {
            buffer = free_buffers.back();
            free_buffers.pop_back();
        }
        auto& size = sizes[static_cast<std::size_t>(buffer)];
        size = std::max(size, layout.get_size());
        return buffer;
    }
    place take(const memory::desc& layout) { return {layout, take_buffer(layout)}; }

    // ---- steps -------------------------------------------------------------------------------------------------

    static dnnl::primitive_attr attributes(const dnnl::post_ops& after = {}) {
        dnnl::primitive_attr result;
        result.set_scratchpad_mode(dnnl::scratchpad_mode::user);
        result.set_post_ops(after);
        return result;
    }

    void append_clamp(dnnl::post_ops& after, const statiq::real_clamp& clamp) const {
        if (!clamp.bounds()) return;
        // In bytes without zero point, the type's limits are relu6's.
        if (clamp == statiq::relu_clamp || in_integers())
            after.append_eltwise(1.0F, dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
        else
            after.append_eltwise(1.0F, dnnl::algorithm::eltwise_clip, clamp.lowest, clamp.highest);
    }

    /// A node's output in the layout that a primitive reads.
    place in_layout(int i, const memory::desc& wanted) {
        place& source = at(places, i);
        if (source.buffer < 0) source = take(wanted); // the network's input: no layout yet
        if (source.layout == wanted) return source;
        const place changed = take(wanted);
        const dnnl::reorder::primitive_desc reorder(engine, source.layout, engine, wanted);
        steps.push_back({dnnl::reorder(reorder), {{DNNL_ARG_SRC, source, {}}, {DNNL_ARG_DST, changed, {}}}});
        temporaries.push_back(changed.buffer);
        return changed;
    }
    std::vector<int> temporaries{};

    template <class Descriptor>
    void add_step(const Descriptor& descriptor, dnnl::primitive primitive, std::vector<argument> arguments) {
        const place scratch = take(descriptor.scratchpad_desc());
        arguments.push_back({DNNL_ARG_SCRATCHPAD, scratch, {}});
        temporaries.push_back(scratch.buffer);
        steps.push_back({std::move(primitive), std::move(arguments)});
    }

    /// A constant, given in a plain layout, as a primitive wants it.
    template <class T>
    memory constant(std::vector<T> values, const memory::dims& extents, tag plain, const memory::desc& wanted) {
        const memory given({extents, type_of<T>(), plain}, engine, values.data());
        memory result(wanted, engine);
        dnnl::reorder(given, result).execute(stream, const_cast<memory&>(given), result);
        stream.wait();
        return result;
    }

    /// [group][out][in][row][column] of natural weights.
    template <class T, class Natural>
    static std::vector<T> plain_weights(const statiq::convolution_shape& s, const std::vector<Natural>& natural) {
        std::vector<T> plain;
        plain.reserve(s.weight_count());
        for (int o = 0; o < s.out.channels; ++o)
            for (int c = 0; c < s.in_channels_per_group(); ++c)
                for (int tap = 0; tap < s.over.taps(); ++tap)
                    plain.push_back(static_cast<T>(natural[s.weight_index(o, tap, c)]));
        return plain;
    }

    /// Scales from the accumulator to the output of node `to`, biases and weights of a linear node.
    [[nodiscard]] std::vector<float> output_scales(int i, int to) const {
        const auto& layer = integers[static_cast<std::size_t>(i)];
        std::vector<float> scales;
        for (const statiq::affine& map : layer.weight_map)
            scales.push_back(scale(nodes[static_cast<std::size_t>(i)].input()) * map.scale / scale(to));
        return scales;
    }
    memory weights(int i, const memory::dims& extents, tag plain, const memory::desc& wanted) {
        const auto k = static_cast<std::size_t>(i);
        const statiq::convolution_shape s = nodes[k].convolution();
        if (in_integers()) return constant(plain_weights<std::int8_t>(s, integers[k].weight), extents, plain, wanted);
        return constant(plain_weights<float>(s, reals[k].weight), extents, plain, wanted);
    }
    memory biases(int i, const memory::desc& wanted) {
        const auto k = static_cast<std::size_t>(i);
        const memory::dims extents{nodes[k].out.channels};
        if (in_integers()) return constant(integers[k].bias, extents, tag::x, wanted);
        std::vector<float> bias = reals[k].bias;
        bias.resize(static_cast<std::size_t>(nodes[k].out.channels));
        return constant(bias, extents, tag::x, wanted);
    }
    [[nodiscard]] memory::data_type weight_type() const {
        return in_integers() ? memory::data_type::s8 : memory::data_type::f32;
    }
    [[nodiscard]] memory::data_type bias_type() const {
        return in_integers() ? memory::data_type::s32 : memory::data_type::f32;
    }

    void convolution(int i) {
        const node& n = nodes[static_cast<std::size_t>(i)];
        const statiq::convolution_shape s = n.convolution();
        const statiq::window& w = s.over;
        const int sum = residual_of[static_cast<std::size_t>(i)];
        const int result = sum < 0 ? i : sum;
        const auto bottom = [](int in, int out, int kernel, int stride, int dilation, int pad) {
            return (out - 1) * stride + (kernel - 1) * dilation + 1 - in - pad;
        };
        const memory::dims before{w.pad_top, w.pad_left};
        const memory::dims after{
            bottom(s.in.height, s.out.height, w.kernel_height, w.stride_height, w.dilation_height, w.pad_top),
            bottom(s.in.width, s.out.width, w.kernel_width, w.stride_width, w.dilation_width, w.pad_left)};
        memory::dims kernel{s.out.channels, s.in.channels, w.kernel_height, w.kernel_width};
        tag plain = tag::oihw;
        if (s.groups > 1) {
            kernel = {s.groups, s.out_channels_per_group(), s.in_channels_per_group(), w.kernel_height, w.kernel_width};
            plain = tag::goihw;
        }

        dnnl::post_ops post;
        memory::desc destination(image(s.out), activations(), tag::any);
        place target;
        if (sum >= 0) {
            target = at(places, residual_source(sum, i));
            destination = target.layout;
            post.append_sum(in_integers() ? scale(residual_source(sum, i)) / scale(sum) : 1.0F);
        }
        append_clamp(post, nodes[static_cast<std::size_t>(result)].clamp);
        dnnl::primitive_attr with = attributes(post);
        if (in_integers()) with.set_output_scales(1 << 1, output_scales(i, result));

        const dnnl::convolution_forward::desc description(
            dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
            {image(s.in), activations(), tag::any}, {kernel, weight_type(), tag::any},
            {{s.out.channels}, bias_type(), tag::x}, destination, {w.stride_height, w.stride_width},
            {w.dilation_height - 1, w.dilation_width - 1}, before, after);
        const dnnl::convolution_forward::primitive_desc chosen(description, with, engine);
        const place source = in_layout(n.input(), chosen.src_desc());
        if (sum < 0) target = take(chosen.dst_desc());
        at(places, result) = target;
        add_step(chosen, dnnl::convolution_forward(chosen),
                 {{DNNL_ARG_SRC, source, {}},
                  {DNNL_ARG_WEIGHTS, {}, weights(i, kernel, plain, chosen.weights_desc())},
                  {DNNL_ARG_BIAS, {}, biases(i, chosen.bias_desc())},
                  {DNNL_ARG_DST, target, {}}});
    }

    void dense(int i) {
        const node& n = nodes[static_cast<std::size_t>(i)];
        const memory::dims kernel{n.out.channels, n.in.channels, n.in.height, n.in.width};
        dnnl::post_ops post;
        append_clamp(post, n.clamp);
        dnnl::primitive_attr with = attributes(post);
        if (in_integers()) with.set_output_scales(1 << 1, output_scales(i, i));
        const dnnl::inner_product_forward::desc description(
            dnnl::prop_kind::forward_inference, {image(n.in), activations(), tag::any},
            {kernel, weight_type(), tag::any}, {{n.out.channels}, bias_type(), tag::x},
            {{1, n.out.channels}, activations(), tag::any});
        const dnnl::inner_product_forward::primitive_desc chosen(description, with, engine);
        const place source = in_layout(n.input(), chosen.src_desc());
        const place target = at(places, i) = take(chosen.dst_desc());
        add_step(chosen, dnnl::inner_product_forward(chosen),
                 {{DNNL_ARG_SRC, source, {}},
                  {DNNL_ARG_WEIGHTS, {}, weights(i, kernel, tag::oihw, chosen.weights_desc())},
                  {DNNL_ARG_BIAS, {}, biases(i, chosen.bias_desc())},
                  {DNNL_ARG_DST, target, {}}});
    }

    void global_pool(int i) {
        const node& n = nodes[static_cast<std::size_t>(i)];
        if (in_integers() && scale(n.input()) != scale(i)) refuse(i, "another scale than its input");
        const place source = at(places, n.input());
        const dnnl::pooling_forward::desc description(
            dnnl::prop_kind::forward_inference, dnnl::algorithm::pooling_avg_exclude_padding, source.layout,
            {image(n.out), activations(), tag::any}, {1, 1}, {n.in.height, n.in.width}, {0, 0}, {0, 0});
        const dnnl::pooling_forward::primitive_desc chosen(description, attributes(), engine);
        const place target = at(places, i) = take(chosen.dst_desc());
        add_step(chosen, dnnl::pooling_forward(chosen), {{DNNL_ARG_SRC, source, {}}, {DNNL_ARG_DST, target, {}}});
    }

    /// The residual input of a sum one of whose inputs is convolution `i`.
    [[nodiscard]] int residual_source(int sum, int i) const {
        const node& n = nodes[static_cast<std::size_t>(sum)];
        return n.inputs[0] == i ? n.inputs[1] : n.inputs[0];
    }

    [[noreturn]] void refuse(int i, const std::string& why) const {
        const node& n = nodes[static_cast<std::size_t>(i)];
        throw std::runtime_error("no oneDNN counterpart: " + std::string(n.name.view()) + " (" + std::string(n.word()) +
                                 "): " + why);
    }

    /// Who reads what last, and which convolutions a sum can be part of: those whose only reader is the sum, right
    /// before it, where nothing reads the other input later.
    void analyze() {
        const int size = static_cast<int>(nodes.size());
        std::vector<int> readers(nodes.size(), 0);
        for (int i = 0; i < size; ++i) {
            const node& n = nodes[static_cast<std::size_t>(i)];
            for (int k = 0; k < n.input_count; ++k) {
                const auto input = static_cast<std::size_t>(n.inputs[static_cast<std::size_t>(k)]);
                last_reader[input] = i;
                ++readers[input];
            }
        }
        for (int i = 1; i < size; ++i) {
            const node& n = nodes[static_cast<std::size_t>(i)];
            const node& before = nodes[static_cast<std::size_t>(i - 1)];
            if (!n.is<operations::add>() || n.input_count != 2 || !before.is<operations::convolution>() ||
                before.fused != statiq::activation::none || readers[static_cast<std::size_t>(i - 1)] != 1)
                continue;
            const int other = residual_source(i, i - 1);
            if (other != i - 1 && last_reader[static_cast<std::size_t>(other)] == i)
                residual_of[static_cast<std::size_t>(i - 1)] = i;
        }
    }

    void build() {
        analyze();
        const int size = static_cast<int>(nodes.size());
        for (int i = 0; i < size; ++i) {
            const node& n = nodes[static_cast<std::size_t>(i)];
            if (in_integers() && integers[static_cast<std::size_t>(i)].output.zero_point != 0)
                refuse(i, "a zero point");
            if (n.is<operations::convolution>())
                convolution(i);
            else if (n.is<operations::dense>())
                dense(i);
            else if (n.is<operations::global_average_pool>())
                global_pool(i);
            else if (n.is<operations::add>() && residual_of[static_cast<std::size_t>(i - 1)] != i)
                refuse(i, "not the sum of a residual block");
            else if (!n.is_source() && !n.is<operations::add>())
                refuse(i, "not supported");
            for (const int buffer : std::exchange(temporaries, {})) free_buffers.push_back(buffer);
            if (n.is<operations::add>()) continue; // it stands where its residual input stood
            for (int k = 1; k < i; ++k)            // the network's input stays
                if (last_reader[static_cast<std::size_t>(k)] == i) free_buffers.push_back(at(places, k).buffer);
        }
        for (const std::size_t bytes : sizes) buffers.emplace_back(std::max<std::size_t>(bytes, 1));
        for (step& s : steps) {
            for (const argument& a : s.arguments)
                s.memories.push_back(
                    a.at.buffer < 0 ? a.constant
                                    : memory(a.at.layout, engine, buffers[static_cast<std::size_t>(a.at.buffer)].data));
            for (std::size_t k = 0; k < s.arguments.size(); ++k)
                s.bound.push_back({s.arguments[k].name, s.memories[k].get()});
        }
    }

    [[nodiscard]] memory memory_of(const place& p) {
        return {p.layout, engine, buffers[static_cast<std::size_t>(p.buffer)].data};
    }
};

onednn_chain::onednn_chain(std::span<const node> nodes, std::span<const statiq::quantized_layer> integers, int threads)
    : state_(std::make_unique<state>(nodes, threads)) {
    state_->integers = integers;
    state_->build();
}
onednn_chain::onednn_chain(std::span<const node> nodes, std::span<const statiq::layer_parameters> reals, int threads)
    : state_(std::make_unique<state>(nodes, threads)) {
    state_->reals = reals;
    state_->build();
}
onednn_chain::onednn_chain(onednn_chain&&) noexcept = default;
onednn_chain& onednn_chain::operator=(onednn_chain&&) noexcept = default;
onednn_chain::~onednn_chain() = default;

void onednn_chain::set_input(const void* sample) {
    state& s = *state_;
    use_threads(s.threads);
    memory given({image(s.nodes[0].out), s.activations(), tag::nhwc}, s.engine, const_cast<void*>(sample));
    memory wanted = s.memory_of(s.places.front());
    dnnl::reorder(given, wanted).execute(s.stream, given, wanted);
    s.stream.wait();
}

void onednn_chain::run() {
    state& s = *state_;
    use_threads(s.threads);
    // The C interface: its argument lists were made once, the C++ interface would make a map at every call.
    for (const step& one : s.steps)
        dnnl_primitive_execute(one.primitive.get(), s.stream.get(), static_cast<int>(one.bound.size()),
                               one.bound.data());
    s.stream.wait();
}

std::vector<float> onednn_chain::output() const {
    state& s = *state_;
    const node& last = s.nodes.back();
    std::vector<float> values(last.out.size());
    const bool flat = s.places.back().layout.dims().size() == 2;
    memory from = s.memory_of(s.places.back());
    const auto read = [&]<class T>(std::vector<T> stored) {
        memory to({s.places.back().layout.dims(), s.activations(), flat ? tag::nc : tag::nhwc}, s.engine,
                  stored.data());
        dnnl::reorder(from, to).execute(s.stream, from, to);
        s.stream.wait();
        std::copy(stored.begin(), stored.end(), values.begin());
    };
    if (s.in_integers())
        read(std::vector<std::uint8_t>(values.size()));
    else
        read(std::vector<float>(values.size()));
    return values;
}

bool onednn_chain::saturates() {
    constexpr unsigned vnni =
        static_cast<unsigned>(dnnl_cpu_isa_avx512_core_vnni) & ~unsigned{dnnl_cpu_isa_avx512_core};
    constexpr unsigned avx_vnni = static_cast<unsigned>(dnnl_cpu_isa_avx2_vnni) & ~unsigned{dnnl_cpu_isa_avx2};
    return (static_cast<unsigned>(dnnl_get_effective_cpu_isa()) & (vnni | avx_vnni)) == 0;
}

int onednn_chain::processors() {
    auto* const count = openmp<int()>("omp_get_num_procs");
    return count == nullptr ? 1 : count();
}

} // namespace benchmarks
