"""Losses on scores and features. Each gives one number, the mean over the batch, in float32 or better."""

import torch
import torch.nn.functional as F

NO_CLASS = -torch.inf


def focal_loss(
    score_BK: torch.Tensor, label_B: torch.Tensor, gamma: float, weight_K: torch.Tensor | None = None
) -> torch.Tensor:
    """-(1 - p)^gamma log p, p the probability of the right class. Gamma 0 is the cross-entropy.

    Lin et al., Focal loss for dense object detection, ICCV 2017, equation 5.

    Args:
        score_BK: logits.
        weight_K: of every class; the mean is then a weighted one, as in torch's `cross_entropy`.
    """
    log_p_B = F.log_softmax(_precise(score_BK), dim=1).gather(1, label_B[:, None]).squeeze(1)
    # p is 1 exactly for a sure score: a power below 1 has no slope there, and its gradient would be no number
    off_B = -torch.expm1(log_p_B)
    loss_B = -(off_B.clamp_min(torch.finfo(off_B.dtype).eps) ** gamma) * log_p_B
    if weight_K is None:
        return loss_B.mean()
    weight_B = weight_K.to(loss_B.dtype)[label_B]
    return (weight_B * loss_B).sum() / weight_B.sum()


def intensity_aware_loss(score_BK: torch.Tensor, label_B: torch.Tensor) -> torch.Tensor:
    """Cross-entropy over two classes alone, the right one and the wrong one with the highest score.

    That is softplus(highest wrong score - right score). Li et al., Intensity-aware loss for dynamic facial expression
    recognition in the wild, AAAI 2023; as their code has it.

    Args:
        score_BK: logits, of two classes or more.
    """
    score_BK = _precise(score_BK)
    right_B1 = score_BK.gather(1, label_B[:, None])
    wrong_B = score_BK.scatter(1, label_B[:, None], NO_CLASS).amax(dim=1)
    return F.softplus(wrong_B - right_B1.squeeze(1)).mean()


def ec_stfl_loss(feature_BD: torch.Tensor, label_B: torch.Tensor) -> torch.Tensor:
    """Distances between features of one class over distances between those of different classes.

    A pair of videos (i, j) adds |x_i - x_j| / n to the sum above the line if both are of one class, else to the one
    below it; n is how many videos of j's class the batch has. No video is paired with itself. 0 for a batch of one
    class. Jiang et al., DFEW, ACM Multimedia 2020, equation 9; the distance, which the paper leaves open, is Euclidean.

    Every process of a distributed training looks at its own videos alone.
    """
    feature_BD = _precise(feature_BD)
    same_BB = label_B[:, None] == label_B[None, :]
    if bool(same_BB.all()):
        return feature_BD.sum() * 0
    distance_BB = torch.cdist(feature_BD, feature_BD, compute_mode="donot_use_mm_for_euclid_dist")
    share_BB = distance_BB / same_BB.sum(dim=0)
    between = share_BB.masked_fill(same_BB, 0).sum()
    # where even different classes have one and the same feature, there is nothing to divide by
    return share_BB.masked_fill(~same_BB, 0).sum() / between.clamp_min(torch.finfo(between.dtype).tiny)


def _precise(values: torch.Tensor) -> torch.Tensor:
    """In float32, or as they are in float64."""
    return values if values.dtype == torch.float64 else values.float()
