// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <statiq/language.hpp>

#include <boost/hana/concat.hpp>
#include <boost/hana/for_each.hpp>
#include <boost/hana/fuse.hpp>
#include <boost/hana/tuple.hpp>
#include <boost/hana/unpack.hpp>

#include <utility>

/// The only header that knows Boost.Hana: the heterogeneous lists that carry a user's graph. Everything after the
/// user's expression (shapes, passes, plans) works on constexpr arrays of plain structs instead, because those stay
/// flat in compile time as networks grow.
namespace statiq::sequence {

template <class... Parts>
using list = boost::hana::tuple<Parts...>;

template <class... Parts>
constexpr auto of(Parts... parts) {
    return list<Parts...>{std::move(parts)...};
}

template <class Front, class Back>
constexpr auto join(Front&& front, Back&& back) {
    return boost::hana::concat(std::forward<Front>(front), std::forward<Back>(back));
}

template <class List, class Visitor>
constexpr void for_each(const List& parts, Visitor&& visitor) {
    boost::hana::for_each(parts, std::forward<Visitor>(visitor));
}

template <class List, class Function>
constexpr decltype(auto) unpack(const List& parts, Function&& function) {
    return boost::hana::unpack(parts, std::forward<Function>(function));
}

} // namespace statiq::sequence
