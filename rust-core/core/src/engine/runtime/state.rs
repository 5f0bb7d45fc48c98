//! What is saved when an app is put away.

use serde::{Deserialize, Serialize};

use super::Runtime;
use crate::bundle::sha256_hex;
use crate::controller::RateController;
use crate::error::{Error, ErrorKind, Result};
use crate::monitor::{AuditRow, CusumState, DriftState, FleetSummary};
use crate::policy::PolicyState;

/// The version of the format that is written and read.
const FORMAT_VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    format_version: u32,
    policy: PolicyState,
    controller: RateController,
    auditor: Option<(u64, u32)>,
    alarm: Option<CusumState>,
    drift: Option<DriftState>,
    rows: Vec<AuditRow>,
    summary: FleetSummary,
}

#[derive(Deserialize)]
struct VersionOnly {
    format_version: u32,
}

/// The JSON on one line, its sum on the next.
pub(super) fn seal(json: &str) -> String {
    format!("{json}\n{}\n", sha256_hex(json.as_bytes()))
}

impl Runtime {
    /// Everything that has to outlive the app, as a line of JSON and a line with
    /// its SHA-256, which finds damage;
    /// [`EngineOptions::state_path`](crate::EngineOptions::state_path) keeps it in
    /// a file. The answers of the temporal gate and the storm guard's bucket are
    /// not in it: they are over when the app is.
    #[must_use]
    pub fn save(&self) -> String {
        let saved = Saved {
            format_version: FORMAT_VERSION,
            policy: *self.policy.state(),
            controller: self.controller,
            auditor: self.auditor.as_ref().map(|auditor| auditor.state()),
            alarm: self.alarm.map(|alarm| alarm.state()),
            drift: self.drift.as_ref().map(|drift| drift.state()),
            rows: self.rows.rows().to_vec(),
            summary: self.summary.clone(),
        };
        let json = serde_json::to_string(&saved);
        seal(&json.expect("plain data has no failing serialisers"))
    }

    /// Goes on from what [`Runtime::save`] gave. After an error nothing has
    /// changed: set the damaged text aside and go on with a fresh start.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidData`] when it is damaged, contradicts itself, or is
    /// of another bundle, format or set of options.
    pub fn restore(&mut self, text: &str) -> Result<()> {
        let (json, sum) = text.split_once('\n').unwrap_or((text, ""));
        if sum.trim_end() != sha256_hex(json.as_bytes()) {
            return Err(invalid(
                "the saved state is damaged: it does not have the SHA-256 of its last line".into(),
            ));
        }
        let not_read = |error: serde_json::Error| {
            invalid(format!("the saved state cannot be read: {error}")).with_source(error)
        };
        // The version first: another format may well have other fields.
        let VersionOnly { format_version } = serde_json::from_str(json).map_err(not_read)?;
        if format_version != FORMAT_VERSION {
            return Err(invalid(format!(
                "the saved state has format_version {format_version}, but this library reads \
                 {FORMAT_VERSION}: start without"
            )));
        }
        let saved: Saved = serde_json::from_str(json).map_err(not_read)?;
        if saved.summary.bundle != self.summary.bundle {
            return Err(invalid(format!(
                "the saved state is of the bundle {:?}, but this is {:?}: start without",
                saved.summary.bundle, self.summary.bundle
            )));
        }
        saved.summary.accounting.validate()?;
        let mut fresh = self.clone();
        fresh.policy.restore(saved.policy)?;
        fresh.controller.restore(saved.controller)?;
        if let (Some(auditor), Some(state)) = (&mut fresh.auditor, saved.auditor) {
            auditor.restore(state);
        }
        if let (Some(alarm), Some(state)) = (&mut fresh.alarm, saved.alarm) {
            alarm.restore(state)?;
        }
        if let (Some(drift), Some(state)) = (&mut fresh.drift, saved.drift) {
            drift.restore(state)?;
        }
        // An empty one shows whether the histograms have the same bins.
        fresh.summary = FleetSummary::empty(
            fresh.summary.bundle.clone(),
            (fresh.summary.scores.low, fresh.summary.scores.high),
        );
        fresh.summary.merge(&saved.summary)?;
        fresh.summary.sessions = fresh.summary.sessions.saturating_add(1);
        fresh.rows.restore(&saved.rows);
        fresh.refresh();
        *self = fresh;
        Ok(())
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidData, message)
}
