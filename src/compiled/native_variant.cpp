// SPDX-License-Identifier: Apache-2.0
#include <statiq/execute/dispatch.hpp>

extern "C" {
const void* statiq_kernels_native() noexcept;
extern const statiq::variant_list statiq_kernels_variants;
}

namespace {

bool is_supported() noexcept { return true; }
constexpr statiq::variant only{"native", &is_supported, &statiq_kernels_native};

} // namespace

constinit const statiq::variant_list statiq_kernels_variants{&only, 1};
