//! What becomes of answers: how often they differ from the big network's, how
//! scores drift, and what everything costs.
//!
//! Decides nothing about thresholds: it counts, estimates and raises alarms,
//! and [`engine`](crate::engine) tells [`policy`](crate::policy) of them. Pure:
//! no clock, no file; random draws come from a seeded generator. All of it can
//! be saved and goes on after a restart.

mod accounting;
mod audit;
mod cusum;
mod drift;
mod energy;
mod summary;

pub use accounting::{Accounting, Answered, FrameCounts, Saving, Spent};
pub use audit::{AuditEstimate, AuditOptions, AuditRow, AuditRows, Auditor, Disagreement};
pub use cusum::{Cusum, CusumState};
pub use drift::{DriftOptions, DriftState, DriftWatch};
pub use energy::{EnergyModel, EnergyProvenance, EnergyReport};
pub use summary::FleetSummary;
