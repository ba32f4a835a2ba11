# SPDX-License-Identifier: Apache-2.0
"""Functions of each value, by docs/numerics.md: tables of up to 8 bits, lines between entries of up to 16, and the rules of
TensorFlow Lite that the scheme `gemmlowp` follows. All take integers as int64 arrays, and share nothing with the C++ code."""
import math

import numpy as np

from numerics import (INT32, Gemmlowp, Map, divide_by_power_of_two, exp_of_negative, high_multiply,
                      quantize_multiplier, two_over_one_plus)

f32 = np.float32


def exp(x):
    """The exponential, rounded to float once."""
    with np.errstate(over="ignore"):
        return np.exp(np.float64(x)).astype(f32)


def sigmoid(x):
    return f32(1) / (f32(1) + exp(-x))


def tanh(x):
    return np.tanh(np.float64(x)).astype(f32)


def hard_sigmoid(x):
    return np.clip(x / f32(6) + f32(0.5), f32(0), f32(1))


def hard_swish(x):
    return x * hard_sigmoid(x)


def elu(x):
    return np.where(x < 0, exp(x) - f32(1), x)


SLOPE = f32(0.1)


def leaky_relu(x, slope=SLOPE):
    return np.where(x < 0, slope * x, x)


REAL = {"sigmoid": sigmoid, "tanh": tanh, "hard_sigmoid": hard_sigmoid, "hard_swish": hard_swish, "elu": elu,
        "leaky_relu": leaky_relu}


def fixed_output(name, form):
    """The output numbers of a layer that is written with_fixed_numbers."""
    signed = form.lowest < 0
    if name == "sigmoid" and not (signed and (form.bits == 16 or not form.has_zero_point)):
        return Map(f32(2.0**-form.bits), form.lowest)
    if name == "tanh" and not signed and form.has_zero_point:
        return Map(f32(2.0**(1 - form.bits)), 2**(form.bits - 1))
    return Map(f32(2.0**(1 - form.bits)), 0)


def nearest(x):
    """Half away from zero; a NaN is 0."""
    x = np.clip(np.nan_to_num(np.float64(x), nan=0.0, posinf=2.0**30, neginf=-2.0**30), -2.0**30, 2.0**30)
    return np.copysign(np.floor(np.abs(x) + 0.5), x)


def saturate16(x):
    return np.clip(x, -2**15, 2**15 - 1)


# ---- TensorFlow Lite's rules: of q - z, before the output's zero point and the clamp


def logistic_q(a):
    e = np.minimum(two_over_one_plus(exp_of_negative(-np.abs(a), 4)) * 2, INT32[1])
    return np.where(a == 0, 2**30, np.where(a > 0, e, INT32[1] - e))


def tanh_q(a):
    e = np.minimum((two_over_one_plus(exp_of_negative(-np.abs(a), 5)) - 2**29) * 4, INT32[1])
    return np.where(a == 0, 0, np.where(a > 0, e, -e))


def within_fifteen(d, scale, ends, inside):
    factor = quantize_multiplier(float(scale) * 2.0**27)
    exponent = math.frexp(float(scale) * 2.0**27)[1]
    radius = math.floor(15 * 2.0**27 / 2.0**exponent)
    a = Gemmlowp.apply(np.where(np.abs(d) < radius, d, 0), factor) if exponent <= 30 else 0 * d
    return np.where(d <= -radius, ends[0], np.where(d >= radius, ends[1], inside(a)))


def short_multiplier(real):
    multiplier, exponent = quantize_multiplier(float(real))
    return min((multiplier + 2**15) >> 16, 2**15 - 1), exponent


def hard_swish_rule(d, scale, output_scale):
    h = f32(scale) / f32(128)
    m, e = short_multiplier(h / f32(output_scale))
    r, f = short_multiplier(h / (f32(3) / f32(32768)))
    high = lambda a, b: saturate16((a * b + 2**14) >> 15)
    v = d * 128
    w = saturate16(v << min(f - 1, 20)) if f > 0 else v
    w = high(w, r)
    w = saturate16(2 * w) if f > 0 else divide_by_power_of_two(w, -f)
    product = ((w + 2**15) >> 1) * high(v, m)
    return divide_by_power_of_two(np.sign(product) * (np.abs(product) >> 15), -e)


def leaky_rule(d, scale, output_scale, slope):
    scale, output_scale, slope = f32(scale), f32(output_scale), f32(slope)
    above = Gemmlowp.prepare(float(scale / output_scale))
    below = Gemmlowp.prepare(float(abs(scale * slope / output_scale)))
    return np.where(d >= 0, Gemmlowp.apply(np.maximum(d, 0), above),
                    Gemmlowp.apply(np.minimum(d, 0), below) * (-1 if slope < 0 else 1))


def sigmoid_table():
    value = lambda i: 65536 / (1 + math.exp(-i / 24))
    table = [math.floor(value(i) + (value(i + 0.5) - (value(i) + value(i + 1)) / 2) / 2 + 0.5) for i in range(255)]
    return np.array(table + [65535])


def in_12288ths(d, scale, doubled):
    log2 = np.log(f32(scale)) * (f32(1) / np.log(f32(2)))
    k = int(nearest(log2))
    if abs(log2 - f32(k)) < 1e-3 and 0 <= 12 + k <= doubled:
        return d * (3 << (12 + k))
    real, n = float(scale) * 12288, 0
    while real <= 16383.5 and n <= 30:
        real, n = real * 2, n + 1
    return (d * int(real) + (2**n >> 1)) >> n


def between(table, a, bits, beyond):
    u = np.minimum(a >> bits, 254)
    value = (table[u] << bits) + (a & (2**bits - 1)) * (table[u + 1] - table[u])
    return np.where(a >> bits >= 255, beyond, value)


def logistic_16(d, scale):
    v = in_12288ths(d, scale, 0)
    r = between(sigmoid_table(), np.abs(v), 9, 32767 * 1024)
    return np.where(v >= 0, (r + 512) >> 10, (2**25 - r + 511) >> 10)


def tanh_16(d, scale):
    v = in_12288ths(d, scale, 1)
    r = between(sigmoid_table(), np.abs(v), 8, 65535 * 256)
    return np.where(v >= 0, (r - 2**23 + 128) >> 8, (-r + 2**23 + 127) >> 8)


def rule_of_bytes(name, d, before, own, form):
    """What TensorFlow Lite makes of bytes; nothing where it has no rule for these numbers."""
    if form.bits > 8:
        return None
    if name in ("sigmoid", "tanh") and form.bits == 8 and own == fixed_output(name, form):
        if name == "sigmoid" and form.has_zero_point:
            return within_fifteen(d, before.scale, (0, 255), lambda a: divide_by_power_of_two(logistic_q(a), 23))
        if name == "tanh":
            return within_fifteen(d, before.scale, (-128, 127), lambda a: divide_by_power_of_two(tanh_q(a), 24))
    if name == "hard_swish" and f32(before.scale) / f32(128) / f32(own.scale) < 1:
        return hard_swish_rule(d, before.scale, own.scale)
    if name == "leaky_relu":
        return leaky_rule(d, before.scale, own.scale, SLOPE)
    return None


def rule_of_shorts(name, d, before, own, fixed):
    if name == "leaky_relu":
        return leaky_rule(d, before.scale, own.scale, SLOPE)
    if fixed:
        return {"sigmoid": logistic_16, "tanh": tanh_16}[name](d, before.scale)
    return None


# ---- the real functions in integers


def interpolated(function, x, numbers, output):
    """A table of 513 entries, and x between them: int16 on both sides."""
    a, o = f32(numbers.scale), f32(output.scale)
    low, high = a * f32(-32768 - numbers.zero), a * f32(32767 - numbers.zero)
    step = (high - low) / f32(512)
    inverse = f32(65536) / (o * f32(32767) - o * f32(-32768))
    i = np.arange(512).astype(f32)
    steps = lambda y: nearest(y * inverse).astype(f32)
    here = steps(function(low + i * step))
    middle = steps(function(low + i * step + step / f32(2)))
    after = function(low + (i + f32(1)) * step)
    error = nearest((after * inverse + here) / f32(2)).astype(f32) - middle
    entries = np.append(here - nearest(error / f32(2)).astype(f32), steps(function(np.array([high]))))
    entries = saturate16(entries.astype(np.int64) + output.zero)
    at = (x >> 7) + 256
    return entries[at] + (((entries[at + 1] - entries[at]) * (x & 127) + 64) >> 7)


def apply(scheme, name, x, before, form_in, own, form, fixed):
    function, d = REAL[name], x - before.zero
    if form_in.bits <= 8:
        y = rule_of_bytes(name, d, before, own, form) if scheme is Gemmlowp else None
        if y is None:
            y = nearest(function(before.scale * d.astype(f32)) * (f32(1) / own.scale)).astype(np.int64)
        return np.clip(y + own.zero, form.lowest, form.highest)
    signed = form_in.lowest < 0 and form.lowest < 0 and form_in.bits == form.bits == 16
    y = rule_of_shorts(name, d, before, own, fixed) if scheme is Gemmlowp and signed else None
    if y is not None:
        return np.clip(y + own.zero, form.lowest, form.highest)
    centre = lambda of: 0 if of.lowest < 0 else 2**(of.bits - 1)
    as_short = lambda m, of: Map(m.scale / f32(2**(16 - of.bits)), (m.zero - centre(of)) * 2**(16 - of.bits))
    y = interpolated(function, (x - centre(form_in)) << (16 - form_in.bits), as_short(before, form_in), as_short(own, form))
    y = (y + (2**(16 - form.bits) >> 1)) >> (16 - form.bits)
    return np.clip(y + centre(form), form.lowest, form.highest)
