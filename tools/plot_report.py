#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Draws reports of examples/evaluate: SQNR by layer, batch norm's scales, distributions, loss sources.

    plot_report.py REPORT.json [REPORT.json ...] [--scheme NAME ...] --out FOLDER

Several reports of one network share the SQNR curves; the other pictures are of each. Debian: python3-matplotlib.
"""
import argparse
import json
import pathlib
import sys

SOURCES = ["input", "weight", "saturation", "requantization", "clipping"]


def label_of(report, scheme):
    repairs = report["settings"]["repairs"]
    observer = report["settings"]["observer"]
    words = [scheme["name"]]
    if repairs:
        words.append("+ " + ", ".join(repairs))
    if observer != "min_max":
        words.append(f"({observer})")
    return " ".join(words)


def named_axis(axes, names):
    axes.set_xticks(range(len(names)))
    axes.set_xticklabels(names, rotation=90, fontsize=7)


def sqnr_curves(plt, reports):
    """One curve a scheme: the accumulated ratio of each layer's output (P1 figure 4)."""
    figure, axes = plt.subplots(figsize=(11, 5))
    names = []
    for report in reports:
        for scheme in report["schemes"]:
            names = [layer["layer"] for layer in scheme["layers"]]
            ratios = [layer["accumulated"]["sqnr"] for layer in scheme["layers"]]
            axes.plot(range(len(names)), [float("nan") if r is None else r for r in ratios], marker=".",
                      label=label_of(report, scheme))
    named_axis(axes, names)
    axes.set_ylabel("SQNR of the layer's output, dB")
    axes.set_title(reports[0]["network"])
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    return figure


def grid(plt, count, each=(2.6, 1.9)):
    columns = min(5, max(count, 1))
    rows = (count + columns - 1) // columns
    figure, axes = plt.subplots(max(rows, 1), columns, figsize=(each[0] * columns, each[1] * max(rows, 1)), squeeze=False)
    for unused in axes.flat[count:]:
        unused.axis("off")
    return figure, axes.flat


def scales(plt, report):
    """Alpha of each channel of each depthwise layer (P1 figure 3); constant channels are marked."""
    layers = [d for d in report["distributions"] if d["depthwise"] and d["channels"]]
    figure, axes = grid(plt, len(layers))
    for layer, plot in zip(layers, axes):
        alpha = [c["alpha"] for c in layer["channels"]]
        plot.bar(range(len(alpha)), alpha, width=1.0, color="tab:blue")
        dead = [i for i, c in enumerate(layer["channels"]) if c["dead"]]
        plot.plot(dead, [alpha[i] for i in dead], "x", color="tab:red", markersize=4)
        plot.set_title(layer["layer"], fontsize=8)
        plot.tick_params(labelsize=6)
    figure.suptitle(f"{report['network']}: batch norm's scale by channel (x: channel without variance)", fontsize=10)
    figure.tight_layout()
    return figure


def distributions(plt, report):
    """W^2 / E[W^2] before and after batch norm is folded, by powers of ten (P2 appendix A)."""
    layers = report["distributions"]
    figure, axes = grid(plt, len(layers))
    for layer, plot in zip(layers, axes):
        for which, colour in (("trained", "tab:gray"), ("deployed", "tab:orange")):
            counts = layer[which]["energies"]
            lowest = layer[which]["energies_lowest_decade"]
            total = max(sum(counts), 1)
            plot.step([lowest + i for i in range(len(counts))], [100 * c / total for c in counts], where="post",
                      color=colour, label=which)
        plot.set_title(f"{layer['layer']}: {layer['deployed']['median_channel_sqnr'] or 0:.0f} dB", fontsize=8)
        plot.tick_params(labelsize=6)
    if layers:
        axes[0].legend(fontsize=6)
    figure.suptitle(f"{report['network']}: share of weights (%) by log10 of W²/E[W²], before and after folding; the median "
                    "channel's ratio per tensor", fontsize=10)
    figure.tight_layout()
    return figure


def activations(plt, report):
    """Range and deviation of each layer's output, before and after its activation (P4 figure 7)."""
    layers = report["distributions"]
    figure, axes = plt.subplots(figsize=(11, 5))
    for offset, which, colour in ((-0.2, "before_activation", "tab:gray"), (0.2, "activations", "tab:green")):
        for i, layer in enumerate(layers):
            moments = layer[which]
            if moments["min"] is None:
                continue
            axes.plot([i + offset] * 2, [moments["min"], moments["max"]], color=colour, linewidth=1)
            axes.plot([i + offset] * 2, [moments["mean"] - moments["deviation"], moments["mean"] + moments["deviation"]],
                      color=colour, linewidth=4, label=which if i == 0 else None)
    named_axis(axes, [layer["layer"] for layer in layers])
    axes.set_yscale("symlog")
    axes.set_ylabel("range, and mean ± deviation")
    axes.set_title(report["network"])
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    return figure


def loss_sources(plt, report, scheme):
    """Each layer's noise by source, as shares of their sum, and the layer's ratio when it alone is quantized."""
    layers = scheme["layers"]
    figure, axes = plt.subplots(figsize=(11, 5))
    bottom = [0.0] * len(layers)
    totals = [max(sum(layer["sources"][s]["noise"] for s in SOURCES), 1e-300) for layer in layers]
    for source in SOURCES:
        shares = [100 * layer["sources"][source]["noise"] / total for layer, total in zip(layers, totals)]
        axes.bar(range(len(layers)), shares, bottom=bottom, label=source)
        bottom = [b + s for b, s in zip(bottom, shares)]
    ratio = axes.twinx()
    ratio.plot(range(len(layers)), [layer["isolated"]["sqnr"] or float("nan") for layer in layers], "k.-",
               label="this layer alone, dB")
    ratio.set_ylabel("SQNR, dB")
    ratio.legend(fontsize=8, loc="upper right", framealpha=0.9)
    named_axis(axes, [layer["layer"] for layer in layers])
    axes.set_ylabel("share of the layer's noise, %")
    axes.set_title(f"{report['network']}: {label_of(report, scheme)}")
    axes.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.32), ncol=5)
    return figure


def save(figure, path):
    figure.savefig(path, dpi=110, bbox_inches="tight")
    figure.clf()
    print(path)


def read(path):
    try:
        report = json.loads(path.read_text())
        report["schemes"], report["distributions"], report["settings"]["repairs"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.exit(f"plot_report: {path}: expected a report of examples/evaluate, found {error!r}")
    return report


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reports", type=pathlib.Path, nargs="+", metavar="REPORT.json")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("."), help="folder for the pictures")
    parser.add_argument("--scheme", action="append", metavar="NAME", help="draw this scheme alone, as in 'symmetric_channel "
                        "W8A8'; may be given more than once")
    arguments = parser.parse_args()
    reports = [read(path) for path in arguments.reports]
    for report in reports:
        if arguments.scheme:
            report["schemes"] = [s for s in report["schemes"] if s["name"] in arguments.scheme]
    networks = {report["network"] for report in reports}
    if len(networks) > 1:
        sys.exit(f"plot_report: reports of one network are drawn together, found {', '.join(sorted(networks))}")
    try:
        import matplotlib
    except ImportError:
        print("plot_report: Matplotlib is missing (Debian: python3-matplotlib)", file=sys.stderr)
        sys.exit(77)
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    arguments.out.mkdir(parents=True, exist_ok=True)
    save(sqnr_curves(plt, reports), arguments.out / f"{reports[0]['network']}_sqnr.png")
    for path, report in zip(arguments.reports, reports):
        for name, draw in (("alpha", scales), ("weights", distributions), ("activations", activations)):
            save(draw(plt, report), arguments.out / f"{path.stem}_{name}.png")
        for scheme in report["schemes"]:
            name = scheme["name"].replace(" ", "_")
            save(loss_sources(plt, report, scheme), arguments.out / f"{path.stem}_sources_{name}.png")
        plt.close("all")


if __name__ == "__main__":
    main()
