// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/kernels/vector_kernels.hpp>
#include <statiq/simd/arch.hpp>

#ifdef STATIQ_COMPILED
#include <statiq/kernels/compiled/library.hpp>
#endif

#include <type_traits>

namespace statiq::kernels {

#ifdef STATIQ_COMPILED

/// Runs a kernel in vector registers, by the library's code. The front doors of kernels/ call it, and fall back to the
/// reference.
/// @return whether the kernel ran; if not, nothing has been computed
template <class Kernel, class Arch, class Arguments, class... Shape>
[[nodiscard]] inline bool run_vectors(const Arguments& of, const Shape&... shape) noexcept {
    using entry = typename compiled::serving<Kernel, Arguments, Shape...>::type;
    if constexpr (!std::is_same_v<Arch, simd::dispatched>)
        return false;
    else if constexpr (compiled::library::has<entry>)
        return compiled::function_of<entry>()(of, shape...);
    else
#ifdef STATIQ_NO_SIMD
        static_assert(sizeof(Arguments) == 0, "statiq: statiq::compiled has no kernel for these types: define "
                                              "STATIQ_HEADER_KERNELS, and this source compiles it");
#else
        return Kernel::template run<simd::vector_arch>(of, shape...);
#endif
}

#else

/// Runs a kernel in vector registers. The front doors of kernels/ call it, and fall back to the reference.
/// @tparam Kernel its code: `Kernel::template run<Arch>(arguments...)` returns whether it has computed them
/// @return whether the kernel ran; if not, nothing has been computed
template <class Kernel, class Arch, class... Arguments>
[[nodiscard]] inline bool run_vectors([[maybe_unused]] const Arguments&... arguments) noexcept {
    if constexpr (std::is_same_v<Arch, simd::scalar>)
        return false;
    else
        return Kernel::template run<Arch>(arguments...);
}

#endif

} // namespace statiq::kernels
