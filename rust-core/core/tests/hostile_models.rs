//! Files and graphs made to hurt (`hostile_operators` has the operators): each gives an error of the right kind that names the
//! culprit, in time. Many of them hang, abort or panic tract alone.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests may fail and report"
)]

mod support;

use biglittle::network::{ModelLimits, check_model};
use prost::Message;
use support::refusal::{conv, one, refuse};
use support::*;
use tract_onnx::pb::*;

/// A good network, then changed.
fn changed(change: impl FnOnce(&mut ModelProto)) -> Vec<u8> {
    let mut model = ModelProto::decode(&networks::lenet()[..]).unwrap();
    change(&mut model);
    model.encode_to_vec()
}

fn changed_graph(change: impl FnOnce(&mut GraphProto)) -> Vec<u8> {
    changed(|model| change(model.graph.as_mut().unwrap()))
}

#[test]
fn the_unchanged_network_passes() {
    check_model(&changed(|_| {}), &ModelLimits::default()).unwrap();
    check_model(&conv(&[6, 4, 3, 3], vec![]), &ModelLimits::default()).unwrap();
}

#[test]
fn graphs() {
    refuse("empty file", b"", &["no graph"]);
    refuse("no graph", &changed(|m| m.graph = None), &["no graph"]);
    refuse("empty graph", &changed_graph(|g| g.node.clear()), &["graph is empty"]);
    refuse("no output", &changed_graph(|g| g.output.clear()), &["0 outputs"]);
    refuse(
        "two outputs",
        &changed_graph(|g| g.output.push(value_info("c0", FLOAT, &[]))),
        &["2 outputs", "`c0`"],
    );
    refuse(
        "unmade output",
        &changed_graph(|g| g.output[0].name = "ghost".into()),
        &["`ghost`", "made by no node"],
    );
    refuse(
        "constant output",
        &changed_graph(|g| g.output[0].name = "c0".into()),
        &["`c0`", "depend"],
    );
    refuse(
        "input as output",
        &changed_graph(|g| g.output[0].name = "x".into()),
        &["`x`", "depend"],
    );
    refuse("no input", &changed_graph(|g| g.input.clear()), &["0 inputs"]);
    let second = value_info("z", FLOAT, &[1, 1]);
    refuse("two inputs", &changed_graph(|g| g.input.push(second)), &["2 inputs", "`z`"]);
    refuse("input twice", &changed_graph(|g| g.input.push(g.input[0].clone())), &["`x`", "twice"]);
    for (dims, part) in [
        (vec![1, 1, 12], "3 axes"),
        (vec![], "0 axes"),
        (vec![8, 1, 12, 12], "batch of 8"),
        (vec![1, 1, -1, 12], "axis 2 open"),
        (vec![1, 1, 0, 12], "dimension 0 on axis 2"),
        (vec![1, 1, -7, 12], "dimension -7"),
        (vec![1, 1 << 40, 1 << 40, 12], "max_tensor_elements"),
        (vec![1, i64::MAX, i64::MAX, i64::MAX], "max_tensor_elements"),
    ] {
        let input = value_info("x", FLOAT, &dims);
        refuse(part, &changed_graph(|g| g.input[0] = input), &["`x`", part]);
    }
    let bytes = value_info("x", 2, &[1, 1, 12, 12]);
    refuse("byte input", &changed_graph(|g| g.input[0] = bytes), &["`x`", "uint8"]);
    refuse(
        "typeless input",
        &changed_graph(|g| g.input[0].r#type = None),
        &["`x`", "no tensor type"],
    );

    let backwards = changed_graph(|g| g.node.reverse());
    refuse("out of order", &backwards, &["node 0", "(LogSoftmax)", "order"]);
    let cycle = changed_graph(|g| g.node[0].input[0] = g.node[3].output[0].clone());
    refuse("cycle", &cycle, &["node 0", "(Conv)", "`conv_3`", "cycle"]);
    let own = changed_graph(|g| g.node[1].input[0] = g.node[1].output[0].clone());
    refuse("self-reference", &own, &["node 1", "(Relu)", "`relu_1`", "cycle"]);
    let same = changed_graph(|g| g.node[2].name = g.node[0].name.clone());
    refuse("node name twice", &same, &["node 2", "MaxPool", "`n_conv_0`"]);
    let same = changed_graph(|g| g.node[2].output[0] = g.node[1].output[0].clone());
    refuse("tensor name twice", &same, &["node 2", "`relu_1`", "given twice"]);
    let shadow = changed_graph(|g| g.node[1].output[0] = "c0".into());
    refuse("shadowed constant", &shadow, &["node 1", "`c0`", "given twice"]);
    let shadow = changed_graph(|g| g.node[1].output[0] = "x".into());
    refuse("shadowed input", &shadow, &["node 1", "`x`", "given twice"]);
    let again = changed_graph(|g| g.initializer.push(g.initializer[0].clone()));
    refuse("constant twice", &again, &["`c0`", "given twice"]);
    let nameless = changed_graph(|g| g.initializer[0].name.clear());
    refuse("nameless constant", &nameless, &["no name"]);
    let nameless = changed_graph(|g| g.node[1].output[0].clear());
    refuse("nameless output", &nameless, &["node 1", "no name"]);
    let none = changed_graph(|g| g.node[1].output.clear());
    refuse("no outputs", &none, &["node 1", "0 outputs"]);
    let more = changed_graph(|g| g.node[1].output.push("more".into()));
    refuse("more outputs", &more, &["node 1", "2 outputs"]);
    let ghost = changed_graph(|g| g.node[1].input[0] = "ghost".into());
    refuse("missing name", &ghost, &["node 1", "`ghost`"]);
    let many = changed_graph(|g| g.node[0].input = vec!["x".into(); 5000]);
    refuse("many inputs", &many, &["node 0", "5000 inputs"]);
    let long = "y".repeat(100_000);
    refuse("long name", &changed_graph(|g| g.node[1].input[0] = long), &["node 1", "..."]);
    let ugly = changed_graph(|g| g.node[1].input[0] = "\u{1b}[31m\n".into());
    refuse("ugly name", &ugly, &["node 1", "`\\u{1b}[31m\\n`"]);

    let mut b = Builder::new(13, &[1, 4, 8, 8]);
    let mut x = "x".to_owned();
    for _ in 0..3000 {
        x = b.node("Relu", &[&x], vec![]);
    }
    refuse("many nodes", &b.finish(&x), &["3000 nodes", "max_nodes"]);
    // What takes tract long though it is little to compute.
    let mut b = Builder::new(13, &[1, 4, 8, 8]);
    let x = (0..1000).fold("x".to_owned(), |x, _| b.node("Relu", &[&x], vec![]));
    refuse("nodes to compute", &b.finish(&x), &["1000 nodes to compute", "max_nodes"]);
    let mut b = Builder::new(13, &[1, 128, 8, 8]);
    let x = (0..20).fold("x".to_owned(), |x, round| {
        let names: Vec<String> = (0..128).map(|i| format!("s{round}_{i}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        b.node_to("Split", &[&x], &names, vec![int("axis", 1)]);
        b.node("Concat", &names, vec![int("axis", 1)])
    });
    refuse("splits", &b.finish(&x), &["2580 nodes to compute", "max_nodes"]);
    let mut b = Builder::new(13, &[1, 4, 8, 8]);
    let x = (0..200).fold("x".to_owned(), |x, _| {
        let x = b.node("Transpose", &[&x], vec![ints("perm", &[0, 2, 3, 1])]);
        b.node("Exp", &[&x], vec![])
    });
    refuse("transposes", &b.finish(&x), &["n_transpose_192", "97", "max_layout_nodes"]);
}

#[test]
fn things_that_are_not_classifiers() {
    let relu = |change: fn(&mut NodeProto)| changed_graph(move |g| change(&mut g.node[1]));
    refuse(
        "operator",
        &relu(|n| n.op_type = "Evil".into()),
        &["node 1", "(Evil)", "not supported"],
    );
    refuse("no operator", &relu(|n| n.op_type.clear()), &["node 1", "not supported"]);
    for op in ["If", "Loop", "Scan", "LSTM", "NonMaxSuppression", "Einsum", "RandomNormal", "Range"]
    {
        let bytes = changed_graph(|g| g.node[1].op_type = op.into());
        refuse(op, &bytes, &["node 1", op, "not supported"]);
    }
    refuse("domain", &relu(|n| n.domain = "com.evil".into()), &["node 1", "`com.evil`"]);
    let branch = || GraphProto { name: "then".into(), ..Default::default() };
    let subgraph =
        changed_graph(|g| g.node[1].attribute.push(graph_value("then_branch", branch())));
    refuse("subgraph", &subgraph, &["node 1", "subgraph", "`then_branch`"]);
    let refers = relu(|n| {
        n.attribute.push(AttributeProto { ref_attr_name: "a".into(), ..int("alpha", 1) });
    });
    refuse("reference", &refers, &["node 1", "function"]);
    let sparse = || SparseTensorProto { dims: vec![1], ..Default::default() };
    refuse("sparse", &changed_graph(|g| g.sparse_initializer.push(sparse())), &["sparse"]);
    let attribute = AttributeProto { sparse_tensor: Some(sparse()), ..int("a", 1) };
    let bytes = changed_graph(|g| g.node[1].attribute.push(attribute));
    refuse("sparse attribute", &bytes, &["node 1", "sparse"]);
    refuse("functions", &changed(|m| m.functions.push(Default::default())), &["functions"]);
    refuse("training", &changed(|m| m.training_info.push(Default::default())), &["training"]);
    for version in [-1, 0, 1, 6, 22, 1000, i64::MAX] {
        let bytes = changed(|m| m.opset_import[0].version = version);
        refuse("operator set", &bytes, &[&format!("[{version}]"), "7 to 21"]);
    }
    refuse("no operator set", &changed(|m| m.opset_import.clear()), &["operator set", "[]"]);
    let two = changed(|m| m.opset_import.push(m.opset_import[0].clone()));
    refuse("two operator sets", &two, &["operator set", "[13, 13]"]);
}

#[test]
fn constants() {
    let first =
        |change: fn(&mut TensorProto)| changed_graph(move |g| change(&mut g.initializer[0]));
    let entry =
        |key: &str, value: &str| StringStringEntryProto { key: key.into(), value: value.into() };
    let outside = changed_graph(|g| {
        g.initializer[0].external_data.push(entry("location", "/etc/passwd"));
    });
    refuse("external data", &outside, &["`c0`", "outside the file"]);
    refuse("external", &first(|t| t.data_location = Some(1)), &["`c0`", "outside the file"]);
    refuse("segment", &first(|t| t.segment = Some(Default::default())), &["`c0`", "segments"]);
    refuse("negative", &first(|t| t.dims[0] = -4), &["`c0`", "[-4, 1, 5, 5]"]);
    refuse(
        "overflow",
        &first(|t| t.dims = vec![1 << 32, 1 << 32]),
        &["`c0`", "max_tensor_elements"],
    );
    refuse(
        "overflow to 0",
        &first(|t| t.dims = vec![1 << 62, 4]),
        &["`c0`", "max_tensor_elements"],
    );
    refuse("too many", &first(|t| t.dims = vec![1 << 30]), &["`c0`", "max_tensor_elements"]);
    refuse("many axes", &first(|t| t.dims = vec![1; 1000]), &["`c0`", "1000 axes"]);
    refuse("short", &first(|t| t.raw_data.truncate(399)), &["`c0`", "399 bytes", "400"]);
    refuse("long", &first(|t| t.raw_data.push(0)), &["`c0`", "401 bytes", "400"]);
    refuse("none", &first(|t| t.raw_data.clear()), &["`c0`", "0 values", "100"]);
    refuse("both", &first(|t| t.float_data.push(1.0)), &["`c0`", "1 values", "does not use"]);
    refuse("string", &first(|t| t.data_type = 8), &["`c0`", "string"]);
    refuse("double", &first(|t| t.data_type = 11), &["`c0`", "double"]);
    refuse("half", &first(|t| t.data_type = 10), &["`c0`", "float16"]);
    refuse("no type", &first(|t| t.data_type = 0), &["`c0`", "undefined"]);
    refuse("odd type", &first(|t| t.data_type = 999), &["`c0`", "number 999"]);
    let bytes = one("Add", &[], vec![]);
    refuse("one input", &bytes, &["n_y", "(Add)", "1 inputs"]);
    let mut b = Builder::new(13, &[1, 4]);
    b.node_to("Constant", &[], &["c"], vec![text("value_string", "evil")]);
    b.node_to("Add", &["x", "c"], &["y"], vec![]);
    refuse("string constant", &b.finish("y"), &["n_c", "(Constant)", "none of the attributes"]);
    let mut b = Builder::new(13, &[1, 4]);
    b.node_to("Constant", &[], &["c"], vec![tensor_value("value", tensor(FLOAT, &[9], vec![]))]);
    b.node_to("Add", &["x", "c"], &["y"], vec![]);
    refuse("short constant", &b.finish("y"), &["n_c", "0 values", "[9]"]);
    let mut b = Builder::new(13, &[1, 4]);
    let ints = b.ints(&[1, 2, 3, 4]);
    b.node_to("Add", &["x", &ints], &["y"], vec![]);
    refuse("mixed types", &b.finish("y"), &["n_y", "I64", "float"]);
}

#[test]
fn amplifications_are_refused() {
    for (name, bytes, part) in bombs::amplifications() {
        refuse(name, &bytes, &[part]);
    }
    refuse("large file", &vec![0; (64 << 20) + 1], &["67108865 bytes", "max_file_bytes"]);
}

#[test]
fn text_and_other_formats_are_refused() {
    for (name, bytes) in [
        ("text", &b"These are not the weights you are looking for."[..]),
        ("png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
        ("zip", b"PK\x03\x04\x14\0\0\0\0\0"),
        ("json", b"{\"format\": 1}"),
        ("pickle", b"\x80\x02}q\0(X\x05\0\0\0"),
    ] {
        refuse(name, bytes, &["export the network again"]);
    }
}
