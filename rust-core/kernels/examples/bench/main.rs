//! Times well-known networks with random weights on every instruction set.
//!
//! `cargo run --release -p biglittle-kernels --example bench -- [NET] [profile]`
//! and `... -- NET RUNS`, which only runs one network so many times.
//!
//! Prints the median of interleaved runs; on a noisy machine only ratios
//! within one line mean anything.
#![allow(clippy::print_stdout, reason = "a program that prints")]

mod nets;
mod ours;

use biglittle_kernels::{Isa, Model, Options, Profile, Session};
use nets::Builder as _;
use std::sync::Arc;
use std::time::Instant;

fn sessions(name: &str, [side, channels]: [usize; 2]) -> Vec<Session> {
    let mut b = ours::Ours::new(side, channels);
    let x = b.graph.input();
    nets::build(&mut b, x, name);
    assert!(b.channels(x) == channels);
    Isa::available()
        .into_iter()
        .map(|isa| {
            let options = Options { isa: Some(isa), ..Options::default() };
            let model = Model::compile(b.graph.clone(), &options).expect("compiles");
            Session::new(Arc::new(model))
        })
        .collect()
}

fn profile(session: &mut Session, input: &[f32], output: &mut [f32]) {
    let mut p = Profile::new(session.model());
    for _ in 0..200 {
        session.run_profiled(input, output, &mut p).expect("runs");
    }
    println!("{}: input and output {:.2} us", p.isa, p.transfer_ns as f64 / 200e3);
    for l in &p.layers {
        let us = l.total_ns as f64 / 200e3;
        let rate = 2e-3 * l.macs as f64 / us;
        println!("{:>6} {:<14} {us:8.2} us {rate:7.1} GFLOP/s", l.name, l.kind);
    }
}

/// Runs one network so many times on the fastest instruction set, silently: for
/// tools that count instructions.
fn repeat(name: &str, runs: usize) {
    let size = nets::NETS.iter().find(|n| n.0 == name).expect("a network of the list").1;
    let mut session = sessions(name, size).swap_remove(0);
    let input = vec![0.5; session.model().input_shape().len()];
    let mut output = vec![0.0; session.model().output_shape().len()];
    for _ in 0..runs {
        session.run(&input, &mut output).expect("runs");
    }
}

fn main() {
    let only = std::env::args().nth(1).unwrap_or_default();
    let detail = std::env::args().nth(2).is_some();
    if let Some(runs) = std::env::args().nth(2).and_then(|n| n.parse().ok()) {
        return repeat(&only, runs);
    }
    for (name, size) in nets::NETS {
        if !name.contains(&only) {
            continue;
        }
        let mut sessions = sessions(name, size);
        let input: Vec<f32> =
            (0..size[0] * size[0] * size[1]).map(|i| (i % 251) as f32 / 125.0 - 1.0).collect();
        let mut output = vec![0.0; sessions[0].model().output_shape().len()];
        let mut times = vec![Vec::new(); sessions.len()];
        let start = Instant::now();
        while start.elapsed().as_secs_f32() < 2.0 {
            for (s, t) in sessions.iter_mut().zip(&mut times) {
                let slow = s.model().isa() == Isa::Scalar && t.len() > 3;
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
            print!("  {} {:.1} us", s.model().isa(), t[t.len() / 2]);
        }
        println!();
        if detail {
            profile(&mut sessions[0], &input, &mut output);
        }
    }
}
