// SPDX-License-Identifier: Apache-2.0
#include <statiq/execute/dispatch.hpp>
#include <statiq/kernels/compiled/library.hpp>

extern "C" const statiq::variant_list statiq_kernels_variants;

const void* statiq_compiled_kernels_1() noexcept {
    static const void* const best = statiq::best_variant<void>(statiq_kernels_variants);
    return best;
}
