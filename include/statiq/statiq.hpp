// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Everything: define a network, load it, deploy it, calibrate, quantize, run, analyse. Programs that only run a
/// quantized network need <statiq/execute/integer_network.hpp> and the network's definition.

#include <statiq/analyze/branches.hpp>
#include <statiq/analyze/compare.hpp>
#include <statiq/analyze/observed.hpp>
#include <statiq/analyze/quality.hpp>
#include <statiq/analyze/report.hpp>
#include <statiq/analyze/sensitivity.hpp>
#include <statiq/analyze/summary.hpp>
#include <statiq/analyze/verdict.hpp>
#include <statiq/execute/float_network.hpp>
#include <statiq/execute/integer_network.hpp>
#include <statiq/execute/model.hpp>
#include <statiq/execute/stack.hpp>
#include <statiq/execute/weight_only_network.hpp>
#include <statiq/graph/network.hpp>
#include <statiq/numeric/requantize.hpp>
#include <statiq/numeric/tf8.hpp>
#include <statiq/operations/library.hpp>
#include <statiq/passes/deploy.hpp>
#include <statiq/passes/equalize.hpp>
#include <statiq/passes/replace_relu6.hpp>
#include <statiq/passes/require_merged.hpp>
#include <statiq/passes/strip_depthwise.hpp>
#include <statiq/plan/facts.hpp>
#include <statiq/simulate/simulated_network.hpp>
#include <statiq/threads/thread_pool.hpp>
#include <statiq/version.hpp>

// Files can be bad, and so can calibration data: without exceptions these rooms stay out.
#ifdef __cpp_exceptions
#include <statiq/calibrate/calibrate.hpp>
#include <statiq/calibrate/calibrate_data.hpp>
#include <statiq/calibrate/correct_biases.hpp>
#include <statiq/calibrate/entropy.hpp>
#include <statiq/calibrate/least_squares.hpp>
#include <statiq/calibrate/observer_choice.hpp>
#include <statiq/calibrate/observers.hpp>
#include <statiq/calibrate/percentile.hpp>
#include <statiq/io/images.hpp>
#include <statiq/io/integers.hpp>
#include <statiq/io/parameters.hpp>
#endif
