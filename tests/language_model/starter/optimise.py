"""Part 4: AdamW, the schedule of the learning rate, and clipping of gradients."""


class AdamW:
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019, algorithm 2; their schedule is `lr` here).

    By hand: torch.optim.Adam and AdamW are there to compare with.
    """

    def __init__(self, params, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        """params: list of tensors that require a gradient"""
        raise NotImplementedError("AdamW.__init__")

    def step(self, lr):
        """
        Update every parameter in place from its .grad:

            m = beta1 m + (1 - beta1) g          v = beta2 v + (1 - beta2) g^2
            m^ = m / (1 - beta1^t)               v^ = v / (1 - beta2^t)              t = 1 at the first update
            p = p - lr (m^ / (sqrt(v^) + eps) + weight_decay p)

        A parameter whose .grad is None is left as it is.
        """
        raise NotImplementedError("AdamW.step")


def learning_rate(step, max_lr, min_lr, warmup, total):
    """
    step:    0 at the first update
    returns  the learning rate of this step (Loshchilov and Hutter, 2017, with linear warm-up), a float:

             step < warmup               max_lr * (step + 1) / warmup
             warmup <= step < total      half a cosine from max_lr, at step = warmup, down to min_lr, at step = total
             total <= step               min_lr

    warmup may be 0.
    """
    raise NotImplementedError("learning_rate")


def clip_gradients(gradients, max_norm):
    """
    gradients:  list of tensors
    returns     (clipped, norm): the gradients, all multiplied by the one factor that brings their common L2 norm down
                to max_norm, and that norm as it was before. Where it is max_norm or less they stay as they are.
                (Pascanu, Mikolov and Bengio, 2013.) The list that is passed in is left as it was.
    """
    raise NotImplementedError("clip_gradients")
