//! Files that are small and become large, and networks as large as the limits
//! allow.

use super::*;

/// A field of a protobuf message: tag, length and body.
fn field(tag: u32, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    prost::encoding::encode_key(tag, prost::encoding::WireType::LengthDelimited, &mut bytes);
    prost::encoding::encode_varint(body.len() as u64, &mut bytes);
    bytes.extend(body);
    bytes
}

/// `body` within messages of the given tags, outermost first.
fn within(tags: &[u32], body: Vec<u8>) -> Vec<u8> {
    tags.iter().rev().fold(body, |body, &tag| field(tag, &body))
}

/// A graph in an attribute of a node of a graph, and so on.
fn subgraphs(depth: usize) -> Vec<u8> {
    within(&[7], within(&[1, 5, 6].repeat(depth), vec![]))
}

/// Files whose decoded form is many times their size, or deep.
pub fn amplifications() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let mebi = 1 << 20;
    let empty = |tag: u32, count: usize| field(tag, &[]).repeat(count);
    vec![
        ("nodes", within(&[7], empty(1, 8 * mebi)), "small parts"),
        ("attributes", within(&[7, 1], empty(5, 8 * mebi)), "small parts"),
        ("constants", within(&[7], empty(5, 8 * mebi)), "small parts"),
        ("inputs", within(&[7, 1], empty(1, 8 * mebi)), "small parts"),
        ("opsets", empty(8, 8 * mebi), "small parts"),
        ("entries", empty(14, 8 * mebi), "small parts"),
        ("functions", [vec![0xca, 0x01, 0]; 1].concat().repeat(4 * mebi), "small parts"),
        ("dimensions", within(&[7, 11, 2, 1, 2], empty(1, 8 * mebi)), "small parts"),
        ("subgraphs", within(&[7, 1, 5], empty(11, 8 * mebi)), "small parts"),
        ("packed integers", within(&[7, 5, 7], vec![1; 32 * mebi]), "small parts"),
        ("packed dimensions", within(&[7, 5, 1], vec![1; 32 * mebi]), "small parts"),
        ("packed attribute", within(&[7, 1, 5, 8], vec![1; 32 * mebi]), "small parts"),
        ("loose integers", within(&[7, 5], [0x38, 1].repeat(8 * mebi)), "small parts"),
        ("strings", within(&[7, 5], empty(6, 8 * mebi)), "small parts"),
        ("subgraph in subgraph", subgraphs(1000), "nested deeper"),
        ("subgraphs just too deep", subgraphs(8), "nested deeper"),
        ("groups", vec![0x0b; mebi], "group"),
        ("two graphs", [field(7, &[]), field(7, &[])].concat(), "appears twice"),
        ("cut short", field(7, &[0; 100])[..50].to_vec(), "claims 100 bytes"),
        ("endless number", vec![0xff; mebi], "no ONNX model"),
        ("long claim", [vec![0x3a], vec![0xff; 9], vec![1]].concat(), "claims"),
        ("zeros", vec![0; mebi], "no ONNX model"),
    ]
}

/// Networks that use up a limit: accepted or refused, but in bounds.
pub fn heavy() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("one large product", {
            let mut b = Builder::new(13, &[1, 4000]);
            let w = b.weights(&[4000, 4000]);
            let x = b.node("Gemm", &["x", &w], vec![]);
            b.finish(&x)
        }),
        ("one large transposed product", {
            let mut b = Builder::new(13, &[1, 4000]);
            let w = b.weights(&[4000, 4000]);
            let x = b.node("Gemm", &["x", &w], vec![int("transB", 1), float("alpha", 2.0)]);
            b.finish(&x)
        }),
        ("large convolutions", large_convolutions(false)),
        ("large convolutions in parts", large_convolutions(true)),
        ("many bytes of weights", {
            let mut b = Builder::new(13, &[1, 4000]);
            let w = b.constant(tensor(3, &[4000, 4000], vec![3; 16_000_000]));
            let (s, z) = (b.floats(&[], &[0.1]), b.constant(tensor(3, &[], vec![0])));
            let w = b.node("DequantizeLinear", &[&w, &s, &z], vec![]);
            let x = b.node("MatMul", &["x", &w], vec![]);
            b.finish(&x)
        }),
        ("a constant made large", {
            let mut b = Builder::new(13, &[1, 4000]);
            let shape = b.ints(&[4000, 4000]);
            let w = b.node("ConstantOfShape", &[&shape], vec![]);
            let x = b.node("MatMul", &["x", &w], vec![]);
            b.finish(&x)
        }),
        ("weights through many steps", {
            let mut b = Builder::new(13, &[1, 1000]);
            let mut w = b.weights(&[1000, 1000]);
            for i in 0..30 {
                let op = ["Transpose", "Neg", "Abs"][i % 3];
                w = b.node(op, &[&w], vec![]);
            }
            let x = b.node("MatMul", &["x", &w], vec![]);
            b.finish(&x)
        }),
        ("a long chain", chain(630, |b, x, _| b.node("Relu", &[x], vec![]))),
        ("a long chain of exponentials", chain(630, |b, x, _| b.node("Exp", &[x], vec![]))),
        (
            "a long chain of reshapes",
            chain(95, |b, x, i| {
                let shape = b.ints(&[[1, 2, 8, 16], [1, 4, 8, 8]][i % 2]);
                let x = b.node("Reshape", &[x, &shape], vec![]);
                b.node("Neg", &[&x], vec![])
            }),
        ),
        (
            "a long chain of transposes",
            chain(95, |b, x, i| {
                let perm = [[0, 2, 3, 1], [0, 3, 1, 2]][i % 2];
                let x = b.node("Transpose", &[x], vec![ints("perm", &perm)]);
                b.node("Exp", &[&x], vec![])
            }),
        ),
        ("a long chain of convolutions", chain(630, |b, x, _| b.conv(x, 4, 4, 3, 1, 1))),
        (
            "a long chain of norms",
            chain(315, |b, x, _| {
                let x = b.batch_norm(x, 4);
                b.conv(&x, 4, 4, 1, 1, 1)
            }),
        ),
        (
            "a long chain of slices",
            chain(315, |b, x, _| {
                let y = b.node("Concat", &[x, x], vec![int("axis", 1)]);
                let (start, end, axis) = (b.ints(&[2]), b.ints(&[6]), b.ints(&[1]));
                b.node("Slice", &[&y, &start, &end, &axis], vec![])
            }),
        ),
        (
            "a ladder of sums",
            chain(630, |b, x, i| {
                let other = if i < 10 { "x".to_owned() } else { format!("add_{}", i - 10) };
                b.node("Add", &[x, &other], vec![])
            }),
        ),
        ("a doubling ladder", chain(630, |b, x, _| b.node("Add", &[x, x], vec![]))),
        ("wide concatenations", {
            let mut b = Builder::new(13, &[1, 4, 8, 8]);
            let mut x = "x".to_owned();
            for _ in 0..4 {
                let parts: Vec<String> = (0..128).map(|_| b.node("Relu", &[&x], vec![])).collect();
                let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
                let y = b.node("Concat", &parts, vec![int("axis", 1)]);
                let axes = b.ints(&[1]);
                let y = b.node("ReduceSum", &[&y, &axes], vec![]);
                x = b.node("Add", &[&x, &y], vec![]);
            }
            b.finish(&x)
        }),
        ("many splits", {
            let mut b = Builder::new(13, &[1, 128, 8, 8]);
            let mut x = "x".to_owned();
            for round in 0..4 {
                let names: Vec<String> = (0..128).map(|i| format!("s{round}_{i}")).collect();
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                b.node_to("Split", &[&x], &names, vec![int("axis", 1)]);
                x = b.node("Concat", &names, vec![int("axis", 1)]);
                x = b.node("Relu", &[&x], vec![]);
            }
            b.finish(&x)
        }),
        ("a large border", {
            let mut b = Builder::new(13, &[1, 8, 64, 64]);
            let w = b.weights(&[8, 1, 31, 31]);
            let attributes = vec![ints("pads", &[15; 4]), int("group", 8)];
            let x = b.node("Conv", &["x", &w], attributes);
            b.finish(&x)
        }),
        (
            "many large borders",
            chain4(200, |b, x| {
                let w = b.weights(&[4, 1, 31, 31]);
                b.node("Conv", &[x, &w], vec![ints("pads", &[15; 4]), int("group", 4)])
            }),
        ),
        ("a large image", {
            let mut b = Builder::new(13, &[1, 3, 2000, 2000]);
            let x = b.conv("x", 3, 4, 3, 2, 1);
            let x = b.node("Relu", &[&x], vec![]);
            b.finish(&x)
        }),
    ]
}

/// As large as a file may be; in parts for the kernels and tract, or not.
fn large_convolutions(in_parts: bool) -> Vec<u8> {
    let mut b = Builder::new(13, &[1, 3, 32, 32]);
    let mut x = b.conv("x", 3, 512, 3, 2, 1);
    for i in 0..6 {
        x = b.conv(&x, 512, 512, 3, 2, 1);
        x = b.batch_norm(&x, 512);
        if in_parts && i == 1 {
            x = b.node("Erf", &[&x], vec![]);
        }
    }
    let x = b.node("GlobalAveragePool", &[&x], vec![]);
    let x = b.node("Flatten", &[&x], vec![]);
    b.finish(&x)
}

/// A chain of `length` nodes or pairs over a 4 x 8 x 8 tensor.
fn chain(length: usize, link: impl Fn(&mut Builder, &str, usize) -> String) -> Vec<u8> {
    let mut b = Builder::new(13, &[1, 4, 8, 8]);
    let x = (0..length).fold("x".to_owned(), |x, i| link(&mut b, &x, i));
    b.finish(&x)
}

fn chain4(length: usize, link: impl Fn(&mut Builder, &str) -> String) -> Vec<u8> {
    let mut b = Builder::new(13, &[1, 4, 64, 64]);
    let x = (0..length).fold("x".to_owned(), |x, _| link(&mut b, &x));
    b.finish(&x)
}
