"""What is the same for every run: seed, loops, hooks of mmengine."""

from mmengine.hooks import DistSamplerSeedHook, IterTimerHook, ParamSchedulerHook, RuntimeInfoHook, SyncBuffersHook

default_scope = None
randomness = dict(seed=0)
env_cfg = dict(cudnn_benchmark=True, mp_cfg=dict(mp_start_method="fork", opencv_num_threads=0))
# cefl_bench shows progress, saves checkpoints and writes results with hooks of its own.
default_hooks = dict(
    runtime_info=dict(type=RuntimeInfoHook),
    timer=dict(type=IterTimerHook),
    sampler_seed=dict(type=DistSamplerSeedHook),
    param_scheduler=dict(type=ParamSchedulerHook),
    # several processes: one set of batch statistics before the test, so that all test the same model
    sync_buffers=dict(type=SyncBuffersHook),
    logger=None,
    checkpoint=None,
)
custom_hooks = []
# For speed: cefl_bench/compute/switches.py says what each does, tools/speed.py --sweep measures which help a model.
compute = dict(
    precision="fp32", memory_format="own", compile=False, cuda_graphs=False, fused=False, deterministic=False
)
log_level = "ERROR"
val_cfg = dict()
test_cfg = dict()
