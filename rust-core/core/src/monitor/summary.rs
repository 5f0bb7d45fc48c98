//! What a phone may report home: sums, and nothing else.

use serde::{Deserialize, Serialize};

use super::accounting::Accounting;
use super::audit::AuditEstimate;
use crate::decision::ScoreHistogram;
use crate::error::{Error, ErrorKind, Result};

/// The sums of a session, or of a fleet: merge as many as there are. It holds
/// no image, no answer, no place, no time of day and nothing that tells one
/// phone from another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FleetSummary {
    /// Which networks: the bundle's name and version. Only summaries of the same
    /// can be merged.
    pub bundle: String,
    /// How many sessions are in it.
    pub sessions: u64,
    /// Frames, times and multiply-accumulates.
    pub accounting: Accounting,
    /// How often accepted answers differ from the big network's.
    pub audit: AuditEstimate,
    /// How the little network's scores lie.
    pub scores: ScoreHistogram,
    /// Frames at each level of saving.
    pub frames_at_level: [u64; 4],
    /// Alarms that accepted answers are worse than promised.
    pub accuracy_alarms: u64,
    /// Alarms that scores have drifted.
    pub drift_alarms: u64,
}

impl FleetSummary {
    /// No session yet of the bundle; `range` is that of its confidence.
    #[must_use]
    pub fn empty(bundle: impl Into<String>, range: (f32, f32)) -> Self {
        FleetSummary {
            bundle: bundle.into(),
            sessions: 0,
            accounting: Accounting::default(),
            audit: AuditEstimate::EMPTY,
            scores: ScoreHistogram::empty(range),
            frames_at_level: [0; 4],
            accuracy_alarms: 0,
            drift_alarms: 0,
        }
    }

    /// Adds another phone or session.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] when it is of another bundle; nothing is
    /// added then.
    pub fn merge(&mut self, other: &FleetSummary) -> Result<()> {
        if self.bundle != other.bundle {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!(
                    "summaries of {:?} and {:?} cannot be added: merge those of one bundle",
                    self.bundle, other.bundle
                ),
            ));
        }
        self.scores.merge(&other.scores)?;
        self.accounting.merge(&other.accounting);
        self.audit.merge(&other.audit);
        for (count, more) in self.frames_at_level.iter_mut().zip(other.frames_at_level) {
            *count = count.saturating_add(more);
        }
        for (count, more) in [
            (&mut self.sessions, other.sessions),
            (&mut self.accuracy_alarms, other.accuracy_alarms),
            (&mut self.drift_alarms, other.drift_alarms),
        ] {
            *count = count.saturating_add(more);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_one_bundle_only() {
        let mut fleet = FleetSummary::empty("digits 1.0", (0.0, 1.0));
        let mut phone = FleetSummary::empty("digits 1.0", (0.0, 1.0));
        phone.sessions = 2;
        phone.frames_at_level = [5, 0, 1, 0];
        phone.scores.add(0.5);
        phone.audit.observe(Some(3), true, Some(0.5), Some(true));
        let json = serde_json::to_string(&phone).unwrap();
        let phone: FleetSummary = serde_json::from_str(&json).unwrap();
        fleet.merge(&phone).unwrap();
        fleet.merge(&phone).unwrap();
        assert_eq!((fleet.sessions, fleet.frames_at_level), (4, [10, 0, 2, 0]));
        assert_eq!((fleet.scores.counts[16], fleet.audit.drawn_bad), (2, 2));
        let other = FleetSummary::empty("digits 1.1", (0.0, 1.0));
        assert!(fleet.merge(&other).is_err());
        let before = fleet.clone();
        assert!(fleet.merge(&FleetSummary::empty("digits 1.0", (0.0, 2.0))).is_err());
        assert_eq!(fleet, before);
    }
}
