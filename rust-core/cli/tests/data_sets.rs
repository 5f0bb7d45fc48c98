//! Data sets through `evaluate`: the three forms, and what is wrong with others.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use support::*;

#[test]
fn evaluate_reads_all_three_forms_of_data_alike() {
    let scratch = Scratch::new();
    let digits = scratch.digits(20);
    let mut list = "author,file,label\n".to_owned();
    for (index, (path, label)) in digits.iter().enumerate() {
        list += &format!("someone,digit{index}.png,{label}\n");
        let class = scratch.path(&format!("classes/{label}"));
        fs::create_dir_all(&class).unwrap();
        fs::copy(path, Path::new(&class).join(format!("{index}.png"))).unwrap();
    }
    scratch.write("labels.csv", list.as_bytes());
    let idx = models().join("mnist").display().to_string();
    let evaluate = |data: &str| {
        let bundle = bundle();
        json(&["evaluate", "-b", &bundle, "-d", data, "--samples", "20", "--json"])
    };
    let expected = evaluate(&idx);
    assert_eq!(expected["samples"], 20);
    for data in [scratch.path("."), scratch.path("classes")] {
        let report = evaluate(&data);
        for path in ["/little/accuracy", "/big/accuracy", "/cascade/escalation_rate"] {
            assert_eq!(report.pointer(path), expected.pointer(path), "{data} {path}");
        }
    }
}

#[test]
fn evaluate_names_what_is_wrong_with_data() {
    let scratch = Scratch::new();
    let bundle = bundle();
    let evaluate = |data: &str, words: &[&str]| {
        refused(&["evaluate", "-b", &bundle, "-d", data], BAD_DATA, words);
    };
    evaluate(&scratch.path("nowhere"), &["nowhere", "not a folder"]);
    fs::create_dir(scratch.path("empty")).unwrap();
    evaluate(&scratch.path("empty"), &["empty", "neither idx files"]);
    scratch.write("list/labels.csv", b"name,class\na.png,1\n");
    evaluate(&scratch.path("list"), &["labels.csv", "no column file", "columns file and label"]);
    scratch.write("label/labels.csv", b"file,label\na.png,10\n");
    evaluate(&scratch.path("label"), &["labels.csv", "line 2", "a.png", "\"10\"", "10 names"]);
    scratch.write("gone/labels.csv", b"file,label\na.png,1\n");
    evaluate(&scratch.path("gone"), &["a.png", "cannot be read"]);
    scratch.write("class/eleven/a.png", b"");
    evaluate(&scratch.path("class"), &["\"eleven\"", "no label of the bundle"]);
    scratch.write("idx/t-images-idx3-ubyte", &[0, 0, 8, 3, 0, 0, 0, 1]);
    evaluate(&scratch.path("idx"), &["no labels-idx1-ubyte"]);
    scratch.write("idx/t-labels-idx1-ubyte", &[0, 0, 8, 1, 0, 0, 0, 1, 5]);
    evaluate(&scratch.path("idx"), &["images", "header"]);
    scratch.write("idx/t-images-idx3-ubyte", &[0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 28]);
    evaluate(&scratch.path("idx"), &["idx", "28 x 0 pixels", "from 1 to"]);
    scratch.write("none/labels.csv", b"file,label\n");
    evaluate(&scratch.path("none"), &["none", "has no samples: add"]);
}

#[test]
fn evaluate_reads_a_list_that_people_wrote() {
    let scratch = Scratch::new();
    let digits = scratch.digits(2);
    let (first, second) = (digits[0].1, digits[1].1);
    let list = format!("File, Label\r\n digit0.png, {first}, a note\r\ndigit1.png ,{second}\r\n");
    scratch.write("labels.csv", list.as_bytes());
    let report = json(&["evaluate", "-b", &bundle(), "-d", &scratch.path("."), "--json"]);
    assert_eq!(report["samples"], 2);
    assert_eq!(report["cascade"]["accuracy"], 1.0);
    let refuses = |list: &str, words: &[&str]| {
        scratch.write("labels.csv", list.as_bytes());
        refused(&["evaluate", "-b", &bundle(), "-d", &scratch.path(".")], BAD_DATA, words);
    };
    refuses("file,label\ndigit0.png\n", &["labels.csv: line 2 has no label"]);
    refuses("file,class\ndigit0.png,1\n", &["labels.csv: has no column label"]);
    refuses("file,label\n../x.png,1\n", &["labels.csv: line 2", "../x.png", "not in this folder"]);
    refuses("file,label\n/etc/x.png,1\n", &["labels.csv: line 2", "/etc/x.png"]);
}

#[cfg(unix)]
#[test]
fn a_path_is_named_once_and_pipes_are_not_waited_for() {
    let scratch = Scratch::new();
    let bundle = bundle();
    let evaluate = |data: &str, file: &str| {
        let path = scratch.path(data);
        let args = ["evaluate", "-b", &bundle, "-d", &path];
        refused(&args, BAD_DATA, &[&format!("{data}: {file}: cannot be read: it is a pipe")]);
        let errors = String::from_utf8(biglittle(&args).stderr).unwrap();
        assert_eq!(errors.matches(&path).count(), 1, "{errors}");
    };
    let pipe = |name: &str| {
        let path = scratch.path(name);
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        path
    };
    scratch.write("idx/t-labels-idx1-ubyte", &[0, 0, 8, 1, 0, 0, 0, 1, 5]);
    pipe("idx/t-images-idx3-ubyte");
    evaluate("idx", "t-images-idx3-ubyte");
    fs::create_dir(scratch.path("list")).unwrap();
    pipe("list/labels.csv");
    evaluate("list", "labels.csv");
    fs::create_dir(scratch.path("zero")).unwrap();
    scratch.write("zero/t-labels-idx1-ubyte", &[0, 0, 8, 1, 0, 0, 0, 1, 5]);
    let zero = scratch.path("zero/t-images-idx3-ubyte");
    std::os::unix::fs::symlink("/dev/zero", zero).unwrap();
    evaluate("zero", "t-images-idx3-ubyte");
    let image = pipe("image.png");
    let output = biglittle(&["run", "-b", &bundle, &image]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(BAD_DATA), "{errors}");
    assert!(errors.contains("image.png: cannot be read: it is a pipe"), "{errors}");
}
