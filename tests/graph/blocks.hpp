// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/graph/network.hpp>
#include <statiq/operations/library.hpp>

/// Parts of well-known architectures, written with the library's vocabulary.
namespace architectures {

using namespace statiq;

/// `Count` parts of the same kind in scopes "<prefix>0", "<prefix>1", …; make(n) gives part n.
template <label Prefix, int Count, int First = 0>
constexpr auto repeated(auto make) {
    constexpr label name = Prefix + First;
    if constexpr (Count == 1)
        return named<name>(make());
    else
        return named<name>(make()) | repeated<Prefix, Count - 1, First + 1>(make);
}

// ---- RepVGG ----------------------------------------------------------------------------------------------------

/// The training-time block: 3 x 3, 1 x 1 and, where the shape stays, identity, each with its own batch norm.
template <int Channels, int Stride>
constexpr auto repvgg_block() {
    constexpr auto square = named<"conv3x3">(conv<Channels>(kernel<3>, stride<Stride>) | batch_norm);
    constexpr auto point = named<"conv1x1">(conv<Channels>(stride<Stride>) | batch_norm);
    if constexpr (Stride == 1)
        return add(square, point, named<"identity">(batch_norm)) | relu;
    else
        return add(square, point) | relu;
}
template <label Name, int Channels, int Count>
constexpr auto repvgg_stage() {
    constexpr auto first = named<"block0">(repvgg_block<Channels, 2>());
    if constexpr (Count == 1)
        return named<Name>(first);
    else
        return named<Name>(first | repeated<"block", Count - 1, 1>([] { return repvgg_block<Channels, 1>(); }));
}

} // namespace architectures
