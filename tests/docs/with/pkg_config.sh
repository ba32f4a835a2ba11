# SPDX-License-Identifier: Apache-2.0
# Compiles a program as the page says, with the package that was installed and moved, and runs it.
cat > app.cpp <<'END'
#include <cstdio>
#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/plan/facts.hpp>

struct network final : statiq::network<decltype(statiq::input<8, 8, 3> | statiq::pointwise<4>)> {};

int main() { std::printf("%lld products", static_cast<long long>(statiq::multiply_accumulates<network>)); }
END
. ./1.sh
test "$(./app)" = "$((8 * 8 * 3 * 4)) products"
echo "compiled and run with pkg-config"
