"""The numbers of `cost/speed.py` as a text table."""

from collections.abc import Iterator
from typing import Any

MEMORY = {
    "cpu": ("rise, peak", "how far that of the process rose in the measurement, and its peak"),
    "cuda": (
        "allocated, reserved",
        "peaks of what tensors took, weights included, and of what was reserved",
    ),
}


def speed_table(results: list[dict[str, Any]]) -> str:
    """A block per config, then what the columns mean."""
    _, memory = MEMORY[results[0]["device"].split(":")[0]]
    legend = (
        "A time is that of a whole batch through the model alone, its input on the device.",
        "GFLOP/s: 2 x MACs x videos/s, in training three times that of one view, by convention.",
        f"Memory: {memory}.",
    )
    return "\n\n".join([*("\n".join(_block(result)) for result in results), "\n".join(legend)])


def _block(result: dict[str, Any]) -> Iterator[str]:
    device, cost, matmul = result["device"].split(":")[0], result["cost"], result["matmul"]
    threads = f", {result['threads']} thread{'s' * (result['threads'] > 1)}" if device == "cpu" else ""
    switches = ("compile", "cuda_graphs", "fused", "deterministic")
    how = ", ".join([result["precision"], *(name for name in switches if result[name])])
    own = ", the model's own choice" if result["memory_format"] == "own" else ""
    yield f"{result['config']} on {result['device_name']}{threads}, torch {result['torch']}, {how}"
    counted = "MACs unknown"
    if cost["macs"]:
        counted = f"{cost['params'] / 1e6:.2f} M parameters, {cost['macs'] / 1e9:.3g} GMACs"
    shape = f"{' x '.join(map(str, result['video_shape']))} (N x C x T x H x W)"
    views = f", in a test {cost['views']} views of it" if cost["views"] > 1 else ""
    yield f"a video is {shape}{views}; {counted}"
    yield f"{result['convolutions_channels_last']} convolutions hold their weights channels last{own}"
    yield ""
    columns = f"{'':24}{'batch':>6}{'videos/s':>10}{'median ms':>11}{'IQR ms':>9}{'p95 ms':>9}"
    yield f"{columns}{'GFLOP/s':>9}{'of matmul':>11}  memory: {MEMORY[device][0]}"
    yield _row("latency", result["latency"])
    for mode in ("inference", "training"):
        yield _row(f"{mode}, fixed batch", result[mode]["fixed"])
        yield _row(f"{mode}, best batch", result[mode]["best"])
    for mode in ("inference", "training"):
        yield _row(f"preprocessor, {mode}", result["preprocessor"][mode])
    yield (
        f"{'matmul, ' + matmul['dtype']:40}{matmul['median_ms']:11.2f}{matmul['iqr_ms']:9.2f}{matmul['p95_ms']:9.2f}"
        f"{matmul['flops_per_s'] / 1e9:9.1f}{'100 %':>11}  of {matmul['size']} x {matmul['size']} values"
    )
    yield ""
    for mode in ("inference", "training"):
        if result[mode]["tried"]:
            yield f"{mode + ', videos/s by batch':30}" + "   ".join(map(_tried, result[mode]["tried"]))
    if _is_noisy(result):
        yield "warning: some times spread (IQR) by more than a quarter of their median: let nothing else run"


def _is_noisy(result: dict[str, Any]) -> bool:
    """Whether the times of a row that is shown spread by more than a quarter of their median."""
    rows = [result["latency"], result["matmul"], *result["preprocessor"].values()]
    for mode in ("inference", "training"):
        rows += [result[mode]["fixed"], result[mode]["best"]]
    return any(row["iqr_ms"] > row["median_ms"] / 4 for row in rows if row is not None and "iqr_ms" in row)


def _row(name: str, measured: dict[str, Any] | None) -> str:
    if measured is None:
        return f"{name:24}{'-':>6}  no batch fitted into memory"
    if "out_of_memory" in measured:
        return f"{name:24}{measured['batch']:6d}  out of memory: {measured['out_of_memory']}"
    row = (
        f"{name:24}{measured['batch']:6d}{measured['videos_per_s']:10.1f}{measured['median_ms']:11.2f}"
        f"{measured['iqr_ms']:9.2f}{measured['p95_ms']:9.2f}"
    )
    if "flops_per_s" in measured:
        row += f"{measured['flops_per_s'] / 1e9:9.1f}{100 * measured['of_matmul']:9.0f} %"
    else:
        row += f"{'-':>9}{'-':>11}"
    return f"{row}  {_memory(measured['memory'])}"


def _memory(memory: dict[str, int]) -> str:
    sizes = (f"{b / 2**30:.2f} GiB" if b > 2**30 else f"{b / 2**20:.0f} MiB" for b in memory.values())
    return ", ".join(sizes) or "-"


def _tried(measured: dict[str, Any]) -> str:
    videos = "out of memory" if "out_of_memory" in measured else f"{measured['videos_per_s']:.1f}"
    return f"{measured['batch']}: {videos}"
