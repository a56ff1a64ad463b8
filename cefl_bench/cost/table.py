"""What models cost, as a table for people."""

from collections.abc import Sequence

from cefl_bench.records import CountedCost

HEADER = (
    "config",
    "N x C x T x H x W",
    "frames",
    "parameters",
    "trainable",
    "MACs/view",
    "views",
    "MACs",
    "FLOPs",
    "fvcore",
)
LEGEND = """\
MACs and FLOPs are of one video. One MAC, a multiplication with its addition, is two FLOPs. Counted are convolutions,
matrix products, attention and recurrent layers. fvcore: by how much the second counter differs."""


def cost_table(costs: Sequence[tuple[str, CountedCost]]) -> str:
    """A row per config, given by its name and its cost, and below it a row per part and per kind of layer in it."""
    rows: list[tuple[str, ...]] = [HEADER]
    for config, cost in costs:
        rows.append(
            (
                config,
                " x ".join(map(str, cost["input_shape"])),
                str(cost["num_frames"]),
                readable(cost["params"]),
                readable(cost["trainable_params"]),
                readable(cost["macs_per_view"]),
                str(cost["views"]),
                readable(cost["macs"]),
                readable(cost["flops"]),
                f"{cost['cross_check']['relative_difference']:+.2%}",
            )
        )
        for name, part in cost["by_part"].items():
            rows.append(_row(f"  {name}", part["macs"], part["params"], part["trainable_params"]))
            rows += [_row(f"    {kind}", macs) for kind, macs in part["by_kind"].items()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        cells[0] = row[0].ljust(widths[0])
        lines.append("  ".join(cells).rstrip())
    return "\n".join([*lines, "", LEGEND])


def readable(number: int) -> str:
    """A count in four digits and its unit, a power of 1,000: 63519170560 -> '63.52 G'."""
    for power, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "K")):
        if number >= power:
            return f"{number / power:#.4g} {unit}"
    return str(number)


def _row(name: str, macs: int, *parameters: int) -> tuple[str, ...]:
    cells = [readable(count) for count in parameters] or ["", ""]
    return name, "", "", *cells, "", "", readable(macs), readable(2 * macs), ""
