//! Times well-known networks with random weights on every instruction set, in
//! single precision and in int8.
//!
//! `cargo run --release -p biglittle-kernels --example bench -- [NET] [profile]`
//! and `... -- NET RUNS [int8]`, which only runs one network so many times.
//!
//! Prints the median of interleaved runs; on a noisy machine only ratios
//! within one line mean anything. Int8 ranges come from the input that is timed.
#![allow(clippy::print_stdout, reason = "a program that prints")]

mod nets;
mod ours;

use biglittle_kernels::{Graph, Isa, Model, Options, Precision, Profile, Range, Session};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

fn graph(name: &str, [side, channels]: [usize; 2]) -> Graph {
    let mut b = ours::Ours::new(side, channels);
    let x = b.graph.input();
    nets::build(&mut b, x, name);
    b.graph
}

fn input(graph: &Graph) -> Vec<f32> {
    let n = graph.shape(graph.input()).expect("of this graph").len();
    (0..n).map(|i| (i % 251) as f32 / 125.0 - 1.0).collect()
}

fn session(model: Model) -> Session {
    Session::new(Arc::new(model))
}

/// The ranges of all values for one input.
fn ranges(graph: &Graph, input: &[f32]) -> Vec<Range> {
    let model = Model::compile_observed(graph.clone(), &Options::default()).expect("compiles");
    let mut output = vec![0.0; model.output_shape().len()];
    let mut seen = HashMap::new();
    let mut see = |value, tensor: biglittle_kernels::TensorView<'_>| {
        let all = || tensor.pixels().flatten().copied();
        let (lo, hi) = (all().fold(f32::MAX, f32::min), all().fold(f32::MIN, f32::max));
        seen.insert(value, Range { lo, hi });
    };
    session(model).run_observed(input, &mut output, &mut see).expect("observes");
    graph.values().map(|(value, ..)| seen[&value]).collect()
}

/// Float sessions of all sets, then int8 sessions of those that have it.
fn sessions(graph: &Graph) -> Vec<Session> {
    let floats = Isa::available().into_iter().map(|isa| {
        let options = Options { isa: Some(isa), ..Options::default() };
        session(Model::compile(graph.clone(), &options).expect("compiles"))
    });
    let simple = graph.clone().simplified();
    let ranges = ranges(&simple, &input(graph));
    let bytes = Isa::available().into_iter().filter(|isa| isa.has_int8()).map(|isa| {
        let options = Options { isa: Some(isa), ..Options::default() };
        session(Model::compile_int8(simple.clone(), &ranges, &options).expect("compiles"))
    });
    floats.chain(bytes).collect()
}

fn label(m: &Model) -> String {
    let suffix = if m.precision() == Precision::Int8 { " int8" } else { "" };
    format!("{}{suffix}", m.isa())
}

fn profile(session: &mut Session, input: &[f32], output: &mut [f32]) {
    let mut p = Profile::new(session.model());
    for _ in 0..200 {
        session.run_profiled(input, output, &mut p).expect("runs");
    }
    let what = label(session.model());
    println!("{what}: input and output {:.2} us", p.transfer_ns as f64 / 200e3);
    for l in &p.layers {
        let us = l.total_ns as f64 / 200e3;
        let rate = 2e-3 * l.macs as f64 / us;
        println!("{:>6} {:<14} {us:8.2} us {rate:7.1} GFLOP/s", l.name, l.kind);
    }
}

/// Runs one network so many times on the fastest instruction set, silently: for
/// tools that count instructions.
fn repeat(name: &str, runs: usize, int8: bool) {
    let size = nets::NETS.iter().find(|n| n.0 == name).expect("a network of the list").1;
    let graph = graph(name, size);
    let input = input(&graph);
    let model = if int8 {
        let simple = graph.simplified();
        // counting is about instructions, which no range changes
        let ranges = vec![Range { lo: -4.0, hi: 4.0 }; simple.values().count()];
        Model::compile_int8(simple, &ranges, &Options::default())
    } else {
        Model::compile(graph, &Options::default())
    };
    let mut session = session(model.expect("compiles"));
    let mut output = vec![0.0; session.model().output_shape().len()];
    for _ in 0..runs {
        session.run(&input, &mut output).expect("runs");
    }
}

fn main() {
    let only = std::env::args().nth(1).unwrap_or_default();
    let detail = std::env::args().nth(2).is_some();
    if let Some(runs) = std::env::args().nth(2).and_then(|n| n.parse().ok()) {
        return repeat(&only, runs, std::env::args().nth(3).as_deref() == Some("int8"));
    }
    for (name, size) in nets::NETS {
        if !name.contains(&only) {
            continue;
        }
        let graph = graph(name, size);
        let mut sessions = sessions(&graph);
        let input = input(&graph);
        let mut output = vec![0.0; sessions[0].model().output_shape().len()];
        let mut times = vec![Vec::new(); sessions.len()];
        let start = Instant::now();
        while start.elapsed().as_secs_f32() < 2.0 {
            for (s, t) in sessions.iter_mut().zip(&mut times) {
                let slow = s.model().isa() == Isa::Scalar && !t.is_empty();
                for _ in 0..if slow { 0 } else { 5 } {
                    let before = Instant::now();
                    s.run(&input, &mut output).expect("runs");
                    t.push(before.elapsed().as_nanos() as f64 / 1e3);
                }
            }
        }
        let m = sessions[0].model();
        let (macs, arena, weights) =
            (m.macs() as f64 / 1e6, m.arena_bytes() >> 10, m.weight_bytes() >> 10);
        print!("{name:<20} {macs:7.2} MMAC, arena {arena} KiB, weights {weights} KiB:");
        for (s, t) in sessions.iter().zip(&mut times) {
            t.sort_by(f64::total_cmp);
            print!("  {} {:.1} us", label(s.model()), t[t.len() / 2]);
        }
        println!();
        if detail {
            profile(&mut sessions[0], &input, &mut output);
            let int8 = sessions.iter_mut().find(|s| s.model().precision() == Precision::Int8);
            if let Some(s) = int8 {
                profile(s, &input, &mut output);
            }
        }
    }
}
