//! Recorded devices: read, written, and put through the run-time parts.

use biglittle::Threshold;
use biglittle::device::{DeviceTrace, TraceEvent};
use biglittle::engine::{DeviceReplay, ReplayStep, RuntimeOptions};
use biglittle::policy::{CertifiedThreshold, LevelCause, PolicyOptions, ThresholdReason};

use crate::error::{NativeError, guarded};

/// What is in force after an event and the frames that follow it.
#[uniffi::remote(Record)]
pub struct ReplayStep {
    /// When the event happened.
    pub at_ms: u64,
    /// What the first level's score has to be above.
    pub threshold: Threshold,
    /// Which of the demands decided that.
    pub reason: ThresholdReason,
    /// The level of saving, 0 to 3.
    pub level: u8,
    /// What the level is due to.
    pub level_cause: LevelCause,
    /// The share of frames that may run the big network, 0 to 1.
    pub target_rate: f64,
    /// What the frame rate should be multiplied with, above 0 to 1.
    pub frame_rate_factor: f64,
}

/// A recorded device.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct Recording {
    /// A short name.
    pub name: String,
    /// What happens in it, in a sentence.
    pub description: String,
    /// What happened, in order.
    pub events: Vec<TraceEvent>,
}

/// Reads a recording: JSON Lines, as `write_recording` gives them.
///
/// # Errors
/// `InvalidData` with the number of the line that is wrong.
#[uniffi::export]
pub fn parse_recording(text: String) -> Result<Recording, NativeError> {
    guarded(|| {
        let DeviceTrace { header, events } = DeviceTrace::parse(&text)?;
        Ok(Recording { name: header.name, description: header.description, events })
    })
}

/// Writes a recording as JSON Lines.
///
/// # Errors
/// None; a result because every function of this layer gives one.
#[uniffi::export]
pub fn write_recording(recording: Recording) -> Result<String, NativeError> {
    guarded(|| {
        let Recording { name, description, events } = recording;
        Ok(DeviceTrace::new(name, description, events).to_text())
    })
}

/// Puts a recording through policy and rate controller without networks: after
/// each event come frames with the given scores of the first level, 0 to 1, at
/// its time. The same input gives the same steps, bit for bit, everywhere.
///
/// # Errors
/// `InvalidArgument` when a certificate or the promise is out of range,
/// `InvalidData` when the state does not survive a restart of the recording.
#[uniffi::export]
pub fn replay_thresholds(
    recording: Recording,
    certificates: Vec<CertifiedThreshold>,
    promise_eps: f64,
    scores: Vec<f32>,
) -> Result<Vec<ReplayStep>, NativeError> {
    guarded(|| {
        let options = RuntimeOptions::new(PolicyOptions::new(certificates, promise_eps)?);
        let mut replay = DeviceReplay::new(options, (0.0, 1.0), scores)?;
        let steps = recording.events.iter().map(|event| replay.step(event));
        Ok(steps.collect::<biglittle::Result<_>>()?)
    })
}
