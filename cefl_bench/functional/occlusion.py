"""Temporal occlusion: what a part of a video is worth for an answer, told by taking the part away.

Zeiler and Fergus, Visualizing and Understanding Convolutional Networks, ECCV 2014, https://arxiv.org/abs/1311.2901,
cover patches of an image with grey. In time there is something better than grey, which no network has seen: the average
of all other frames still shows the face, and nothing of what the part alone showed.
"""

import torch
from torch import Tensor

from cefl_bench.errors import UserError


def occluded(video_NCTHW: Tensor, num_parts: int) -> Tensor:
    """(N, C, T, H, W) -> (num_parts, N, C, T, H, W): copies, in each of which another part shows the others' average.

    A part is a stretch of N * T / num_parts frames, in order.

    Raises:
        UserError: when there is one part only: without it nothing of the video would be left.
    """
    if num_parts < 2:
        raise UserError("a video of one frame cannot be explained: with its only frame taken away, nothing is left")
    frame_NTCHW = video_NCTHW.transpose(1, 2)
    frame_PTCHW = frame_NTCHW.flatten(0, 1).unflatten(0, (num_parts, -1))
    copies = []
    for part in range(num_parts):
        copy = frame_PTCHW.clone()
        others = torch.cat([frame_PTCHW[:part], frame_PTCHW[part + 1 :]])
        copy[part] = others.mean(dim=(0, 1))
        copies.append(copy.reshape(frame_NTCHW.shape).transpose(1, 2))
    return torch.stack(copies)


def worth(whole_K: Tensor, without_PK: Tensor) -> Tensor:
    """Probabilities of a video (K,) and of its copies without a part (P, K) -> (P,), what each part is worth.

    That is how much less probable the predicted class becomes without it; below zero where the part spoke against it.
    """
    predicted = whole_K.argmax()
    return whole_K[predicted] - without_PK[:, predicted]
