//! A run allocates nothing.

mod common;

use biglittle_kernels::{Isa, Model, Options, Range, Session, Shape};
use common::{Network, Rng, generate};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

/// Counts the allocations of the current thread.
struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: passes every request on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = COUNT.try_with(|n| n.set(n.get() + 1));
        // SAFETY: the caller's own contract.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, p: *mut u8, layout: Layout) {
        // SAFETY: the caller's own contract.
        unsafe { System.dealloc(p, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn a_run_allocates_nothing() {
    for seed in 0..40 {
        let mut r = Rng::new(seed);
        let mut net = Network::new(Shape::new(17, 13, 20));
        let x = net.graph.input();
        generate::inverted_residual(&mut net, &mut r, x);
        let x = r.floats(17 * 13 * 20);
        let model = Model::compile(net.graph.clone(), &Options::default()).expect("compiles");
        let mut out = vec![0.0; model.output_shape().len()];
        let mut session = Session::new(Arc::new(model));
        let before = COUNT.with(Cell::get);
        for _ in 0..3 {
            session.run(&x, &mut out).expect("runs");
        }
        assert_eq!(COUNT.with(Cell::get), before, "seed {seed}");
    }
}

#[test]
fn an_int8_run_allocates_nothing() {
    for isa in Isa::available().into_iter().filter(|isa| isa.has_int8()) {
        for seed in 0..10 {
            let mut r = Rng::new(seed);
            let mut net = Network::new(Shape::new(17, 13, 20));
            let x = net.graph.input();
            generate::inverted_residual(&mut net, &mut r, x);
            let graph = net.graph.simplified();
            let ranges = vec![Range { lo: -3.0, hi: 3.0 }; graph.values().count()];
            let options = Options { isa: Some(isa), ..Options::default() };
            let model = Model::compile_int8(graph, &ranges, &options).expect("compiles");
            let x = r.floats(17 * 13 * 20);
            let mut out = vec![0.0; model.output_shape().len()];
            let mut session = Session::new(Arc::new(model));
            let before = COUNT.with(Cell::get);
            for _ in 0..3 {
                session.run(&x, &mut out).expect("runs");
                session.run_bytes(&[7; 17 * 13 * 20], &mut out).expect("runs");
            }
            assert_eq!(COUNT.with(Cell::get), before, "{isa} seed {seed}");
        }
    }
}
