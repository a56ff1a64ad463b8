"""The fair track's frames: 16 of a video, one from each sixteenth, at 112 x 112; batches of 32."""

from mmengine.dataset import DefaultSampler, default_collate

from cefl_bench.models.preprocessor import VideoPreprocessor
from cefl_bench.transforms.pack import Pack
from cefl_bench.transforms.read import ReadAny
from cefl_bench.transforms.sample_clips import SampleClips

track = "fair"
data_preprocessor = dict(
    type=VideoPreprocessor,
    size=112,
    augment=dict(crop_scale=(0.7, 1.0), flip=0.5, brightness=0.0, contrast=0.0, saturation=0.0),
    antialias=True,
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
)
train_dataloader = dict(
    batch_size=32,
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    collate_fn=dict(type=default_collate),
    sampler=dict(type=DefaultSampler, shuffle=True),
    dataset=dict(
        split="train",
        fold=1,
        pipeline=[dict(type=ReadAny, size=128), dict(type=SampleClips, scheme="segments"), dict(type=Pack)],
    ),
)
val_dataloader = dict(
    batch_size=32,
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    collate_fn=dict(type=default_collate),
    sampler=dict(type=DefaultSampler, shuffle=False),
    dataset=dict(
        split="test",
        fold=1,
        pipeline=[dict(type=ReadAny, size=128), dict(type=SampleClips, scheme="segments"), dict(type=Pack)],
    ),
)
test_dataloader = val_dataloader
