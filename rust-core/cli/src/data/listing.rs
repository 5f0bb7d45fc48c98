//! Image files, with labels or not: `labels.csv`, a folder per label, or files
//! beside each other.

use std::collections::HashMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use biglittle::{Error, ErrorKind, Result};
use csv::{ReaderBuilder, StringRecord, Trim};

use super::{Labelling, invalid};
use crate::files;

const LIST: &str = "labels.csv";
/// The most bytes of [`LIST`]: over a million lines.
const MAX_LIST_BYTES: u64 = 64 << 20;

/// An image file of a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub path: PathBuf,
    /// The path from the set's folder on, with `/` between its parts on every
    /// system.
    pub name: String,
    /// `None` only where labels are [`Labelling::Optional`].
    pub label: Option<u32>,
    /// What it belongs to, such as a video clip or a person.
    pub group: Option<String>,
}

impl Entry {
    fn new(folder: &Path, file: &Path, label: Option<u32>, group: Option<String>) -> Self {
        let parts: Vec<_> = file
            .components()
            .filter(|part| *part != Component::CurDir)
            .map(|part| part.as_os_str().to_string_lossy())
            .collect();
        Entry { path: folder.join(file), name: parts.join("/"), label, group }
    }
}

/// The image files in `folder`. Errors do not name `folder`, but what in it is
/// wrong.
pub fn read(folder: &Path, labels: &[String], labelling: Labelling) -> Result<Vec<Entry>> {
    let labels = Labels::new(labels);
    let list = folder.join(LIST);
    if list.exists() {
        files::read(&list, MAX_LIST_BYTES, ErrorKind::InvalidData)
            .and_then(|bytes| read_list(folder, &bytes, &labels, labelling))
            .map_err(|error| error.context(LIST))
    } else {
        read_folders(folder, &labels, labelling)
    }
}

/// Reads the columns `file`, `label` and, where there is one, `group`, in
/// capitals or not; others are ignored.
fn read_list(
    folder: &Path,
    list: &[u8],
    labels: &Labels<'_>,
    labelling: Labelling,
) -> Result<Vec<Entry>> {
    let bad = |error: csv::Error| {
        invalid(format!("is not a table in UTF-8: {error}: save it again")).with_source(error)
    };
    let mut table = ReaderBuilder::new().trim(Trim::All).flexible(true).from_reader(list);
    let header = table.headers().map_err(bad)?.clone();
    let file_column = column(&header, "file", true)?;
    let label_column = column(&header, "label", labelling == Labelling::Required)?;
    let group_column = column(&header, "group", false)?;
    let mut entries = Vec::new();
    let mut lines = HashMap::new();
    for row in table.records() {
        let row = row.map_err(bad)?;
        let line = row.position().map_or(0, csv::Position::line);
        let field =
            |index: Option<usize>| index.and_then(|i| row.get(i)).filter(|text| !text.is_empty());
        let missing =
            |name: &str| invalid(format!("line {line} has no {name}: add it, or remove the line"));
        let file = field(file_column).ok_or_else(|| missing("file"))?;
        let label = field(label_column);
        if label.is_none() && labelling == Labelling::Required {
            return Err(missing("label"));
        }
        if !is_inside(Path::new(file)) {
            return Err(invalid(format!(
                "line {line} names {file:?}, which is not in this folder: give a path from this \
                 folder on, without \"..\""
            )));
        }
        let label = label
            .map(|label| labels.find(label))
            .transpose()
            .map_err(|error| error.context(format!("line {line}, {file:?}")))?;
        let group = field(group_column).map(str::to_owned);
        let entry = Entry::new(folder, Path::new(file), label, group);
        if let Some(before) = lines.insert(entry.name.clone(), line) {
            return Err(invalid(format!(
                "names {file:?} in line {before} and in line {line}: keep one of them"
            )));
        }
        entries.push(entry);
    }
    Ok(entries)
}

fn column(header: &StringRecord, name: &str, needed: bool) -> Result<Option<usize>> {
    let mut found = (0..header.len()).filter(|index| header[*index].eq_ignore_ascii_case(name));
    match (found.next(), found.next()) {
        (Some(index), None) => Ok(Some(index)),
        (None, _) if !needed => Ok(None),
        (first, _) => Err(invalid(format!(
            "has {} column {name}: its first line must name the columns file and label once each, \
             with commas between columns",
            if first.is_some() { "more than one" } else { "no" }
        ))),
    }
}

/// Whether `file` stays in the folder that it is joined to.
fn is_inside(file: &Path) -> bool {
    file.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

fn read_folders(folder: &Path, labels: &Labels<'_>, labelling: Labelling) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    let entry = |path: &Path, label| {
        let file = path.strip_prefix(folder).expect("it was listed in this folder");
        Entry::new(folder, file, label, None)
    };
    let (folders, files): (Vec<_>, Vec<_>) =
        sorted(folder)?.into_iter().partition(|path| path.is_dir());
    let images: Vec<_> = files.into_iter().filter(|path| is_image(path)).collect();
    if labelling == Labelling::Optional && !images.is_empty() {
        return Ok(images.iter().map(|path| entry(path, None)).collect());
    }
    for class in folders {
        let name = class.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let label =
            labels.find(&name).map_err(|error| error.context(format!("folder {name:?}")))?;
        let images = sorted(&class).map_err(|error| error.context(&name))?;
        let images = images.into_iter().filter(|path| is_image(path));
        entries.extend(images.map(|path| entry(&path, Some(label))));
    }
    if entries.is_empty() {
        return Err(invalid(format!(
            "has neither idx files, nor {LIST}, nor a folder of PNG or JPEG files per label: add \
             one of them"
        )));
    }
    Ok(entries)
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(files::cannot_read)?;
    let mut paths: Vec<_> = entries
        .map(|entry| entry.map(|entry| entry.path()).map_err(files::cannot_read))
        .collect::<Result<_>>()?;
    paths.sort();
    Ok(paths)
}

fn is_image(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
    ["png", "jpg", "jpeg"].iter().any(|image| ending == *image)
}

/// The bundle's labels, to be found by name or, where no name is a number, by
/// index.
struct Labels<'a> {
    /// `None` for a name that several labels have.
    by_name: HashMap<&'a str, Option<u32>>,
    first: &'a str,
    count: usize,
    by_index: bool,
}

impl<'a> Labels<'a> {
    fn new(labels: &'a [String]) -> Self {
        let mut by_name = HashMap::new();
        for (name, index) in labels.iter().zip(0..) {
            by_name.entry(name.trim()).and_modify(|found| *found = None).or_insert(Some(index));
        }
        let is_number = |name: &String| name.trim().parse::<f64>().is_ok();
        Labels {
            by_name,
            first: labels.first().map_or("", String::as_str),
            count: labels.len(),
            by_index: !labels.iter().any(is_number),
        }
    }

    fn find(&self, text: &str) -> Result<u32, Error> {
        match self.by_name.get(text.trim()) {
            Some(Some(index)) => return Ok(*index),
            Some(None) => {
                return Err(invalid(format!(
                    "several labels of the bundle are named {text:?}: {}",
                    if self.by_index {
                        "give the index of one"
                    } else {
                        "give its labels names of their own and pack it again"
                    }
                )));
            }
            None => {}
        }
        let digits = text.trim().bytes().all(|byte| byte.is_ascii_digit());
        match text.trim().parse::<u32>() {
            Ok(index) if self.by_index && digits && (index as usize) < self.count => Ok(index),
            _ if self.by_index => Err(invalid(format!(
                "{text:?} is no label of the bundle: give one of its names or an index from 0 to {}",
                self.count - 1
            ))),
            _ => Err(invalid(format!(
                "{text:?} is no label of the bundle: give one of its {} names, such as {:?}",
                self.count, self.first
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_named_twice_is_refused() {
        let read = |list: &str| {
            let labels = ["cat".to_owned(), "dog".to_owned()];
            let labels = Labels::new(&labels);
            read_list(Path::new("set"), list.as_bytes(), &labels, Labelling::Required)
        };
        assert_eq!(read("file,label\na.png,cat\nb.png,cat\n").unwrap().len(), 2);
        let error = read("file,label\na.png,cat\nb.png,cat\n./a.png,dog\n").unwrap_err();
        assert!(error.to_string().contains("in line 2 and in line 4"), "{error}");
    }

    fn find(labels: &[&str], text: &str) -> Result<u32, String> {
        let labels: Vec<String> = labels.iter().map(|&label| label.to_owned()).collect();
        Labels::new(&labels).find(text).map_err(|error| error.to_string())
    }

    fn refused(labels: &[&str], text: &str, words: &str) {
        let message = find(labels, text).unwrap_err();
        assert!(message.contains(words), "{message}");
    }

    #[test]
    fn labels_go_by_name_and_by_index_only_where_no_name_is_a_number() {
        assert_eq!(find(&["cat", "dog"], " dog "), Ok(1));
        assert_eq!(find(&["cat", "dog"], "1"), Ok(1));
        refused(&["cat", "dog"], "2", "index from 0 to 1");
        refused(&["cat", "dog"], "+1", "index from 0 to 1");
        refused(&["cat", "dog"], "Dog", "index from 0 to 1");
        // As an index this would be the label 3.
        assert_eq!(find(&["1", "2", "3"], "2"), Ok(1));
        refused(&["1", "2", "3"], "0", "one of its 3 names, such as \"1\"");
        refused(&["none", "2"], "0", "one of its 2 names");
    }

    #[test]
    fn a_name_of_several_labels_is_refused_where_it_is_used() {
        assert_eq!(find(&["a", "b", "a"], "b"), Ok(1));
        assert_eq!(find(&["a", "b", "a"], "2"), Ok(2));
        refused(
            &["a", "b", "a"],
            "a",
            "several labels of the bundle are named \"a\": give the index",
        );
        refused(&["a", "7", "a"], "a", "pack it again");
    }

    #[test]
    fn odd_lists_are_read_and_bad_ones_named() {
        let labels = ["cat".to_owned(), "dog".to_owned()];
        let read = |list: &str| {
            read_list(Path::new("d"), list.as_bytes(), &Labels::new(&labels), Labelling::Required)
                .map_err(|error| error.to_string())
        };
        let entry = |file: &str, label| Entry {
            path: Path::new("d").join(file),
            name: file.to_owned(),
            label: Some(label),
            group: None,
        };
        let expected = Ok(vec![entry("a.png", 0), entry("b/c.png", 1)]);
        for list in [
            "file,label\na.png,cat\nb/c.png,dog\n",
            "\u{feff}File , LABEL\r\n a.png , cat \r\n b/c.png,1\r\n",
            "label,by,file\ncat,me,a.png,what,else\n\ndog,,b/c.png",
            "file,label,by\na.png,0\n\"b/c.png\",\"dog\",me\n",
        ] {
            assert_eq!(read(list), expected, "{list:?}");
        }
        for (list, words) in [
            ("", "has no column file"),
            ("file;label\na.png;cat\n", "has no column file"),
            ("file,class\na.png,cat\n", "has no column label"),
            ("file,label,File\n", "more than one column file"),
            ("file,label\na.png\n", "line 2 has no label"),
            ("file,label\na.png,cat\n ,cat\n", "line 3 has no file"),
            ("file,label\n/etc/a.png,cat\n", "line 2 names \"/etc/a.png\", which is not in"),
            ("file,label\nb/../../a.png,cat\n", "without \"..\""),
            ("file,label\na.png,cow\n", "line 2, \"a.png\": \"cow\" is no label"),
        ] {
            let message = read(list).unwrap_err();
            assert!(message.contains(words), "{list:?}: {message}");
        }
        let optional = |list: &[u8]| {
            read_list(Path::new("d"), list, &Labels::new(&labels), Labelling::Optional)
        };
        assert!(optional(b"file,label\n\xff,cat\n").unwrap_err().to_string().contains("UTF-8"));

        let entries = optional(b"file,Group,label\n./b/c.png,clip 1,\na.png,,dog\n").unwrap();
        let unlabelled = Entry { label: None, group: Some("clip 1".into()), ..entry("b/c.png", 0) };
        assert_eq!(entries[0].name, unlabelled.name);
        assert_eq!((entries[0].label, &entries[0].group), (None, &unlabelled.group));
        assert_eq!(entries[1], entry("a.png", 1));
        assert_eq!(optional(b"file\na.png\n").unwrap()[0].label, None);
    }
}
