//! The run-time state of an engine and the file that it outlives the app in.

use std::path::PathBuf;

use super::Engine;
use super::runtime::Runtime;
use crate::error::{Error, ErrorKind, Result};
use crate::state_file::StateFile;

/// What the run-time parts of an engine began with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateOrigin {
    /// Nothing: no file was there, or none was asked for.
    Fresh,
    /// What the file had.
    Restored,
    /// Nothing, since the file is damaged, of another bundle, or of other
    /// options. It was kept.
    SetAside {
        /// The new path of the file.
        kept_as: PathBuf,
        /// What was wrong with it.
        reason: String,
    },
    /// Nothing, since the file could not be read, or not be set aside. It stays
    /// as it is; saving tries to set it aside again before it writes.
    Unavailable {
        /// Why.
        reason: String,
    },
}

/// A state file in use.
#[derive(Debug)]
pub(super) struct SavedState {
    file: StateFile,
    origin: StateOrigin,
    /// Whether what lies at the path may be replaced: it was read or written.
    is_known: bool,
}

impl SavedState {
    /// Restores `runtime` from `file` as far as that can be done. A failure is
    /// logged and stops nothing.
    pub fn open(file: StateFile, runtime: &mut Runtime) -> Self {
        let error = match file.read().and_then(|text| restore(text, runtime)) {
            Ok(origin) => return SavedState { file, origin, is_known: true },
            Err(error) => error,
        };
        let path = file.path().display();
        if error.kind() == ErrorKind::Io {
            log::warn!("the run-time state begins anew: {error}");
            let origin = StateOrigin::Unavailable { reason: error.to_string() };
            return SavedState { file, origin, is_known: false };
        }
        let (origin, is_known) = match file.set_aside() {
            Ok(kept_as) => {
                log::warn!(
                    "the run-time state begins anew, and {path} is kept as {}: {error}",
                    kept_as.display()
                );
                (StateOrigin::SetAside { kept_as, reason: error.to_string() }, true)
            }
            Err(failure) => {
                log::warn!("the run-time state begins anew: {error}; {failure}");
                let reason = format!("{error}; {failure}");
                (StateOrigin::Unavailable { reason }, false)
            }
        };
        SavedState { file, origin, is_known }
    }

    fn save(&mut self, runtime: &Runtime) -> Result<()> {
        if !self.is_known && self.file.path().exists() {
            let kept_as = self.file.set_aside()?;
            log::warn!(
                "{} was never read and is kept as {}",
                self.file.path().display(),
                kept_as.display()
            );
        }
        self.file.write(&runtime.save())?;
        self.is_known = true;
        Ok(())
    }
}

fn restore(text: Option<String>, runtime: &mut Runtime) -> Result<StateOrigin> {
    let Some(text) = text else { return Ok(StateOrigin::Fresh) };
    runtime.restore(&text)?;
    Ok(StateOrigin::Restored)
}

impl Engine {
    /// Writes the run-time state to
    /// [`EngineOptions::state_path`](super::EngineOptions::state_path): all of it
    /// or nothing. Call it when the app goes to the background and before it
    /// closes; the engine never does by itself. It takes a few milliseconds, as
    /// it waits until the disk has it.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when it cannot be written: the disk is full, or the
    /// folder is missing. The file before is then still there, and the engine
    /// goes on as if nothing had been tried.
    /// [`ErrorKind::InvalidArgument`] without a path.
    pub fn save_state(&mut self) -> Result<()> {
        let (Some(saved), Some(watch)) = (&mut self.saved, &self.watch) else {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                "there is no file for the run-time state: open the engine with \
                 EngineOptions::state_path",
            ));
        };
        saved.save(watch.runtime())
    }

    /// What the run-time parts began with.
    #[must_use]
    pub fn state_origin(&self) -> &StateOrigin {
        self.saved.as_ref().map_or(&StateOrigin::Fresh, |saved| &saved.origin)
    }
}
