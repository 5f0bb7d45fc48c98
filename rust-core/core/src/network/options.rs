//! How a caller wants a network opened: plain data for `load`.

use biglittle_kernels::Isa;

use super::table::CalibrationTable;
use super::verify::ModelLimits;

/// What is to run a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Execution {
    /// The kernels as far as they can, on the fastest instruction set of this
    /// machine.
    #[default]
    Fastest,
    /// The same on this instruction set, to compare it with others.
    Kernels(Isa),
    /// tract, even where the kernels could, to compare the two.
    Tract,
}

/// How a network is opened.
#[derive(Debug, Clone, Copy, Default)]
pub struct OpenOptions<'a> {
    /// What the file may ask for.
    pub limits: ModelLimits,
    /// The ranges by which it is run in int8, if the kernels run all of it and
    /// this machine multiplies bytes fast; else it is run in float32. The table
    /// has to be for [this file](CalibrationTable::check).
    pub table: Option<&'a CalibrationTable>,
    /// What is to run it.
    pub execution: Execution,
}

impl From<Execution> for OpenOptions<'_> {
    fn from(execution: Execution) -> Self {
        OpenOptions { execution, ..OpenOptions::default() }
    }
}

impl From<&ModelLimits> for OpenOptions<'_> {
    fn from(limits: &ModelLimits) -> Self {
        OpenOptions { limits: *limits, ..OpenOptions::default() }
    }
}
