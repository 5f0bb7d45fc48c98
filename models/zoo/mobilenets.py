"""MobileNet v1, v2 and v3 and EfficientNet: depthwise separable convolutions.

v2, v3 and EfficientNet-B0 are torchvision's; v1 and EfficientNet-Lite0 are
TensorFlow's, with its padding.
"""

from net import BRANCH_SPREAD, Net, Tensor, divisible


def mobilenet_v1_025() -> tuple[Net, Tensor]:
    """Howard et al. 2017, width 0.25."""
    net = Net("mobilenet_v1_025", 3, 224)
    x = net.conv(net.input, 8, 3, 2, same=True, act="relu6")
    stages = [(16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2)]
    stages += [(128, 1)] * 5 + [(256, 2), (256, 1)]
    for out, stride in stages:
        x = net.conv(x, x.channels, 3, stride, groups=x.channels, same=True, act="relu6")
        x = net.conv(x, out, act="relu6")
    return net, net.linear(net.flatten(net.global_average(x)), 1000, last=True)


def inverted(
    net: Net,
    x: Tensor,
    hidden: int,
    out: int,
    kernel: int,
    stride: int,
    *,
    act: str,
    same: bool = False,
    squeeze: tuple[int, str, str] | None = None,
) -> Tensor:
    """Expand, depthwise, squeeze and excite, project; add the input where it fits."""
    y = net.conv(x, hidden, act=act) if hidden != x.channels else x
    y = net.conv(y, hidden, kernel, stride, groups=hidden, same=same, act=act)
    if squeeze:
        y = net.squeeze_excite(y, *squeeze)
    if stride == 1 and x.channels == out:
        return net.add(x, net.conv(y, out, spread=BRANCH_SPREAD))
    return net.conv(y, out)


def mobilenet_v2() -> tuple[Net, Tensor]:
    """Sandler et al. 2018."""
    net = Net("mobilenet_v2", 3, 224)
    x = net.conv(net.input, 32, 3, 2, act="relu6")
    stages = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2)]
    stages += [(6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
    for expand, out, repeats, stride in stages:
        for i in range(repeats):
            first = stride if i == 0 else 1
            x = inverted(net, x, x.channels * expand, out, 3, first, act="relu6")
    x = net.conv(x, 1280, act="relu6")
    return net, net.linear(net.flatten(net.global_average(x)), 1000, last=True)


# Kernel, hidden channels, channels, squeeze and excite, activation, stride.
RE, HS = "relu", "hard_swish"
V3_SMALL = [
    (3, 16, 16, True, RE, 2),
    (3, 72, 24, False, RE, 2),
    (3, 88, 24, False, RE, 1),
    (5, 96, 40, True, HS, 2),
    (5, 240, 40, True, HS, 1),
    (5, 240, 40, True, HS, 1),
    (5, 120, 48, True, HS, 1),
    (5, 144, 48, True, HS, 1),
    (5, 288, 96, True, HS, 2),
    (5, 576, 96, True, HS, 1),
    (5, 576, 96, True, HS, 1),
]
V3_LARGE = [
    (3, 16, 16, False, RE, 1),
    (3, 64, 24, False, RE, 2),
    (3, 72, 24, False, RE, 1),
    (5, 72, 40, True, RE, 2),
    (5, 120, 40, True, RE, 1),
    (5, 120, 40, True, RE, 1),
    (3, 240, 80, False, HS, 2),
    (3, 200, 80, False, HS, 1),
    (3, 184, 80, False, HS, 1),
    (3, 184, 80, False, HS, 1),
    (3, 480, 112, True, HS, 1),
    (3, 672, 112, True, HS, 1),
    (5, 672, 160, True, HS, 2),
    (5, 960, 160, True, HS, 1),
    (5, 960, 160, True, HS, 1),
]


def mobilenet_v3(net: Net, blocks: list[tuple], hidden: int) -> tuple[Net, Tensor]:
    """Howard et al. 2019."""
    x = net.conv(net.input, 16, 3, 2, act=HS)
    for kernel, expanded, out, squeezed, act, stride in blocks:
        squeeze = (divisible(expanded / 4), "relu", "hard_sigmoid") if squeezed else None
        x = inverted(net, x, expanded, out, kernel, stride, act=act, squeeze=squeeze)
    x = net.conv(x, 6 * x.channels, act=HS)
    x = net.linear(net.flatten(net.global_average(x)), hidden, HS)
    return net, net.linear(x, 1000, last=True)


def mobilenet_v3_small() -> tuple[Net, Tensor]:
    """Opset 13, in which hard swish is a HardSigmoid and a product."""
    return mobilenet_v3(Net("mobilenet_v3_small", 3, 224), V3_SMALL, 1024)


def mobilenet_v3_large() -> tuple[Net, Tensor]:
    """Opset 14, which has the operator HardSwish."""
    return mobilenet_v3(Net("mobilenet_v3_large", 3, 224, opset=14), V3_LARGE, 1280)


# Expansion, channels, repeats, stride, kernel.
EFFICIENTNET = [
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
]


def efficientnet(net: Net, act: str, *, same: bool, squeezed: bool) -> tuple[Net, Tensor]:
    """Tan and Le 2019."""
    x = net.conv(net.input, 32, 3, 2, same=same, act=act)
    for expand, out, repeats, first, kernel in EFFICIENTNET:
        for i in range(repeats):
            stride = first if i == 0 else 1
            squeeze = (max(1, x.channels // 4), "silu", "sigmoid") if squeezed else None
            hidden = x.channels * expand
            x = inverted(net, x, hidden, out, kernel, stride, act=act, same=same, squeeze=squeeze)
    x = net.conv(x, 1280, act=act)
    return net, net.linear(net.flatten(net.global_average(x)), 1000, last=True)


def efficientnet_lite0() -> tuple[Net, Tensor]:
    """Clips for SiLU, and nothing squeezed."""
    return efficientnet(Net("efficientnet_lite0", 3, 224), "relu6", same=True, squeezed=False)


def efficientnet_b0() -> tuple[Net, Tensor]:
    return efficientnet(Net("efficientnet_b0", 3, 224), "silu", same=False, squeezed=True)
