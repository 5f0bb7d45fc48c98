//! Small versions of the networks that people export.

use super::*;

/// Every network here by name.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("lenet", lenet()),
        ("mlp", mlp()),
        ("keras", keras()),
        ("resnet", resnet()),
        ("mobilenet_v2", mobilenet_v2()),
        ("mobilenet_v3", mobilenet_v3()),
        ("squeezenet", squeezenet()),
        ("shufflenet_v2", shufflenet_v2()),
        ("efficientnet", efficientnet()),
        ("vgg_shape_chain", vgg_shape_chain()),
        ("alexnet", alexnet()),
        ("quantized", quantized()),
        ("upsampling", upsampling()),
        ("old_operators", old_operators()),
        ("new_operators", new_operators()),
        ("attention", attention()),
    ]
}

/// Convolutions, pools, a flatten and matrix products.
pub fn lenet() -> Vec<u8> {
    let mut b = Builder::new(13, &[-1, 1, 12, 12]);
    let x = b.conv("x", 1, 4, 5, 1, 1);
    let x = b.node("Relu", &[&x], vec![]);
    let x = b.node("MaxPool", &[&x], vec![ints("kernel_shape", &[2, 2]), ints("strides", &[2, 2])]);
    let x = b.conv(&x, 4, 6, 3, 1, 1);
    let x = b.node("Tanh", &[&x], vec![]);
    let attributes = vec![
        ints("kernel_shape", &[3, 3]),
        ints("strides", &[2, 2]),
        ints("pads", &[1, 1, 1, 1]),
        int("ceil_mode", 1),
        int("count_include_pad", 1),
    ];
    let x = b.node("AveragePool", &[&x], attributes);
    let x = b.node("Flatten", &[&x], vec![int("axis", 1)]);
    let x = b.gemm(&x, 96, 10);
    let x = b.node("LogSoftmax", &[&x], vec![int("axis", 1)]);
    b.finish(&x)
}

/// Vectors in, `MatMul` and `Add`.
pub fn mlp() -> Vec<u8> {
    let mut b = Builder::new(11, &[-1, 20]);
    let (w, c) = (b.weights(&[20, 16]), b.weights(&[16]));
    let x = b.node("MatMul", &["x", &w], vec![]);
    let x = b.node("Add", &[&x, &c], vec![]);
    let x = b.node("Sigmoid", &[&x], vec![]);
    let x = b.node("Dropout", &[&x], vec![float("ratio", 0.5)]);
    let x = b.gemm(&x, 16, 10);
    b.finish(&x)
}

/// Channels last with transposes around, automatic padding, as from Keras.
pub fn keras() -> Vec<u8> {
    let mut b = Builder::new(12, &[-1, 9, 9, 3]);
    let x = b.node("Transpose", &["x"], vec![ints("perm", &[0, 3, 1, 2])]);
    let w = b.weights(&[8, 3, 3, 3]);
    let same = || vec![text("auto_pad", "SAME_UPPER"), ints("strides", &[2, 2])];
    let x = b.node("Conv", &[&x, &w], same());
    let x = b.batch_norm(&x, 8);
    let (low, high) = (b.floats(&[], &[0.0]), b.floats(&[], &[6.0]));
    let x = b.node("Clip", &[&x, &low, &high], vec![]);
    let mut attributes = same();
    attributes.push(ints("kernel_shape", &[2, 2]));
    let x = b.node("AveragePool", &[&x], attributes);
    let x = b.node("Transpose", &[&x], vec![ints("perm", &[0, 2, 3, 1])]);
    let shape = b.ints(&[-1, 72]);
    let x = b.node("Reshape", &[&x, &shape], vec![]);
    let (w, c) = (b.weights(&[72, 5]), b.weights(&[5]));
    let x = b.node("MatMul", &[&x, &w], vec![]);
    let x = b.node("Add", &[&x, &c], vec![]);
    let x = b.node("Softmax", &[&x], vec![]);
    b.finish(&x)
}

/// A residual block with batch norm and a strided shortcut.
pub fn resnet() -> Vec<u8> {
    let mut b = Builder::new(17, &[1, 3, 16, 16]);
    let x = b.conv("x", 3, 8, 7, 2, 1);
    let x = b.batch_norm(&x, 8);
    let x = b.node("Relu", &[&x], vec![]);
    let attributes = vec![
        ints("kernel_shape", &[3, 3]),
        ints("strides", &[2, 2]),
        ints("pads", &[1, 1, 1, 1]),
        ints("dilations", &[1, 1]),
        int("ceil_mode", 0),
    ];
    let x = b.node("MaxPool", &[&x], attributes);
    let y = b.conv(&x, 8, 12, 3, 2, 1);
    let y = b.batch_norm(&y, 12);
    let y = b.node("Relu", &[&y], vec![]);
    let y = b.conv(&y, 12, 12, 3, 1, 1);
    let y = b.batch_norm(&y, 12);
    let short = b.conv(&x, 8, 12, 1, 2, 1);
    let x = b.node("Add", &[&y, &short], vec![]);
    let x = b.node("Relu", &[&x], vec![]);
    let x = b.node("GlobalAveragePool", &[&x], vec![]);
    let x = b.node("Flatten", &[&x], vec![]);
    let x = b.gemm(&x, 12, 10);
    b.finish(&x)
}

/// An inverted residual with a depthwise convolution and ReLU6.
pub fn mobilenet_v2() -> Vec<u8> {
    let mut b = Builder::new(10, &[-1, 3, 16, 16]);
    let relu6 =
        |b: &mut Builder, x: &str| b.node("Clip", &[x], vec![float("min", 0.0), float("max", 6.0)]);
    let x = b.conv("x", 3, 8, 3, 2, 1);
    let x = relu6(&mut b, &x);
    let y = b.conv(&x, 8, 24, 1, 1, 1);
    let y = relu6(&mut b, &y);
    let y = b.conv(&y, 24, 24, 3, 1, 24);
    let y = relu6(&mut b, &y);
    let y = b.conv(&y, 24, 8, 1, 1, 1);
    let x = b.node("Add", &[&x, &y], vec![]);
    let x = b.node("ReduceMean", &[&x], vec![ints("axes", &[2, 3]), int("keepdims", 0)]);
    let x = b.gemm(&x, 8, 10);
    b.finish(&x)
}

/// Hard swish and squeeze-and-excite.
pub fn mobilenet_v3() -> Vec<u8> {
    let mut b = Builder::new(14, &[-1, 3, 16, 16]);
    let x = b.conv("x", 3, 8, 3, 2, 1);
    let x = b.node("HardSwish", &[&x], vec![]);
    let y = b.conv(&x, 8, 8, 5, 1, 8);
    let s = b.node("GlobalAveragePool", &[&y], vec![]);
    let s = b.conv(&s, 8, 4, 1, 1, 1);
    let s = b.node("Relu", &[&s], vec![]);
    let s = b.conv(&s, 4, 8, 1, 1, 1);
    let s = b.node("HardSigmoid", &[&s], vec![float("alpha", 1.0 / 6.0)]);
    let y = b.node("Mul", &[&s, &y], vec![]);
    let three = b.floats(&[], &[3.0]);
    let six = b.floats(&[], &[6.0]);
    let zero = b.floats(&[], &[0.0]);
    let h = b.node("Add", &[&y, &three], vec![]);
    let h = b.node("Clip", &[&h, &zero, &six], vec![]);
    let h = b.node("Mul", &[&y, &h], vec![]);
    let x = b.node("Div", &[&h, &six], vec![]);
    let x = b.node("GlobalAveragePool", &[&x], vec![]);
    let axes = b.ints(&[2, 3]);
    let x = b.node("Squeeze", &[&x, &axes], vec![]);
    let x = b.gemm(&x, 8, 10);
    b.finish(&x)
}

/// Fire modules, a convolution as classifier.
pub fn squeezenet() -> Vec<u8> {
    let mut b = Builder::new(9, &[1, 3, 15, 15]);
    let x = b.conv("x", 3, 8, 3, 2, 1);
    let x = b.node("Relu", &[&x], vec![]);
    let attributes =
        vec![ints("kernel_shape", &[3, 3]), ints("strides", &[2, 2]), ints("pads", &[0, 0, 1, 1])];
    let x = b.node("MaxPool", &[&x], attributes);
    let s = b.conv(&x, 8, 4, 1, 1, 1);
    let s = b.node("Relu", &[&s], vec![]);
    let e1 = b.conv(&s, 4, 6, 1, 1, 1);
    let e3 = b.conv(&s, 4, 6, 3, 1, 1);
    let x = b.node("Concat", &[&e1, &e3], vec![int("axis", 1)]);
    let x = b.node("Dropout", &[&x], vec![]);
    let x = b.conv(&x, 12, 10, 1, 1, 1);
    let x = b.node("GlobalAveragePool", &[&x], vec![]);
    // Over channels, height and width together in this operator set.
    let x = b.node("Softmax", &[&x], vec![int("axis", 1)]);
    let x = b.node("Squeeze", &[&x], vec![ints("axes", &[2, 3])]);
    b.finish(&x)
}

/// Channel split and shuffle.
pub fn shufflenet_v2() -> Vec<u8> {
    let mut b = Builder::new(13, &[1, 8, 6, 6]);
    let sizes = b.ints(&[4, 4]);
    b.node_to("Split", &["x", &sizes], &["left", "right"], vec![int("axis", 1)]);
    let y = b.conv("right", 4, 4, 1, 1, 1);
    let y = b.node("Relu", &[&y], vec![]);
    let y = b.conv(&y, 4, 4, 3, 1, 4);
    let x = b.node("Concat", &["left", &y], vec![int("axis", 1)]);
    let split = b.ints(&[1, 2, 4, 6, 6]);
    let x = b.node("Reshape", &[&x, &split], vec![]);
    let x = b.node("Transpose", &[&x], vec![ints("perm", &[0, 2, 1, 3, 4])]);
    let joined = b.ints(&[1, -1, 6, 6]);
    let x = b.node("Reshape", &[&x, &joined], vec![]);
    let lists: Vec<String> = [0, i64::MAX, 2, 2].iter().map(|&v| b.ints(&[v])).collect();
    let x = b.node("Slice", &[&x, &lists[0], &lists[1], &lists[2], &lists[3]], vec![]);
    let x = b.node("ReduceMean", &[&x], vec![ints("axes", &[-1, -2]), int("keepdims", 0)]);
    let x = b.gemm(&x, 8, 10);
    b.finish(&x)
}

/// Swish as `Sigmoid` and `Mul`, squeeze-and-excite, padding as an operator.
pub fn efficientnet() -> Vec<u8> {
    let mut b = Builder::new(18, &[-1, 3, 15, 15]);
    let pads = b.ints(&[0, 0, 0, 0, 0, 0, 1, 1]);
    let zero = b.floats(&[], &[0.0]);
    let x = b.node("Pad", &["x", &pads, &zero], vec![text("mode", "constant")]);
    let w = b.weights(&[8, 3, 3, 3]);
    let x = b.node("Conv", &[&x, &w], vec![ints("strides", &[2, 2])]);
    let x = b.batch_norm(&x, 8);
    let s = b.node("Sigmoid", &[&x], vec![]);
    let x = b.node("Mul", &[&x, &s], vec![]);
    let axes = b.ints(&[2, 3]);
    let s = b.node("ReduceMean", &[&x, &axes], vec![int("keepdims", 1)]);
    let s = b.conv(&s, 8, 2, 1, 1, 1);
    let s = b.conv(&s, 2, 8, 1, 1, 1);
    let s = b.node("Sigmoid", &[&s], vec![]);
    let x = b.node("Mul", &[&s, &x], vec![]);
    let x = b.node("GlobalAveragePool", &[&x], vec![]);
    let x = b.node("Flatten", &[&x], vec![]);
    let x = b.gemm(&x, 8, 10);
    b.finish(&x)
}

/// `x.view(x.size(0), -1)` the way PyTorch used to export it.
pub fn vgg_shape_chain() -> Vec<u8> {
    let mut b = Builder::new(9, &[-1, 2, 4, 4]);
    let x = b.conv("x", 2, 3, 3, 1, 1);
    let shape = b.node("Shape", &[&x], vec![]);
    let value = tensor(INT64, &[], 0i64.to_le_bytes().to_vec());
    let zero = b.node("Constant", &[], vec![tensor_value("value", value)]);
    let batch = b.node("Gather", &[&shape, &zero], vec![int("axis", 0)]);
    let batch = b.node("Unsqueeze", &[&batch], vec![ints("axes", &[0])]);
    let one = b.ints(&[1]);
    let batch = b.node("Mul", &[&batch, &one], vec![]);
    let rest = b.ints(&[-1]);
    let shape = b.node("Concat", &[&batch, &rest], vec![int("axis", 0)]);
    let shape = b.node("Cast", &[&shape], vec![int("to", 7)]);
    let x = b.node("Reshape", &[&x, &shape], vec![]);
    let x = b.gemm(&x, 48, 10);
    b.finish(&x)
}

/// Local response normalisation, groups, parametric and leaky ReLU.
pub fn alexnet() -> Vec<u8> {
    let mut b = Builder::new(12, &[1, 4, 8, 8]);
    let x = b.conv("x", 4, 6, 3, 1, 2);
    let slope = b.weights(&[6, 1, 1]);
    let x = b.node("PRelu", &[&x, &slope], vec![]);
    let attributes = vec![int("size", 5), float("alpha", 1e-4), float("bias", 2.0)];
    let x = b.node("LRN", &[&x], attributes);
    let x = b.node("LeakyRelu", &[&x], vec![float("alpha", 0.1)]);
    let x = b.node("Elu", &[&x], vec![]);
    let two = b.floats(&[], &[2.0]);
    let y = b.node("Abs", &[&x], vec![]);
    let y = b.node("Sqrt", &[&y], vec![]);
    let y = b.node("Pow", &[&y, &two], vec![]);
    let x = b.node("Max", &[&x, &y, &two], vec![]);
    let x = b.node("GlobalMaxPool", &[&x], vec![]);
    let x = b.node("Identity", &[&x], vec![]);
    let x = b.node("Flatten", &[&x], vec![]);
    let x = b.gemm(&x, 6, 10);
    b.finish(&x)
}

/// Quantized activations, weights per channel, a 32-bit bias.
pub fn quantized() -> Vec<u8> {
    let mut b = Builder::new(13, &[1, 3, 8, 8]);
    let (s, z) = (b.floats(&[], &[0.02]), b.constant(tensor(2, &[], vec![128])));
    let x = b.node("QuantizeLinear", &["x", &s, &z], vec![]);
    let x = b.node("DequantizeLinear", &[&x, &s, &z], vec![]);
    let w = b.constant(tensor(3, &[4, 3, 3, 3], (0..108).map(|i| (i * 7) as u8).collect()));
    let ws = b.floats(&[4], &[0.01, 0.02, 0.01, 0.03]);
    let wz = b.constant(tensor(3, &[4], vec![0; 4]));
    let w = b.node("DequantizeLinear", &[&w, &ws, &wz], vec![int("axis", 0)]);
    let bias = b.constant(tensor(6, &[4], vec![1; 16]));
    let bs = b.floats(&[4], &[1e-9; 4]);
    let bz = b.constant(tensor(6, &[4], vec![0; 16]));
    let bias = b.node("DequantizeLinear", &[&bias, &bs, &bz], vec![int("axis", 0)]);
    let x = b.node("Conv", &[&x, &w, &bias], vec![]);
    let x = b.node("GlobalAveragePool", &[&x], vec![]);
    let x = b.node("Flatten", &[&x], vec![]);
    let x = b.gemm(&x, 4, 10);
    b.finish(&x)
}

/// Resize by factors and by a size computed from a shape.
pub fn upsampling() -> Vec<u8> {
    let mut b = Builder::new(13, &[1, 3, 5, 5]);
    let roi = b.floats(&[0], &[]);
    let scales = b.floats(&[4], &[1.0, 1.0, 2.0, 2.0]);
    let attributes = vec![
        text("mode", "nearest"),
        text("coordinate_transformation_mode", "asymmetric"),
        text("nearest_mode", "floor"),
    ];
    let y = b.node("Resize", &["x", &roi, &scales], attributes);
    let y = b.conv(&y, 3, 4, 3, 2, 1);
    let shape = b.node("Shape", &[&y], vec![]);
    let (start, end, axis) = (b.ints(&[0]), b.ints(&[2]), b.ints(&[0]));
    let head = b.node("Slice", &[&shape, &start, &end, &axis], vec![]);
    let size = b.ints(&[7, 7]);
    let sizes = b.node("Concat", &[&head, &size], vec![int("axis", 0)]);
    let attributes =
        vec![text("mode", "linear"), text("coordinate_transformation_mode", "half_pixel")];
    let x = b.node("Resize", &[&y, "", "", &sizes], attributes);
    let x = b.node("GlobalAveragePool", &[&x], vec![]);
    let x = b.node("Flatten", &[&x], vec![]);
    let x = b.gemm(&x, 4, 10);
    b.finish(&x)
}

/// The attribute forms of operator set 7.
pub fn old_operators() -> Vec<u8> {
    let mut b = Builder::new(7, &[1, 4, 8, 8]);
    let attributes = vec![ints("axes", &[2, 3]), ints("starts", &[1, 0]), ints("ends", &[7, -1])];
    let x = b.node("Slice", &["x"], attributes);
    let x = b.node(
        "Pad",
        &[&x],
        vec![ints("pads", &[0, 0, 1, 1, 0, 0, 1, 1]), text("mode", "reflect")],
    );
    let x = b.batch_norm(&x, 4);
    b.node_to("Split", &[&x], &["p", "q"], vec![int("axis", 1)]);
    let x = b.node("Sub", &["p", "q"], vec![]);
    let x = b.node("Clip", &[&x], vec![float("min", -1.0)]);
    let x = b.node("ReduceSum", &[&x], vec![ints("axes", &[3]), int("keepdims", 0)]);
    let x = b.node("Unsqueeze", &[&x], vec![ints("axes", &[0])]);
    let x = b.node("Softmax", &[&x], vec![int("axis", 2)]);
    let x = b.node("Squeeze", &[&x], vec![ints("axes", &[0])]);
    let x = b.node("ReduceMax", &[&x], vec![ints("axes", &[0])]);
    b.finish(&x)
}

/// The input forms of operator set 21, with a computed `Expand`.
pub fn new_operators() -> Vec<u8> {
    let mut b = Builder::new(21, &[-1, 4, 6, 6]);
    let shape = b.node("Shape", &["x"], vec![int("start", 1)]);
    let minus = b.ints(&[-1, -1, -1]);
    let same = b.node("Equal", &[&shape, &minus], vec![]);
    let three = b.ints(&[3]);
    let one = tensor(INT64, &[1], 1i64.to_le_bytes().to_vec());
    let ones = b.node("ConstantOfShape", &[&three], vec![tensor_value("value", one)]);
    let to = b.node("Where", &[&same, &ones, &shape], vec![]);
    let row = b.weights(&[4, 1, 1]);
    let big = b.node("Expand", &[&row, &to], vec![]);
    let x = b.node("Mul", &["x", &big], vec![]);
    b.node_to("Split", &[&x], &["p", "q"], vec![int("axis", 2), int("num_outputs", 2)]);
    let repeats = b.ints(&[1, 1, 2, 1]);
    let t = b.node("Tile", &["p", &repeats], vec![]);
    let x = b.node("Min", &[&x, &t], vec![]);
    let index = b.ints(&[0, -1]);
    let x = b.node("Gather", &[&x, &index], vec![int("axis", 3)]);
    let axes = b.ints(&[-1, 2]);
    let x = b.node("ReduceSum", &[&x, &axes], vec![int("keepdims", 0)]);
    let x = b.node("Neg", &[&x], vec![]);
    let x = b.node("Exp", &[&x], vec![]);
    let x = b.node("Erf", &[&x], vec![]);
    let x = b.gemm(&x, 4, 10);
    b.finish(&x)
}

/// Two activations multiplied, as in an attention block.
pub fn attention() -> Vec<u8> {
    let mut b = Builder::new(17, &[1, 4, 5, 5]);
    let shape = b.ints(&[0, 4, 25]);
    let q = b.node("Reshape", &["x", &shape], vec![]);
    let k = b.node("Transpose", &[&q], vec![ints("perm", &[0, 2, 1])]);
    let a = b.node("MatMul", &[&k, &q], vec![]);
    let a = b.node("Softmax", &[&a], vec![int("axis", -1)]);
    let y = b.node("MatMul", &[&a, &k], vec![]);
    let x = b.node("ReduceMean", &[&y], vec![ints("axes", &[1]), int("keepdims", 0)]);
    let x = b.gemm(&x, 4, 10);
    b.finish(&x)
}
