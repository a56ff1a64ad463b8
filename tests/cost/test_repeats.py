"""What is not run again has the shapes that it would have with values."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

from cefl_bench.cost.repeats import Repeats, forget_values


class Everything(nn.Module):
    """(2, 3, 8, 8) -> tensors of many operators, most of which run more than once."""

    def __init__(self):
        super().__init__()
        self.convolutions = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(inplace=True))
        self.recurrent = nn.LSTM(8, 8, batch_first=True)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, image):
        number = torch.arange(6, device=image.device)
        given = [self.convolutions(image), image.transpose(1, 3) + 1]
        given += [number * 2, number * 2.0, number / 2, number > 2, number.float() * 2, number + number[:, None]]
        token = image[:, 0]
        given += [self.recurrent(token)[0], *self.attention(token, token, token), *image.topk(2, dim=3)]
        given += [F.interpolate(image, size) for size in ((4, 4), (6, 6))]
        given += [*image.max(dim=1), image.sum(), image.sum(dim=(2, 3), keepdim=True), *image.split([1, 2], dim=1)]
        return given


def shapes_of(tensors):
    return [(tuple(tensor.shape), tensor.stride(), tensor.dtype, tensor.device.type) for tensor in tensors]


def test_shapes_on_the_meta_device_are_those_of_values():
    network, image = Everything(), torch.rand(2, 3, 8, 8)
    expected = [(*shape, "meta") for *shape, _ in shapes_of(network(image))]
    network, image = network.to("meta"), image.to("meta")
    with Repeats():
        assert shapes_of(network(image)) == shapes_of(network(image)) == expected


def test_shapes_of_fake_tensors_are_those_of_values():
    network, image = Everything(), torch.rand(2, 3, 8, 8)
    expected = shapes_of(network(image))
    with FakeTensorMode() as fake, Repeats():
        forget_values(network, torch.device("cpu"))
        image = fake.from_tensor(image)
        assert shapes_of(network(image)) == shapes_of(network(image)) == expected


def test_tensors_with_values_are_computed():
    with Repeats():
        assert [(torch.ones(2) * factor).sum().item() for factor in (1, 2, 3)] == [2, 4, 6]
        assert torch.zeros(2).add_(1).tolist() == torch.zeros(2).add_(1).tolist() == [1, 1]


def test_what_fails_fails_again():
    with Repeats():
        for _ in range(2):
            with pytest.raises(RuntimeError):
                torch.empty(2, 3, device="meta") @ torch.empty(2, 3, device="meta")
