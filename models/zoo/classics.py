"""Residual networks, SqueezeNet, ShuffleNet and the small ones.

ResNet-18, SqueezeNet and ShuffleNet v2 are torchvision's.
"""

from net import BRANCH_SPREAD, Net, Tensor


def basic(net: Net, x: Tensor, out: int, stride: int, *, same: bool = False) -> Tensor:
    """Two 3x3 convolutions and a shortcut; He et al. 2016."""
    y = net.conv(x, out, 3, stride, same=same, act="relu")
    y = net.conv(y, out, 3, same=same, spread=BRANCH_SPREAD)
    if stride != 1 or x.channels != out:
        x = net.conv(x, out, 1, stride, same=same)
    return net.act(net.add(y, x), "relu")


def resnet8() -> tuple[Net, Tensor]:
    """The image classifier of MLPerf Tiny for CIFAR-10; TensorFlow's padding."""
    net = Net("resnet8", 3, 32)
    x = net.conv(net.input, 16, 3, same=True, act="relu")
    for out, stride in [(16, 1), (32, 2), (64, 2)]:
        x = basic(net, x, out, stride, same=True)
    return net, net.linear(net.flatten(net.average_pool(x, 8)), 10, last=True)


def resnet20() -> tuple[Net, Tensor]:
    """He et al. 2016 for CIFAR-10, with 1x1 convolutions as shortcuts."""
    net = Net("resnet20", 3, 32)
    x = net.conv(net.input, 16, 3, act="relu")
    for stage, out in enumerate([16, 32, 64]):
        for i in range(3):
            x = basic(net, x, out, 2 if stage and not i else 1)
    return net, net.linear(net.flatten(net.global_average(x)), 10, last=True)


def resnet18() -> tuple[Net, Tensor]:
    net = Net("resnet18", 3, 224)
    x = net.conv(net.input, 64, 7, 2, act="relu")
    x = net.max_pool(x, 3, 2, 1)
    for stage, out in enumerate([64, 128, 256, 512]):
        for i in range(2):
            x = basic(net, x, out, 2 if stage and not i else 1)
    return net, net.linear(net.flatten(net.global_average(x)), 1000, last=True)


def squeezenet() -> tuple[Net, Tensor]:
    """SqueezeNet 1.1; Iandola et al. 2016. Its logits are means after a ReLU."""
    net = Net("squeezenet", 3, 224)

    def conv(x: Tensor, out: int, kernel: int = 1, **options: object) -> Tensor:
        return net.conv(x, out, kernel, batch_norm=False, act="relu", **options)

    def fire(x: Tensor, squeezed: int, out: int) -> Tensor:
        x = conv(x, squeezed)
        return net.concat([conv(x, out), conv(x, out, 3)])

    x = conv(net.input, 64, 3, stride=2, pads=[0] * 4)
    for stage in [
        [(16, 64), (16, 64)],
        [(32, 128), (32, 128)],
        [(48, 192), (48, 192), (64, 256), (64, 256)],
    ]:
        x = net.max_pool(x, 3, 2, ceil=1)
        for squeezed, out in stage:
            x = fire(x, squeezed, out)
    return net, net.flatten(net.global_average(conv(x, 1000)))


def shufflenet() -> tuple[Net, Tensor]:
    """ShuffleNet v2, width 0.5; Ma et al. 2018."""
    net = Net("shufflenet", 3, 224)

    def depthwise(x: Tensor, stride: int) -> Tensor:
        return net.conv(x, x.channels, 3, stride, groups=x.channels)

    x = net.max_pool(net.conv(net.input, 24, 3, 2, act="relu"), 3, 2, 1)
    for out, repeats in [(48, 4), (96, 8), (192, 4)]:
        for i in range(repeats):
            stride = 1 if i else 2
            left, right = net.split(x) if i else (x, x)
            if not i:
                left = net.conv(depthwise(left, stride), out // 2, act="relu")
            right = net.conv(right, out // 2, act="relu")
            right = net.conv(depthwise(right, stride), out // 2, act="relu")
            x = net.shuffle(net.concat([left, right]), 2)
    x = net.conv(x, 1024, act="relu")
    return net, net.linear(net.reduce_mean(x), 1000, last=True)


def lenet() -> tuple[Net, Tensor]:
    """The network of PyTorch's MNIST example."""
    net = Net("lenet", 1, 28)
    x = net.conv(net.input, 32, 3, pads=[0] * 4, batch_norm=False, act="relu")
    x = net.conv(x, 64, 3, pads=[0] * 4, batch_norm=False, act="relu")
    x = net.linear(net.flatten(net.max_pool(x, 2, 2)), 128, "relu")
    return net, net.linear(x, 10, last=True)


def lenet_5x5() -> tuple[Net, Tensor]:
    """The larger LeNet of TensorFlow's MNIST tutorials."""
    net = Net("lenet_5x5", 1, 28)
    x = net.input
    for out in [32, 64]:
        x = net.max_pool(net.conv(x, out, 5, batch_norm=False, act="relu"), 2, 2)
    x = net.linear(net.flatten(x), 512, "relu")
    return net, net.linear(x, 10, last=True)


def mlp() -> tuple[Net, Tensor]:
    net = Net("mlp", 1, 28)
    x = net.flatten(net.input)
    for out in [256, 128]:
        x = net.linear(x, out, "relu")
    return net, net.linear(x, 10, last=True)
