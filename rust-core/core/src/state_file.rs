//! Where the run-time state outlives the app: one small file.
//!
//! Decides how the file is read, written and set aside. What its text means is
//! the business of [`engine`](crate::engine), which calls this when an engine is
//! opened with [`EngineOptions::state_path`](crate::EngineOptions::state_path)
//! and when [`Engine::save_state`](crate::Engine::save_state) is called.
//!
//! A file that was found and not understood is never overwritten and never
//! deleted: it is renamed to `NAME.set-aside-1`, `-2` and so on, a name that was
//! free.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::files;

/// The largest file that is read, in bytes.
const MAX_BYTES: u64 = 64 << 20;
/// How many files are set aside before a person has to look at them.
const MAX_SET_ASIDE: u32 = 100;

/// A file for the state of one engine. Nothing is kept open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateFile {
    path: PathBuf,
}

impl StateFile {
    /// The file at `path`, which need not be there yet; its folder must.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        StateFile { path: path.into() }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its text, or nothing where there is no such file yet.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidData`] when it is there but cannot be such a text:
    /// set it aside. [`ErrorKind::Io`] when nothing is known about it: it cannot
    /// be read now, or its folder is missing.
    pub fn read(&self) -> Result<Option<String>> {
        let bytes = match fs::metadata(&self.path) {
            Ok(found) if found.is_file() => {
                files::read(&self.path, MAX_BYTES, ErrorKind::InvalidData)
            }
            Ok(_) => Err(Error::new(ErrorKind::Io, "is not a file: give another path")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return self.check_folder().map(|()| None).map_err(|error| self.named(error));
            }
            Err(error) => Err(files::io_error("cannot be read", error)),
        };
        let text = bytes.and_then(|bytes| {
            String::from_utf8(bytes).map_err(|error| {
                let message = format!("is not UTF-8 text: {}", error.utf8_error());
                Error::new(ErrorKind::InvalidData, message).with_source(error)
            })
        });
        text.map(Some).map_err(|error| self.named(error))
    }

    /// Replaces the file: all of it or nothing. After an error the one before is
    /// still there.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when its folder is missing or the disk is full.
    pub fn write(&self, text: &str) -> Result<()> {
        self.check_folder()
            .and_then(|()| files::write(&self.path, text.as_bytes()))
            .map_err(|error| self.named(error))
    }

    /// Renames the file, and returns its new path, which was free before.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when it cannot be renamed, or 100 were set aside before;
    /// it stays where it is.
    pub fn set_aside(&self) -> Result<PathBuf> {
        let rename = || {
            let aside = self.reserve()?;
            fs::rename(&self.path, &aside).inspect_err(|_| {
                // The empty file that held the name.
                let _ = fs::remove_file(&aside);
            })?;
            Ok(aside)
        };
        rename().map_err(|error| self.named(files::io_error("cannot be set aside", error)))
    }

    /// An empty file with a new name, so that renaming replaces nothing else.
    /// (A hard link would do it in one step, but apps on Android may not make
    /// any.)
    fn reserve(&self) -> io::Result<PathBuf> {
        for number in 1..=MAX_SET_ASIDE {
            let mut name = self.path.as_os_str().to_owned();
            name.push(format!(".set-aside-{number}"));
            match File::create_new(&name) {
                Ok(_) => return Ok(name.into()),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other(format!(
            "{MAX_SET_ASIDE} were set aside before: look at them and remove them"
        )))
    }

    fn check_folder(&self) -> Result<()> {
        let folder = files::parent(&self.path);
        if folder.is_dir() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Io,
            format!("its folder {} does not exist: create it first", folder.display()),
        ))
    }

    fn named(&self, error: Error) -> Error {
        error.context(self.path.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> (tempfile::TempDir, StateFile) {
        let folder = tempfile::tempdir().unwrap();
        let file = StateFile::new(folder.path().join("state.json"));
        (folder, file)
    }

    fn names(folder: &Path) -> Vec<String> {
        let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name();
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| name(entry).to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn is_written_whole_and_read_again() {
        let (folder, file) = file();
        assert_eq!(file.read().unwrap(), None);
        file.write("one").unwrap();
        file.write("two, longer").unwrap();
        assert_eq!(file.read().unwrap().as_deref(), Some("two, longer"));
        assert_eq!(names(folder.path()), ["state.json"], "nothing is left behind");
    }

    #[test]
    fn nothing_that_was_set_aside_is_overwritten() {
        let (folder, file) = file();
        for text in ["a", "b", "c"] {
            file.write(text).unwrap();
            file.set_aside().unwrap();
            assert_eq!(file.read().unwrap(), None);
        }
        assert_eq!(
            names(folder.path()),
            ["state.json.set-aside-1", "state.json.set-aside-2", "state.json.set-aside-3"]
        );
        for (number, text) in [(1, "a"), (2, "b"), (3, "c")] {
            let path = folder.path().join(format!("state.json.set-aside-{number}"));
            assert_eq!(fs::read_to_string(path).unwrap(), text);
        }
    }

    #[test]
    fn there_is_an_end_to_setting_aside() {
        let (folder, file) = file();
        for number in 1..=MAX_SET_ASIDE {
            fs::write(folder.path().join(format!("state.json.set-aside-{number}")), "x").unwrap();
        }
        file.write("last").unwrap();
        let error = file.set_aside().unwrap_err();
        assert!(error.to_string().contains("100 were set aside before"), "{error}");
        assert_eq!(file.read().unwrap().as_deref(), Some("last"));
    }

    #[test]
    fn what_cannot_be_is_said_with_the_path() {
        let (folder, file) = file();
        fs::write(file.path(), b"\xff\xfe").unwrap();
        let error = file.read().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert!(error.to_string().contains("state.json: is not UTF-8"), "{error}");

        let nowhere = StateFile::new(folder.path().join("missing/state.json"));
        for error in [nowhere.read().unwrap_err(), nowhere.write("x").unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::Io);
            assert!(error.to_string().contains("does not exist: create it first"), "{error}");
        }
        let a_folder = StateFile::new(folder.path());
        assert_eq!(a_folder.read().unwrap_err().kind(), ErrorKind::Io);
        assert_eq!(a_folder.write("x").unwrap_err().kind(), ErrorKind::Io);
        assert!(file.set_aside().is_ok());
        assert_eq!(file.set_aside().unwrap_err().kind(), ErrorKind::Io, "it is gone");
        assert_eq!(names(folder.path()), ["state.json.set-aside-1"], "no empty name is left");
    }
}
