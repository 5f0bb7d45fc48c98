//! The peak of the core that we are on, by measurement.
//!
//! Decides how long is measured and what counts; the loop is
//! [`micro::peak`](crate::micro::peak). Called by those who report how much of
//! a core a network uses.

use std::time::{Duration, Instant};

use crate::error::Error;
use crate::isa::Isa;
use crate::micro::table::kernels;

/// Samples, of which the fastest counts.
const SAMPLES: usize = 10;
/// Roughly how long a sample takes.
const SAMPLE: Duration = Duration::from_millis(2);

impl Isa {
    /// The most float operations (a product or a sum each) that this core does
    /// with the instruction set, in GFLOP/s, measured now in about 30 ms. A
    /// busy or throttled core gives less.
    ///
    /// # Errors
    /// If the machine does not have the instruction set.
    pub fn measure_peak(self) -> Result<f64, Error> {
        let kernels = kernels(Self::choose(Some(self))?);
        let sample = |rounds: usize| {
            let start = Instant::now();
            // SAFETY: `choose` asked the CPU; the loop touches no memory of
            // others.
            std::hint::black_box(unsafe { (kernels.peak)(rounds) });
            start.elapsed()
        };
        let mut rounds = 1 << 10;
        while sample(rounds) < SAMPLE && rounds < 1 << 30 {
            rounds *= 2;
        }
        let fastest = (0..SAMPLES).map(|_| sample(rounds)).min().unwrap_or(SAMPLE);
        let operations = kernels.operations as f64 * rounds as f64;
        Ok(operations / fastest.as_nanos().max(1) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_has_a_peak_and_a_loop_that_ends_where_it_should() {
        for isa in Isa::available() {
            // SAFETY: the set is available.
            let sum = unsafe { (kernels(isa).peak)(100_000) };
            // Each chain converges to 0.001 / (1 - 0.999), which is 1.
            let chains = kernels(isa).operations / (2 * isa.lanes());
            assert!((sum / chains as f32 - 1.0).abs() < 1e-2, "{isa}: {sum}");
            assert!(isa.measure_peak().expect("available") > 0.01, "{isa}");
        }
    }

    #[test]
    fn a_set_of_another_machine_has_none() {
        let foreign = if cfg!(target_arch = "aarch64") { Isa::Avx2 } else { Isa::Neon };
        assert!(foreign.measure_peak().is_err());
    }
}
