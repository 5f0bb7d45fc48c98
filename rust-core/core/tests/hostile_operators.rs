//! Operators made to hurt: sizes, numbers, axes and shapes out of range. Each
//! gives an error that names the node and the value, in time.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests may fail and report"
)]

mod support;

use support::refusal::{conv, listed, one, refuse};
use support::*;

#[test]
fn convolutions() {
    let w = [6, 4, 3, 3];
    for name in ["strides", "dilations", "kernel_shape"] {
        for bad in [0, -1, 20_000, 1 << 40, i64::MIN] {
            let text = format!("{name} [{bad}, 1]");
            refuse(name, &conv(&w, vec![ints(name, &[bad, 1])]), &["n_y", "(Conv)", &text]);
        }
        refuse(name, &conv(&w, vec![ints(name, &[1])]), &["n_y", name, "2 numbers"]);
        refuse(name, &conv(&w, vec![ints(name, &[1; 30])]), &["n_y", name, "30 in all"]);
    }
    for bad in [-1, -20_000, 4, 20_000, 1 << 40, i64::MAX, i64::MIN] {
        let text = format!("pads [{bad}, 0, 0, 0]");
        refuse("pads", &conv(&w, vec![ints("pads", &[bad, 0, 0, 0])]), &["n_y", &text]);
    }
    refuse("short pads", &conv(&w, vec![ints("pads", &[1, 1])]), &["n_y", "pads [1, 1]", "4"]);
    refuse("one pad", &conv(&w, vec![ints("pads", &[1])]), &["n_y", "pads [1]"]);
    let both = vec![ints("pads", &[1; 4]), text("auto_pad", "SAME_UPPER")];
    refuse("both paddings", &conv(&w, both), &["n_y", "both pads and auto_pad"]);
    refuse("auto_pad", &conv(&w, vec![text("auto_pad", "EVIL")]), &["n_y", "auto_pad `EVIL`"]);
    for group in [0, -1, 3, i64::MAX] {
        let text = format!("group {group}");
        refuse("group", &conv(&w, vec![int("group", group)]), &["n_y", &text]);
    }
    refuse(
        "group over weights",
        &conv(&w, vec![int("group", 2)]),
        &["n_y", "group", "[6, 4, 3, 3]"],
    );
    refuse("rank 3 weights", &conv(&[6, 4, 3], vec![]), &["n_y", "[6, 4, 3]", "4 axes"]);
    refuse("rank 5 weights", &conv(&[6, 4, 3, 3, 1], vec![]), &["n_y", "4 axes"]);
    refuse("channels", &conv(&[6, 5, 3, 3], vec![]), &["n_y", "[6, 5, 3, 3]", "4 channels"]);
    refuse("window", &conv(&[6, 4, 9, 9], vec![]), &["n_y", "window 9", "image of 8"]);
    refuse("spread window", &conv(&w, vec![ints("dilations", &[8, 8])]), &["n_y", "window 17"]);
    let stated = vec![ints("kernel_shape", &[5, 5])];
    refuse("stated kernel", &conv(&w, stated), &["n_y", "kernel_shape [5, 5]", "[3, 3]"]);
    refuse("unknown attribute", &conv(&w, vec![int("evil", 1)]), &["n_y", "`evil`"]);
    refuse("typed wrong", &conv(&w, vec![float("group", 1.0)]), &["n_y", "`group`", "must be int"]);
    let twice = vec![int("group", 1), int("group", 4)];
    refuse("attribute twice", &conv(&w, twice), &["n_y", "`group` twice"]);

    let mut b = Builder::new(13, &[1, 4, 8, 8]);
    let (w, bias) = (b.weights(&[6, 4, 3, 3]), b.weights(&[5]));
    b.node_to("Conv", &["x", &w, &bias], &["y"], vec![]);
    refuse("bias", &b.finish("y"), &["n_y", "bias of shape [5]", "[6]"]);
    let mut b = Builder::new(13, &[1, 4, 8, 8]);
    b.node_to("Conv", &["x", "x"], &["y"], vec![]);
    refuse("no weights", &b.finish("y"), &["n_y", "not constant"]);
    // A wide kernel with a wide border: tract lists each overlap.
    let mut b = Builder::new(13, &[1, 1, 300, 300]);
    let w = b.weights(&[1, 1, 100, 100]);
    b.node_to("Conv", &["x", &w], &["y"], vec![ints("pads", &[99; 4])]);
    refuse("border", &b.finish("y"), &["n_y", "[100, 100]", "[99, 99]", "points"]);
}

#[test]
fn pools() {
    for op in ["MaxPool", "AveragePool"] {
        for (kernel, strides, pads, part) in [
            ([0, 2], [1, 1], [0; 4], "kernel_shape [0, 2]"),
            ([20_000, 2], [1, 1], [0; 4], "kernel_shape [20000, 2]"),
            ([2, 1 << 40], [1, 1], [0; 4], "kernel_shape [2, 1099511627776]"),
            ([2, 2], [0, 1], [0; 4], "strides [0, 1]"),
            ([2, 2], [1, 1], [2, 0, 0, 0], "pads [2, 0, 0, 0]"),
            ([2, 2], [1, 1], [0, 0, 0, 20_000], "pads [0, 0, 0, 20000]"),
            ([2, 2], [1, 1], [0, 0, 0, 1 << 40], "pads [0, 0, 0, 1099511627776]"),
            ([2, 2], [1, 1], [-1, 0, 0, 0], "pads [-1, 0, 0, 0]"),
            ([10, 10], [1, 1], [0; 4], "window 10"),
        ] {
            let attributes =
                vec![ints("kernel_shape", &kernel), ints("strides", &strides), ints("pads", &pads)];
            refuse(part, &one(op, &[], attributes), &["n_y", op, part]);
        }
        refuse("no kernel", &one(op, &[], vec![]), &["n_y", op, "no kernel_shape"]);
        let attributes = vec![ints("kernel_shape", &[2, 2]), int("ceil_mode", 7)];
        refuse("ceil_mode", &one(op, &[], attributes), &["n_y", "ceil_mode 7"]);
    }
    let mut b = Builder::new(13, &[1, 4]);
    b.node_to("GlobalAveragePool", &["x"], &["y"], vec![]);
    refuse("flat pool", &b.finish("y"), &["n_y", "[1, 4]", "4 axes"]);
    let mut b = Builder::new(13, &[1, 4, 8, 8]);
    b.node_to("MaxPool", &["x"], &["p", "where"], vec![ints("kernel_shape", &[2, 2])]);
    b.node_to("Add", &["p", "where"], &["y"], vec![]);
    refuse("indices", &b.finish("y"), &["n_y", "`where`"]);
}

#[test]
fn bombs_of_elements() {
    let huge: [i64; 4] = [1, 1 << 20, 1 << 20, 1 << 20];
    let many: [i64; 3] = [1 << 20, 1 << 20, 1];
    for shape in [&huge[..], &many[..], &[i64::MAX, i64::MAX], &[1 << 40]] {
        let mut b = Builder::new(13, &[1, 4]);
        let shape = b.ints(shape);
        b.node_to("ConstantOfShape", &[&shape], &["big"], vec![]);
        b.node_to("Add", &["x", "big"], &["y"], vec![]);
        refuse("ConstantOfShape", &b.finish("y"), &["n_big", "max_tensor_elements"]);
    }
    refuse("Expand", &listed(13, "Expand", &[&[1 << 30, 4, 8, 8]], vec![]), &["n_y", "1073741824"]);
    refuse(
        "Tile",
        &listed(13, "Tile", &[&[1, 1, 1 << 40, 1 << 40]], vec![]),
        &["n_y", "max_tensor"],
    );
    refuse("Tile by 0", &listed(13, "Tile", &[&[1, 1, 0, 1]], vec![]), &["n_y", "empty"]);
    refuse("Tile by -1", &listed(13, "Tile", &[&[1, 1, -1, 1]], vec![]), &["n_y", "[1, 1, -1, 1]"]);
    refuse("Tile short", &listed(13, "Tile", &[&[2]], vec![]), &["n_y", "repeats [2]"]);
    refuse("Pad", &listed(13, "Pad", &[&[0, 0, 0, 1 << 40, 0, 0, 0, 0]], vec![]), &["n_y", "pads"]);
    let wide = [0, 0, 60_000, 60_000, 0, 0, 60_000, 60_000];
    refuse("wide Pad", &listed(13, "Pad", &[&wide], vec![]), &["n_y", "max_tensor_elements"]);
    let sizes = [1, 4, 1 << 40, 8];
    let mut b = Builder::new(13, &[1, 4, 8, 8]);
    let sizes = b.ints(&sizes);
    b.node_to("Resize", &["x", "", "", &sizes], &["y"], vec![]);
    refuse("Resize", &b.finish("y"), &["n_y", "sizes 1099511627776"]);
    for bad in [1e30, f32::NAN, f32::INFINITY, -1.0, 0.0] {
        let mut b = Builder::new(13, &[1, 4, 8, 8]);
        let scales = b.floats(&[4], &[1.0, 1.0, bad, 1.0]);
        b.node_to("Resize", &["x", "", &scales], &["y"], vec![]);
        refuse("Resize", &b.finish("y"), &["n_y", "scales"]);
    }
    // Doubling 30 times: each step is small, the sum is not.
    let mut b = Builder::new(13, &[1, 4, 8, 8]);
    let mut x = "x".to_owned();
    for _ in 0..30 {
        x = b.node("Concat", &[&x, &x], vec![int("axis", 3)]);
    }
    refuse("doubling", &b.finish(&x), &["concat_", "more than"]);
    // The same of constants, which tract would fold.
    let mut b = Builder::new(13, &[1, 4]);
    let mut c = b.weights(&[1, 4]);
    for _ in 0..40 {
        c = b.node("Concat", &[&c, &c], vec![int("axis", 0)]);
    }
    b.node_to("Gemm", &["x", &c], &["y"], vec![int("transB", 1)]);
    refuse("folding", &b.finish("y"), &["concat_", "more than"]);
    // Much work on little data.
    let mut b = Builder::new(13, &[1, 4]);
    let big = b.ints(&[1 << 22, 4]);
    b.node_to("ConstantOfShape", &[&big], &["big"], vec![]);
    let mut c = "big".to_owned();
    for _ in 0..100 {
        c = b.node("Exp", &[&c], vec![]);
    }
    b.node_to("Gemm", &["x", &c], &["y"], vec![int("transB", 1)]);
    refuse("folding work", &b.finish("y"), &["exp_", "max_constant_work"]);
    let mut b = Builder::new(13, &[1, 4, 1024, 1024]);
    let w = b.weights(&[4, 4, 31, 31]);
    let mut x = "x".to_owned();
    for _ in 0..3 {
        x = b.node("Conv", &[&x, &w], vec![ints("pads", &[15; 4])]);
    }
    refuse("work", &b.finish(&x), &["conv_", "max_macs"]);
    // No step is large, but all of them are kept alive.
    let mut b = Builder::new(13, &[1, 1, 2048, 2048]);
    let parts: Vec<String> = (0..20).map(|_| b.node("Relu", &["x"], vec![])).collect();
    let mut sum = "x".to_owned();
    for part in &parts {
        sum = b.node("Add", &[&sum, part], vec![]);
    }
    refuse("memory", &b.finish(&sum), &["bytes of memory", "max_memory_bytes"]);
    let mut b = Builder::new(13, &[1, 4]);
    let x = b.node("MatMul", &["x", "x"], vec![]);
    refuse("misfit", &b.finish(&x), &["n_matmul_0", "[1, 4]", "inner dimensions"]);
}

#[test]
fn shapes_and_axes() {
    for axis in [4, -5, i64::MAX, i64::MIN, 1 << 40] {
        let text = format!("axis {axis}");
        for op in ["Softmax", "LogSoftmax", "Flatten", "Split", "Concat"] {
            if op == "Flatten" && axis == 4 {
                continue;
            }
            refuse(op, &one(op, &[], vec![int("axis", axis)]), &["n_y", op, &text]);
        }
        let bytes = listed(13, "Gather", &[&[0]], vec![int("axis", axis)]);
        refuse("Gather", &bytes, &["n_y", "Gather", &text]);
        let bytes = one("ReduceMean", &[], vec![ints("axes", &[axis])]);
        refuse("ReduceMean", &bytes, &["n_y", &format!("axes {axis}")]);
        let bytes = listed(13, "Squeeze", &[&[axis]], vec![]);
        refuse("Squeeze", &bytes, &["n_y", &format!("axes {axis}")]);
    }
    let bytes = one("ReduceMax", &[], vec![ints("axes", &[])]);
    refuse("no axes", &bytes, &["n_y", "empty list of axes"]);
    for axes in [vec![6], vec![-7], vec![0; 2], vec![0; 100]] {
        refuse("Unsqueeze", &listed(13, "Unsqueeze", &[&axes], vec![]), &["n_y", "Unsqueeze"]);
    }
    refuse("Squeeze", &listed(13, "Squeeze", &[&[1]], vec![]), &["n_y", "axis 1", "[1, 4, 8, 8]"]);
    let perms: [&[i64]; 5] = [&[0, 1, 2], &[0, 1, 2, 2], &[0, 1, 2, 4], &[0, 1, 2, -1], &[9; 50]];
    for perm in perms {
        refuse("perm", &one("Transpose", &[], vec![ints("perm", perm)]), &["n_y", "perm", "once"]);
    }
    let shapes: [&[i64]; 8] = [
        &[-1, -1],
        &[7, -1],
        &[1, 4, 8, 9],
        &[-2, 4],
        &[0, 0, 0, 0, 0],
        &[i64::MAX, i64::MAX],
        &[1 << 40, -1],
        &[1; 20],
    ];
    for shape in shapes {
        refuse(
            "Reshape",
            &listed(13, "Reshape", &[shape], vec![]),
            &["n_y", "reshapes [1, 4, 8, 8]"],
        );
    }
    let bytes = listed(14, "Reshape", &[&[0, 256]], vec![int("allowzero", 1)]);
    refuse("Reshape to nothing", &bytes, &["n_y", "reshapes"]);
    let mut b = Builder::new(13, &[1, 4]);
    b.node_to("Reshape", &["x", "x"], &["y"], vec![]);
    refuse("live shape", &b.finish("y"), &["n_y", "input 1", "constant list"]);
    for sizes in [vec![4, 5], vec![8], vec![0, 8], vec![-1, 9], vec![i64::MAX, i64::MAX]] {
        let mut b = Builder::new(13, &[1, 4, 8, 8]);
        let sizes = b.ints(&sizes);
        b.node_to("Split", &["x", &sizes], &["y", "z"], vec![int("axis", 2)]);
        refuse("Split", &b.finish("y"), &["n_y", "Split"]);
    }
    for (lists, part) in [
        ([&[5i64][..], &[5], &[2], &[1]], "nothing is left"),
        ([&[0], &[8], &[2], &[0]], "steps 0"),
        ([&[8], &[0], &[2], &[-1]], "steps -1"),
        ([&[0], &[8], &[2], &[i64::MIN]], "steps"),
        ([&[0], &[8], &[9], &[1]], "axes 9"),
        ([&[0, 0], &[8], &[2], &[1]], "as many"),
        ([&[0, 0], &[8, 8], &[2, -2], &[1, 1]], "axis 2 twice"),
        ([&[i64::MIN], &[i64::MIN], &[2], &[1]], "nothing is left"),
    ] {
        refuse(part, &listed(13, "Slice", &lists, vec![]), &["n_y", part]);
    }
    for index in [4, -5, i64::MAX, i64::MIN] {
        let bytes = listed(13, "Gather", &[&[index]], vec![int("axis", 1)]);
        refuse("Gather", &bytes, &["n_y", &format!("index {index}")]);
    }
    for mode in ["wrap", "EVIL"] {
        let bytes = listed(13, "Pad", &[&[0; 8]], vec![text("mode", mode)]);
        refuse("Pad", &bytes, &["n_y", mode]);
    }
    let bytes = listed(13, "Pad", &[&[0, 0, 8, 0, 0, 0, 0, 0]], vec![text("mode", "reflect")]);
    refuse("reflect", &bytes, &["n_y", "pads 8", "0 to 7"]);
    refuse("crop", &listed(13, "Pad", &[&[0, 0, -1, 0, 0, 0, 0, 0]], vec![]), &["n_y", "pads -1"]);
    refuse("short pads", &listed(13, "Pad", &[&[0, 0]], vec![]), &["n_y", "pads [0, 0]"]);
    refuse("Add", &one("Add", &[&[1.0; 3]], vec![]), &["n_y", "[1, 4, 8, 8]", "[3]", "broadcast"]);
    refuse("Expand", &listed(13, "Expand", &[&[3]], vec![]), &["n_y", "broadcast"]);
    refuse("Gemm", &one("Gemm", &[&[1.0; 4]], vec![]), &["n_y", "Gemm", "do not fit"]);
    refuse("MatMul", &one("MatMul", &[&[1.0; 4]], vec![]), &["n_y", "MatMul", "2 axes"]);
    let mut b = Builder::new(13, &[1, 4]);
    let (lists, zero) = (b.ints(&[1]), b.ints(&[0]));
    let bad = b.node("Div", &[&lists, &zero], vec![]);
    b.node_to("Reshape", &["x", &bad], &["y"], vec![]);
    refuse("division", &b.finish("y"), &["n_div_0", "division by zero"]);
}

#[test]
fn numbers() {
    let bad = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
    for value in bad {
        for (op, name) in
            [("LeakyRelu", "alpha"), ("Elu", "alpha"), ("HardSigmoid", "beta"), ("LRN", "bias")]
        {
            let mut attributes = vec![float(name, value)];
            if op == "LRN" {
                attributes.push(int("size", 3));
            }
            refuse(op, &one(op, &[], attributes), &["n_y", op, name, "finite"]);
        }
        let four: &[f32] = &[1.0; 4];
        let bytes = one("BatchNormalization", &[four; 4], vec![float("epsilon", value)]);
        refuse("epsilon", &bytes, &["n_y", "epsilon", "finite"]);
    }
    for size in [0, -1, 10, 1 << 40] {
        let bytes = one("LRN", &[], vec![int("size", size)]);
        refuse("LRN", &bytes, &["n_y", &format!("size {size}")]);
    }
    let four: &[f32] = &[1.0; 4];
    let bytes = one("BatchNormalization", &[four, four, four, &[1.0; 5]], vec![]);
    refuse("variance", &bytes, &["n_y", "input 4 of shape [5]", "[4]"]);
    let bytes = one("BatchNormalization", &[four; 4], vec![int("training_mode", 1)]);
    refuse("training", &bytes, &["n_y", "training"]);
    refuse("three of five", &one("BatchNormalization", &[four; 3], vec![]), &["n_y", "4 inputs"]);
    let mut b = Builder::new(13, &[1, 4]);
    let (low, high) = (b.floats(&[], &[1.0]), b.floats(&[], &[f32::NAN]));
    b.node_to("Clip", &["x", &low, &high], &["y"], vec![]);
    refuse("Clip", &b.finish("y"), &["n_y", "between 1 and NaN"]);
    refuse("PRelu", &one("PRelu", &[&[1.0; 3]], vec![]), &["n_y", "[3]"]);
    refuse("cast to string", &one("Cast", &[], vec![int("to", 8)]), &["n_y", "string"]);
    refuse("cast to nothing", &one("Cast", &[], vec![int("to", 1 << 40)]), &["n_y", "undefined"]);
    refuse("cast to int", &one("Cast", &[], vec![int("to", 7)]), &["n_y", "F32 to I64"]);
    for (scale, zeros, part) in [
        (vec![0.0], 1, "scale 0"),
        (vec![f32::NAN], 1, "scale NaN"),
        (vec![-1.0], 1, "scale -1"),
        (vec![1.0; 3], 3, "shape [3]"),
        (vec![], 0, "shape [0]"),
        (vec![1.0], 4, "shape [4]"),
    ] {
        let mut b = Builder::new(13, &[1, 4, 8, 8]);
        let scale = b.floats(&[scale.len() as i64], &scale);
        let zero = b.constant(tensor(2, &[zeros as i64], vec![0; zeros]));
        b.node_to("QuantizeLinear", &["x", &scale, &zero], &["y"], vec![]);
        refuse("QuantizeLinear", &b.finish("y"), &["n_y", part]);
    }
}
